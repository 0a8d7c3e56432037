/* One connection to a client: sockets, TLS, WebSocket frames. */
#ifndef LOAD_LINK_H
#define LOAD_LINK_H

#include "tests/upstream/buf.h"
#include "tests/upstream/ws.h"

#include <openssl/ssl.h>
#include <stdbool.h>

struct link {
    int fd;
    SSL *ssl; /* NULL: plain */
    struct buf in;
    struct buf out;
    bool open; /* the opening request is answered */
    bool dead;
};

/* Takes over a connected non-blocking socket; `tls` is NULL for ws://. */
void link_start(struct link *l, int fd, SSL_CTX *tls);

/* Receives what there is. May leave the link dead. */
void link_receive(struct link *l);

/* Takes the next message out of what was received; Pings are answered, a close
 * leaves the link dead. The bytes are good until link_receive(). */
bool link_next(struct link *l, struct ws_frame *frame);

void link_write(struct link *l, enum ws_kind kind, const void *data,
                size_t len);

/* Sends as much as the socket takes. */
void link_flush(struct link *l);

void link_free(struct link *l);

#endif
