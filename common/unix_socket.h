/* Unix-domain stream sockets in the runtime folder. */
#ifndef FXWIRE_COMMON_UNIX_SOCKET_H
#define FXWIRE_COMMON_UNIX_SOCKET_H

#include <stdbool.h>

/* Connects, non-blocking, close-on-exec. -1 and errno. */
int unix_socket_connect(const char *path);

/*
 * Listens at `path`, non-blocking, close-on-exec, mode 0600. A socket that a
 * dead process left there is replaced; EADDRINUSE if somebody listens. -1 and
 * errno.
 */
int unix_socket_listen(const char *path);

/* Waits until nobody listens at `path`, for `msec` milliseconds at most. */
void unix_socket_wait_unused(const char *path, int msec);

/* Whether the peer is this process's own user, or root. */
bool unix_socket_peer_allowed(int fd);

#endif
