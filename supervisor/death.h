/* How processes end: the one log line of each death, and what defers one. */
#ifndef FXWIRE_SUPERVISOR_DEATH_H
#define FXWIRE_SUPERVISOR_DEATH_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/attributes.h"
#include "common/clock.h"

enum { DEATH_CAUSE_SIZE = 32 };

/* Writes the cause: `signal SIGKILL` or `exit 1`. */
void death_print_cause(const siginfo_t *death,
                       char out[static DEATH_CAUSE_SIZE]) NONNULL_ALL;

/*
 * Logs a death: who, how, after which uptime, and in what time it is started
 * again (FOREVER: it is not).
 */
void death_log(const char *name, pid_t pid, const siginfo_t *death,
               duration uptime, duration restart_in) NONNULL_ALL;

/* What keeps a process from ending by a signal, as /proc says. */
struct death_hindrance {
    bool traced;  /* a debugger is attached */
    bool stopped; /* by a signal, or by its debugger */
    bool dead;    /* and not yet waited for */
};

/* Nothing if the process is gone, or /proc does not tell. */
struct death_hindrance death_hindrance_of(pid_t pid);

#endif
