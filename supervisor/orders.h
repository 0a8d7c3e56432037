/* What may be asked for on control.sock, and its answers. */
#ifndef FXWIRE_SUPERVISOR_ORDERS_H
#define FXWIRE_SUPERVISOR_ORDERS_H

#include "common/lines/line_server.h"
#include "common/log.h"

/* What restart and log-level are told about words that they do not know. */
#define ORDERS_HELPERS "HELPER must be wsclient, ratefetcher or monitor"
#define ORDERS_LEVELS  "WORD must be debug, info, warn or error"

/* How the service does what it is asked for. */
struct orders {
    /* A new message of how it stands; its receiver releases it. */
    struct json_object *(*status)(void *arg);
    void (*stop)(void *arg);
    bool (*is_stopping)(void *arg);
    /* NULL, or why the old configuration stays; its receiver frees it. */
    char *(*reload)(void *arg);
    /* How many of that name are restarted; 0: there is none. */
    size_t (*restart)(void *arg, const char *helper);
    void (*set_log_level)(void *arg, enum log_level level);
    void *arg;
};

/*
 * Takes orders on the listening socket `fd`, see line_server_new(). `orders`
 * are lent as long.
 */
MUST_CHECK struct line_server *
orders_listen(struct event_base *base, int fd,
              const struct orders *orders) NONNULL_ALL;

#endif
