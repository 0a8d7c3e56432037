#include "supervisor/death.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/process.h"
#include "supervisor/memory_limit.h"

void death_print_cause(const siginfo_t *death,
                       char out[static DEATH_CAUSE_SIZE]) {
    const char *name =
        death->si_code == CLD_EXITED ? NULL : sigabbrev_np(death->si_status);
    if (death->si_code == CLD_EXITED)
        snprintf(out, DEATH_CAUSE_SIZE, "exit %d", death->si_status);
    else
        snprintf(out, DEATH_CAUSE_SIZE, "signal SIG%s",
                 name != NULL ? name : "?");
}

void death_log(const char *name, pid_t pid, const siginfo_t *death,
               duration uptime, duration restart_in) {
    char cause[DEATH_CAUSE_SIZE];
    death_print_cause(death, cause);
    log_error(EVENT_DIED,
              LOG_FIELDS(log_text("process", name), log_int("pid", pid),
                         log_text("cause", cause),
                         log_text("reason", memory_limit_has_killed(death)
                                                ? "killed by the memory limit "
                                                  "of its control group"
                                                : NULL),
                         log_duration("uptime", uptime),
                         restart_in.usec == FOREVER.usec
                             ? log_text("next", "not started again")
                             : log_duration("restart_in", restart_in)));
}

struct death_hindrance death_hindrance_of(pid_t pid) {
    struct death_hindrance found = {false, false, false};
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = process_proc_is_ours() ? fopen(path, "re") : NULL;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        int tracer;
        char letter;
        if (sscanf(line, "TracerPid: %d", &tracer) == 1)
            found.traced = tracer != 0;
        if (sscanf(line, "State: %c", &letter) == 1) {
            found.stopped = letter == 'T' || letter == 't';
            found.dead = letter == 'Z' || letter == 'X';
        }
    }
    if (file != NULL)
        fclose(file);
    return found;
}
