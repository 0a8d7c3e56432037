#include "supervisor/fitness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/loop.h"

static int close_both(int result, const int fds[static 2]) {
    if (result == 0) {
        close(fds[0]);
        close(fds[1]);
    }
    return result;
}

static int try_pipe(void) {
    int fds[2];
    return close_both(pipe2(fds, O_CLOEXEC | O_NONBLOCK), fds);
}

static int try_channel(void) {
    int fds[2];
    return close_both(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
        fds);
}

static int try_null(void) {
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return fd < 0 ? -1 : close(fd);
}

static int try_child(void) {
    siginfo_t death;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? -1 : waitid(P_PID, (id_t)pid, &death, WEXITED);
}

static int try_loop(void) {
    struct event_base *base = loop_new(); /* ends the process itself */
    loop_free(&base);
    return 0;
}

static const struct {
    const char *what;
    int (*try)(void); /* -1 and errno */
} needs[] = {
    {"a pipe (pipe2)", try_pipe},
    {"a pair of Unix sockets (socketpair)", try_channel},
    {"/dev/null", try_null},
    {"a child process that can be waited for (fork, waitid)", try_child},
    {"an event loop (epoll, poll or select)", try_loop},
};

bool fitness_check(void) {
    bool fit = true;
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (needs[i].try() < 0) {
            fprintf(stderr, "fxwire cannot run here without %s: %s\n",
                    needs[i].what, strerror(errno));
            fit = false;
        }
    return fit;
}
