/* All helpers of the service: started, stopped in order, changed on reload. */
#ifndef FXWIRE_SUPERVISOR_HELPERS_H
#define FXWIRE_SUPERVISOR_HELPERS_H

#include "supervisor/helper.h"

struct helpers {
    struct helper_context context;
    struct helper **list; /* by kind, in the order in which they are stopped */
    size_t count;
};

/* Starts what the settings in `helpers->context` ask for. */
void helpers_start(struct helpers *helpers);
void helpers_free(struct helpers *helpers);

/* To be called each second. */
void helpers_ping(struct helpers *helpers);

/* Tells the monitor of all processes. */
void helpers_tell_monitor(struct helpers *helpers,
                          struct json_object *status) NONNULL_ALL;

/* Changes the level of the log in all helpers, until helpers_reload(). */
void helpers_set_log_level(struct helpers *helpers,
                           enum log_level level) NONNULL_ALL;

/*
 * Puts other settings in force: helpers whose environment they change are
 * restarted, wsclients come and go with their upstreams. Gives how many were
 * concerned. The old settings are not looked at any more.
 */
size_t helpers_reload(struct helpers *helpers, const struct settings *settings);

/* Restarts those of that name; gives how many there are. */
size_t helpers_restart(struct helpers *helpers, const char *name);

/*
 * Tells the next kind to stop, once all of the kinds before it are gone: no
 * one goes before those who need it. True: all are gone.
 */
bool helpers_stop_next(struct helpers *helpers);

/* Kills all, but the monitor only if `monitor_too`. */
void helpers_kill(struct helpers *helpers, bool monitor_too);

/* Whether there is no monitor that could write what is logged. */
bool helpers_monitor_is_down(const struct helpers *helpers);

/* Forgets those that are gone and were not wanted any more. */
void helpers_sweep(struct helpers *helpers);

bool helpers_all_ready(const struct helpers *helpers);

#endif
