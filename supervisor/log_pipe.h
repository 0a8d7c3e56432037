/*
 * The pipe that log lines take to the monitor. The outermost process holds
 * it, so that lines of a dying process are read by the next monitor.
 */
#ifndef FXWIRE_SUPERVISOR_LOG_PIPE_H
#define FXWIRE_SUPERVISOR_LOG_PIPE_H

struct log_pipe {
    int read_fd, write_fd; /* non-blocking, close-on-exec */
};

/* 0, or -1 and errno. */
int log_pipe_open(struct log_pipe *pipe);

#endif
