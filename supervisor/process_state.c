#include "supervisor/process_state.h"

#include <stdio.h>

struct process_state process_state_of(pid_t pid) {
    struct process_state state = {false, false};
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        int tracer;
        char letter;
        if (sscanf(line, "TracerPid: %d", &tracer) == 1)
            state.traced = tracer != 0;
        if (sscanf(line, "State: %c", &letter) == 1)
            state.stopped = letter == 'T' || letter == 't';
    }
    if (file != NULL)
        fclose(file);
    return state;
}
