/* The supervisor proper: holds the sockets and keeps the helpers running. */
#ifndef FXWIRE_SUPERVISOR_SERVICE_H
#define FXWIRE_SUPERVISOR_SERVICE_H

#include "supervisor/log_pipe.h"
#include "supervisor/options.h"

/* The lock in RUNTIME_DIR that says that it is taken. */
#define SERVICE_LOCK "supervisor.lock"

/*
 * Runs the service until it is told to stop; returns the exit code. `log` is
 * the watchdog's log pipe; NULL: there is no watchdog, it makes its own. A
 * byte is written to `tick_fd` each second; -1: nobody wants that.
 */
int service_run(const struct options *options, const struct log_pipe *log,
                int tick_fd);

#endif
