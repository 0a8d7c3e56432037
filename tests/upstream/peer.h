/* One connection to a client: its socket, its buffers, its stage of life. */
#ifndef UPSTREAM_PEER_H
#define UPSTREAM_PEER_H

#include "buf.h"
#include "tls.h"
#include "ws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum peer_stage {
    PEER_FREE = 0, /* no connection */
    PEER_GREETING, /* the opening request is not complete yet */
    PEER_OPEN,
    PEER_CLOSING, /* our close frame is written; waiting for the client's */
    PEER_DEAD,    /* to be freed by its owner */
};

/* Times are of one steady clock, in nanoseconds. */
struct peer {
    enum peer_stage stage;
    int fd;
    SSL *tls;    /* NULL: none */
    size_t owed; /* bytes that TLS has to be given again, at least */
    struct buf in;
    struct buf out;
    uint64_t deadline_ns; /* for greeting and closing */
    uint64_t beat_ns;     /* when our next heartbeat is due */
    uint64_t heard_ns;    /* the client's last heartbeat */
    bool deaf;            /* what still comes in is thrown away */
    bool last;            /* dies once `out` is sent */
    unsigned watched;     /* the events that the owner waits for */
    unsigned number;      /* the owner's, from when it is open */
    uint64_t sent_ns;     /* when some of `out` was sent */
    char end[48];         /* how it ended, once it is known */
};

/* Takes over a connected socket; `tls` is NULL or how it speaks. */
void peer_start(struct peer *p, int fd, SSL_CTX *tls, uint64_t now_ns);

/* Receives what there is, up to a limit; call again while the socket is
 * readable. May leave the peer dead. */
void peer_fill(struct peer *p);

/* Handles a complete opening request: true once, when the peer becomes open. A
 * status as `refuse` is all that it gets. */
bool peer_greet(struct peer *p, unsigned refuse, uint64_t now_ns);

/* Takes the next message, Ping or Pong out of what was received; false if there
 * is none. Closes are answered here. The bytes are good until peer_fill(). */
bool peer_next(struct peer *p, uint64_t now_ns, struct ws_frame *frame);

/* Adds a frame to what will be sent. */
void peer_write(struct peer *p, enum ws_kind kind, const void *data,
                size_t len);

/* Notes how it ended, unless that is known. */
__attribute__((format(printf, 2, 3))) void peer_note(struct peer *p,
                                                     const char *format, ...);

/* Drops the connection by a reset. */
void peer_reset(struct peer *p);

/* Says goodbye, once; gives the client a second to say it, too. */
void peer_close(struct peer *p, enum ws_code code, uint64_t now_ns);

/* Sends as much as the socket takes, `most` bytes if that is less. May leave
 * the peer dead. */
void peer_flush(struct peer *p, size_t most, uint64_t now_ns);

/* Closes the socket, frees the buffers and makes the place free. */
void peer_free(struct peer *p);

#endif
