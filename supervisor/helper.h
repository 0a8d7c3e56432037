/*
 * One helper process: started, pinged, listened to, and started again when it
 * died.
 */
#ifndef FXWIRE_SUPERVISOR_HELPER_H
#define FXWIRE_SUPERVISOR_HELPER_H

#include <event2/event.h>
#include <json-c/json.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/lines/channel.h"
#include "common/log.h"
#include "common/settings/settings.h"
#include "supervisor/children.h"
#include "supervisor/death.h"
#include "supervisor/lifecycle.h"

/* So many deaths within a minute are a crash loop. */
enum { HELPER_LOOP_DEATHS = 10 };

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
    struct children *children;
    const struct settings *settings;
    int log_read_fd, log_write_fd;
    int rates_fd, logs_fd; /* the listening rates.sock and logs.sock */
    bool show_messages;
    enum log_level log_level;   /* LOG_LEVELS: as the settings say */
    void (*changed)(void *arg); /* a helper died or said something */
    /* Something needs a person: what, of whom, and a detail. */
    void (*alert)(void *arg, enum event_id event, const char *subject,
                  const char *detail);
    void *arg;
};

struct helper {
    const struct helper_context *context;
    enum helper_kind kind;
    char *upstream; /* its address, of a wsclient; else NULL. A secret */
    char *label;    /* `host:port/path` of that; else NULL */
    char *identity; /* url_identity() of that; else NULL. A secret */
    struct lifecycle life;
    pid_t pid; /* 0: there is no process */
    struct child_watch child;
    struct channel channel;
    struct event *channel_event, *look_event, *start_event, *patience_event;
    monotime started, last_ping;
    unsigned unanswered;     /* pings in a row */
    bool debugged;           /* a debugger holds it, or it waits for one */
    unsigned deaths, killed; /* of these by a signal */
    monotime recent_deaths[HELPER_LOOP_DEATHS]; /* as a ring */
    char last_death[DEATH_CAUSE_SIZE];          /* "": none yet */
    struct json_object *report;  /* the last one of this process, or NULL */
    struct json_object *counted; /* by its dead predecessors, or NULL */
};

/* A helper that starts on the loop's next turn. `upstream` is copied. */
MUST_CHECK struct helper *helper_new(const struct helper_context *context,
                                     enum helper_kind kind,
                                     struct span upstream) NONNULL_ALL;
void helper_free(struct helper **helper);

/* Gives a wsclient another address, which its next process gets. */
void helper_set_upstream(struct helper *helper, struct span upstream);

/* Sends it a line; one that does not read is found by its missing answers. */
void helper_tell(struct helper *helper,
                 struct json_object *message) NONNULL_ALL;

/*
 * To be called each second: asks whether it is alive, and ends it if it has
 * not answered for too long.
 */
void helper_ping(struct helper *helper);

/* Asks it to end in order; it is not started again. */
void helper_stop(struct helper *helper);

/* Asks it to end in order; then it is started again, at once. */
void helper_restart(struct helper *helper);

/* Kills it at once; it is not started again. */
void helper_kill(struct helper *helper);

/* Whether it is gone, and meant to be. */
bool helper_is_stopped(const struct helper *helper);

/* Since its process started; 0 if there is none. */
duration helper_uptime(const struct helper *helper);

/* A member of its last report, lent; NULL if there is none. */
struct json_object *helper_reported(const struct helper *helper,
                                    const char *name);

/* What it and its predecessors counted; the caller releases it. */
MUST_CHECK struct json_object *
helper_counters(const struct helper *helper) NONNULL_ALL;

#endif
