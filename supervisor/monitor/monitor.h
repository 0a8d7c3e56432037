/*
 * The monitor: the only process that writes where a disk or a slow reader may
 * block.
 */
#ifndef FXWIRE_SUPERVISOR_MONITOR_H
#define FXWIRE_SUPERVISOR_MONITOR_H

#include "common/attributes.h"

/* The first argument that makes the supervisor's binary a monitor. */
#define MONITOR_COMMAND "monitor"

/*
 * The pipe that log lines take to the monitor. The outermost process holds
 * it, so that lines of a dying process are read by the next monitor.
 */
struct monitor_pipe {
    int read_fd, write_fd; /* non-blocking, close-on-exec */
};

/* 0, or -1 and errno. */
MUST_CHECK int monitor_pipe_open(struct monitor_pipe *pipe) NONNULL_ALL;

/*
 * Writes what waits in the pipe to standard error, as far as that takes it
 * without blocking: for when there is no monitor to do so.
 */
void monitor_pipe_drain(const struct monitor_pipe *pipe) NONNULL_ALL;

/* Runs until the supervisor stops it or is gone; returns the exit code. */
int monitor_run(int argc, char *argv[]);

#endif
