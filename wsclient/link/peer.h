/*
 * What is known of the peer while a connection stands: whether it is alive,
 * by its heartbeats, and which answers it has confirmed: by the Pong to a Ping
 * that followed them (RFC 6455, 5.5.3), or, where it never answers Pings, by
 * TCP's acknowledgement. Answers are counted by their position in the order of
 * sending. Pure: time and what the kernel tells are arguments.
 */
#ifndef FXWIRE_WSCLIENT_LINK_PEER_H
#define FXWIRE_WSCLIENT_LINK_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/span.h"

/* A Ping follows an answer so soon, and follows an unanswered Ping: within 0.25
 * s by the contract, and the loop may wake a few milliseconds late. */
#define PEER_PING_WAIT MILLISECONDS(240)
/* Without any progress for so long the connection is given up. */
#define PEER_STALLED SECONDS(10)
/* A judgement is put off for so long at the most, for input not yet read. */
#define PEER_MAX_DOUBT SECONDS(1)

enum {
    PEER_PING_ANSWERS = 256, /* so many are worth a Ping beside the last one */
    PEER_PING_PAYLOAD_SIZE = 48, /* with its NUL */
    PEER_PINGS_FOR_TCP = 3       /* unanswered ones before TCP is trusted */
};

/* How answers are confirmed. */
enum peer_receipts { PEER_RECEIPTS_BY_PONG, PEER_RECEIPTS_BY_TCP };

/* Bytes of the connection, counted from its begin. */
struct tcp_bytes {
    uint64_t written; /* what the kernel has been given */
    uint64_t acknowledged;
};

/* Bytes from the peer. */
struct tcp_input {
    uint64_t read;  /* so far; less than all is no harm */
    size_t waiting; /* in the kernel */
};

/*
 * After a stall of our own, what would clear the peer may wait in the kernel:
 * it is read before the peer is judged, but not for ever.
 */
struct peer_doubt {
    bool open;
    monotime since;
    uint64_t read_end; /* what waited when it began is in these bytes */
};

struct peer {
    /* Of the upstream, whatever becomes of connections. */
    duration beat_interval, beat_timeout; /* set by the owner */
    enum peer_receipts receipts;
    bool ever_ponged;
    bool seems_mute;   /* it let something pass in time without a Pong */
    duration patience; /* with a mute one */
    /* Of this connection. */
    unsigned connection;
    monotime beat_received; /* the last one, or the connect */
    monotime next_beat;     /* of ours */
    struct peer_doubt silence, stall;
    uint64_t sent, confirmed;  /* positions */
    monotime progress;         /* or since when something is unconfirmed */
    uint64_t pinged;           /* position that the last Ping stands for */
    unsigned unanswered;       /* Pings since the last Pong */
    bool ponged, proof_pinged; /* a Ping went out before any answer */
    monotime first_unanswered, next_ping;
    bool ping_planned;
    uint64_t marked; /* all up to this position is in mark_bytes; 0: none */
    uint64_t mark_bytes;
    uint64_t acknowledged; /* position, by TCP */
    uint64_t settled;      /* of these, what was let pass */
    monotime acknowledged_at;
    uint64_t acked_bytes; /* of the connection, as last seen */
    uint64_t ping_bytes;  /* the first unanswered Ping is in them */
    monotime moved;       /* when more was acknowledged of what is before it */
};

enum peer_verdict {
    PEER_ALIVE,
    PEER_UNDECIDED, /* read what the kernel holds, then judge again */
    PEER_SILENT,    /* no heartbeat for too long */
    PEER_NOT_CONFIRMING
};

/* A connection stands, with a number of its own: our first beat is due. */
NONNULL_ALL void peer_connected(struct peer *peer, unsigned connection,
                                monotime now);

/* A heartbeat of the peer came. */
NONNULL_ALL void peer_beat(struct peer *peer, monotime now);

/*
 * Whether a beat of ours has to go out now; if so, the next is due an interval
 * later. Beats missed in a stall are not made up for.
 */
MUST_CHECK NONNULL_ALL bool peer_take_beat(struct peer *peer, monotime now);

/*
 * Judges the peer. One that beats but never pongs is confirmed by TCP from
 * some moment on, instead of being given up.
 */
MUST_CHECK NONNULL_ALL enum peer_verdict
peer_judge(struct peer *peer, monotime now, struct tcp_input input);

/*
 * When to judge again, later than `now`. `hurry`: answers are to be confirmed
 * as soon as can be.
 */
NONNULL_ALL monotime peer_next_look(const struct peer *peer, monotime now,
                                    bool hurry);

/* The answer with this position was sent. */
NONNULL_ALL void peer_sent(struct peer *peer, uint64_t position, monotime now);

/* Whether a Ping has to go out now; `hurry` says not to wait for its time. */
NONNULL_ALL bool peer_ping_due(const struct peer *peer, monotime now,
                               bool hurry);

/*
 * Whether a Ping is to go out behind what is sent now, before its time: it
 * confirms many answers, whose memory is used again while it is warm.
 */
NONNULL_ALL bool peer_ping_pays(const struct peer *peer);

/*
 * Writes the payload of the Ping that now goes out: the numbers of connection
 * and position as text. Gives its length in bytes.
 */
NONNULL_ALL size_t peer_write_ping(struct peer *peer, monotime now,
                                   char payload[PEER_PING_PAYLOAD_SIZE]);

/* That Ping is in the first `written` bytes of the connection. */
NONNULL_ALL void peer_pinged(struct peer *peer, uint64_t written);

/* A Pong came; one that answers no Ping of this connection changes nothing. */
NONNULL_ALL void peer_ponged(struct peer *peer, struct span payload,
                             monotime now);

/*
 * Tells how far TCP is; the answers up to the position `given` have been given
 * to the kernel as a whole. `confirms`: it is time to take that for a receipt.
 * Only an upstream that never ponged is confirmed by that, but one that reads
 * slowly shows so that it reads.
 */
NONNULL_ALL void peer_tcp(struct peer *peer, struct tcp_bytes bytes,
                          uint64_t given, bool confirms, monotime now);

/*
 * Whether this connection has shown that it works both ways, by a Pong. Of a
 * peer that never ponged it is not asked for.
 */
static inline bool peer_is_proved(const struct peer *peer) {
    return peer->ponged || !peer->ever_ponged;
}

/*
 * Whether it is proved, or was given a second for it; if not, a Ping is due.
 */
MUST_CHECK NONNULL_ALL bool peer_has_proved(struct peer *peer, monotime now);

/*
 * Up to which position a peer that has not ponged on this connection has let
 * pass what was sent, as far as TCP can tell: it has acknowledged it, and time
 * enough has gone by to refuse it. That confirms nothing.
 */
MUST_CHECK NONNULL_ALL uint64_t peer_settled(struct peer *peer, monotime now);

/* What was let pass is confirmed by that, where TCP has to do. */
NONNULL_ALL void peer_confirm_settled(struct peer *peer, monotime now);

/* The word that the status has for how answers are confirmed. */
NONNULL_ALL const char *peer_receipts_name(const struct peer *peer);

/* Whether something is sent and not confirmed. */
static inline bool peer_owes_receipts(const struct peer *peer) {
    return peer->sent > peer->confirmed;
}

#endif
