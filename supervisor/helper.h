/*
 * One helper process: started, pinged, listened to, mourned and started again.
 */
#ifndef FXWIRE_SUPERVISOR_HELPER_H
#define FXWIRE_SUPERVISOR_HELPER_H

#include <event2/event.h>
#include <json-c/json.h>

#include "common/channel.h"
#include "common/clock.h"
#include "common/settings.h"
#include "supervisor/lifecycle.h"
#include "supervisor/obituary.h"

/* What helpers there are; they are stopped in this order. */
enum helper_kind {
    HELPER_WSCLIENT,
    HELPER_RATEFETCHER,
    HELPER_MONITOR,
    HELPER_KINDS
};

/* What a helper needs of the service; lent. */
struct helper_context {
    struct event_base *base;
    const struct settings *settings;
    int log_read_fd, log_write_fd;
    int rates_fd; /* the listening rates.sock */
    bool show_messages;
    void (*changed)(void *arg); /* a helper died or said something */
    void *arg;
};

struct helper {
    const struct helper_context *context;
    enum helper_kind kind;
    char *upstream; /* its address, of a wsclient; else NULL */
    char *label;    /* `host:port/path` of that; else NULL */
    enum lifecycle_state state;
    pid_t pid;
    int pid_fd; /* -1: there is no process */
    struct channel channel;
    struct event *channel_event, *death_event, *start_event;
    monotime started, ready_since;
    struct backoff backoff;
    unsigned deaths;
    char last_death[OBITUARY_CAUSE_SIZE]; /* "": none yet */
    struct json_object *report;  /* the last one of this process, or NULL */
    struct json_object *counted; /* by its dead predecessors, or NULL */
};

/* A helper that starts on the loop's next turn. `upstream` is copied. */
struct helper *helper_new(const struct helper_context *context,
                          enum helper_kind kind, struct span upstream);
void helper_free(struct helper **helper);

const char *helper_name(const struct helper *helper);

/* Asks whether it is alive. */
void helper_ping(struct helper *helper);

/* Asks it to end in order; it is not started again. */
void helper_stop(struct helper *helper);

/* Kills it at once; it is not started again. */
void helper_kill(struct helper *helper);

/* Microseconds since its process started; 0 if there is none. */
int64_t helper_uptime(const struct helper *helper);

/* A member of its last report, lent; NULL if there is none. */
struct json_object *helper_reported(const struct helper *helper,
                                    const char *name);

/* What it and its predecessors counted; the caller releases it. */
struct json_object *helper_counters(const struct helper *helper);

#endif
