#include "supervisor/log_pipe.h"

#include <fcntl.h>
#include <unistd.h>

/* Some ten thousand lines; the kernel may allow less to an ordinary user. */
enum { WANTED_BYTES = 1024 * 1024 };

int log_pipe_open(struct log_pipe *log) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    (void)fcntl(fds[1], F_SETPIPE_SZ, WANTED_BYTES);
    *log = (struct log_pipe){fds[0], fds[1]};
    return 0;
}
