/* The listening socket. */
#ifndef UPSTREAM_LISTEN_H
#define UPSTREAM_LISTEN_H

#include <stddef.h>

/* Opens a non-blocking socket at "HOST:PORT" ("[::1]:0" for IPv6; port 0 lets
 * the system choose). Returns it, or -1 after saying why on stderr. */
int listen_open(const char *where);

/* Writes the address and the port of the socket. */
void listen_name(int fd, char *host, size_t host_size, char *port,
                 size_t port_size);

/* Accepts a connection as a non-blocking socket; -1 if there is none. */
int listen_accept(int fd);

/* Puts the port and a newline into a file, which appears complete or not at
 * all. Returns -1 after saying why on stderr, else 0. */
int listen_note(const char *path, const char *port);

#endif
