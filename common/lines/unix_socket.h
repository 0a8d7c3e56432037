/* Unix-domain stream sockets in the runtime folder. */
#ifndef FXWIRE_COMMON_LINES_UNIX_SOCKET_H
#define FXWIRE_COMMON_LINES_UNIX_SOCKET_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/clock.h"

/* Connects, non-blocking, close-on-exec. -1 and errno. */
MUST_CHECK int unix_socket_connect(const char *path) NONNULL_ALL;

/*
 * Listens at `path`, non-blocking, close-on-exec, mode 0600. A socket that a
 * dead process left there is replaced; EADDRINUSE if somebody listens. -1 and
 * errno.
 */
MUST_CHECK int unix_socket_listen(const char *path) NONNULL_ALL;

/* Waits until nobody listens at `path`, for `patience` at most. */
void unix_socket_wait_unused(const char *path, duration patience) NONNULL_ALL;

/* Whether the peer is this process's own user, or root. */
MUST_CHECK bool unix_socket_peer_allowed(int fd);

#endif
