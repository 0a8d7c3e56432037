#include "supervisor/obituary.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

void obituary_cause(const siginfo_t *death,
                    char out[static OBITUARY_CAUSE_SIZE]) {
    const char *name =
        death->si_code == CLD_EXITED ? NULL : sigabbrev_np(death->si_status);
    if (death->si_code == CLD_EXITED)
        snprintf(out, OBITUARY_CAUSE_SIZE, "exit %d", death->si_status);
    else
        snprintf(out, OBITUARY_CAUSE_SIZE, "signal SIG%s",
                 name != NULL ? name : "?");
}

void obituary_log(const char *name, pid_t pid, const siginfo_t *death,
                  int64_t uptime, int64_t restart_in) {
    char cause[OBITUARY_CAUSE_SIZE];
    obituary_cause(death, cause);
    if (restart_in == OBITUARY_NO_RESTART) {
        log_error("died",
                  LOG_FIELDS(log_text("process", name), log_int("pid", pid),
                             log_text("cause", cause),
                             log_duration("uptime", (duration){uptime}),
                             log_text("next", "not started again")));
        return;
    }
    log_error("died",
              LOG_FIELDS(log_text("process", name), log_int("pid", pid),
                         log_text("cause", cause),
                         log_duration("uptime", (duration){uptime}),
                         log_duration("restart_in", (duration){restart_in})));
}
