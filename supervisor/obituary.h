/* The one log line that each death gets. */
#ifndef FXWIRE_SUPERVISOR_OBITUARY_H
#define FXWIRE_SUPERVISOR_OBITUARY_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

enum { OBITUARY_CAUSE_SIZE = 32, OBITUARY_NO_RESTART = -1 };

/* Writes the cause: `signal SIGKILL` or `exit 1`. */
void obituary_cause(const siginfo_t *death,
                    char out[static OBITUARY_CAUSE_SIZE]);

/*
 * Logs a death: who, how, after which uptime (microseconds), and in how many
 * microseconds it is started again (or OBITUARY_NO_RESTART).
 */
void obituary_log(const char *name, pid_t pid, const siginfo_t *death,
                  int64_t uptime, int64_t restart_in);

#endif
