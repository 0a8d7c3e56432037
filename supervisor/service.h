/* The supervisor proper: holds the sockets and keeps the helpers running. */
#ifndef FXWIRE_SUPERVISOR_SERVICE_H
#define FXWIRE_SUPERVISOR_SERVICE_H

#include "common/attributes.h"
#include "common/log.h"
#include "supervisor/monitor/monitor.h"
#include "supervisor/options.h"

/*
 * Tells on standard error, a line for each, what is wrong with the settings
 * and with the folders that they name, which are not made. True: nothing.
 */
MUST_CHECK bool service_check(const struct settings *settings) NONNULL_ALL;

/*
 * Runs the service until it is told to stop; returns the exit code. `log` is
 * the watchdog's log pipe; NULL: there is no watchdog, it makes its own. A
 * byte is written to `tick_fd` each second, see below; -1: nobody wants that.
 * `level` is what somebody asked for of an earlier one; LOG_LEVELS: nobody did.
 */
int service_run(const struct options *options, const struct monitor_pipe *log,
                int tick_fd, enum log_level level);

/* A tick, which says what level of the log was asked for (LOG_LEVELS: none). */
static inline char service_tick_of(enum log_level level) {
    return (char)('0' + level);
}

static inline enum log_level service_level_of(char tick) {
    return (enum log_level)(tick - '0');
}

#endif
