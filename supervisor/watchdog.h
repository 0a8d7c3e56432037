/*
 * The outermost process: it starts the supervisor, passes signals on to it,
 * and starts another when it dies.
 */
#ifndef FXWIRE_SUPERVISOR_WATCHDOG_H
#define FXWIRE_SUPERVISOR_WATCHDOG_H

#include "supervisor/options.h"

/* Runs the service under a watchdog; returns the exit code. */
int watchdog_run(const struct options *options);

#endif
