/* What /proc says of a process. */
#ifndef FXWIRE_SUPERVISOR_PROCESS_STATE_H
#define FXWIRE_SUPERVISOR_PROCESS_STATE_H

#include <stdbool.h>
#include <sys/types.h>

struct process_state {
    bool traced;  /* a debugger is attached */
    bool stopped; /* by a signal, or by its debugger */
};

/* All false if the process is gone. */
struct process_state process_state_of(pid_t pid);

#endif
