/* One connection to a client: its socket, its buffers, its stage of life. */
#ifndef UPSTREAM_PEER_H
#define UPSTREAM_PEER_H

#include "buf.h"
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
    struct buf in;
    struct buf out;
    uint64_t deadline_ns; /* for greeting and closing */
    uint64_t beat_ns;     /* when our next heartbeat is due */
    uint64_t heard_ns;    /* the client's last heartbeat */
    bool deaf;            /* what still comes in is thrown away */
    bool last;            /* dies once `out` is sent */
    bool watched;         /* the owner waits for room to send */
};

/* Takes over a connected socket. */
void peer_start(struct peer *p, int fd, uint64_t now_ns);

/* Receives what there is, up to a limit; call again while the socket is
 * readable. May leave the peer dead. */
void peer_fill(struct peer *p);

/* Handles a complete opening request: true once, when the peer becomes open. */
bool peer_greet(struct peer *p, uint64_t now_ns);

/* Takes the next message out of what was received; false if there is none.
 * Pings and closes are answered here. The bytes are good until peer_fill(). */
bool peer_next(struct peer *p, uint64_t now_ns, struct ws_frame *frame);

/* Adds a frame to what will be sent. */
void peer_write(struct peer *p, enum ws_kind kind, const void *data,
                size_t len);

/* Says goodbye, once; gives the client a second to say it, too. */
void peer_close(struct peer *p, enum ws_code code, uint64_t now_ns);

/* Sends as much as the socket takes. May leave the peer dead. */
void peer_flush(struct peer *p);

/* Closes the socket, frees the buffers and makes the place free. */
void peer_free(struct peer *p);

#endif
