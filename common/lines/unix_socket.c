#include "common/lines/unix_socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static int fill_address(const char *path, struct sockaddr_un *address) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address->sun_path, path);
    return 0;
}

static int new_socket(void) {
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int close_and_fail(int fd) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int unix_socket_connect(const char *path) {
    struct sockaddr_un address;
    if (fill_address(path, &address) < 0)
        return -1;
    int fd = new_socket();
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return close_and_fail(fd);
    return fd;
}

/* Removes the socket that a dead process left at `path`. -1: it is no socket,
 * or somebody listens. */
static int remove_stale(const char *path) {
    struct stat status;
    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISSOCK(status.st_mode)) {
        errno = EEXIST;
        return -1;
    }
    int fd = unix_socket_connect(path);
    if (fd >= 0) {
        close(fd);
        errno = EADDRINUSE;
        return -1;
    }
    return errno == ECONNREFUSED ? unlink(path) : -1;
}

int unix_socket_listen(const char *path) {
    struct sockaddr_un address;
    if (fill_address(path, &address) < 0 || remove_stale(path) < 0)
        return -1;
    int fd = new_socket();
    if (fd < 0)
        return -1;
    mode_t mask = umask(0177);
    int bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    umask(mask);
    if (bound < 0 || listen(fd, BACKLOG) < 0)
        return close_and_fail(fd);
    return fd;
}

void unix_socket_wait_unused(const char *path, duration patience) {
    struct pollfd end = {.fd = unix_socket_connect(path)};
    if (end.fd < 0)
        return;
    poll(&end, 1,
         (int)(patience.usec /
               USEC_PER_MSEC)); /* the listener's end is the connection's */
    close(end.fd);
}

bool unix_socket_peer_allowed(int fd) {
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}
