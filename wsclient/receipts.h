/*
 * How the peer confirms answers: by the Pong to a Ping that followed them
 * (RFC 6455, 5.5.3), or, where it never answers Pings, by TCP's
 * acknowledgement. Answers are counted by their position in the order of
 * sending. Pure.
 */
#ifndef FXWIRE_WSCLIENT_RECEIPTS_H
#define FXWIRE_WSCLIENT_RECEIPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/span.h"

/* A Ping follows an answer so soon, and follows an unanswered one. */
#define RECEIPTS_PING_USEC (250 * USEC_PER_MSEC)
/* Without any progress for so long the connection is given up. */
#define RECEIPTS_STALLED_USEC (10 * USEC_PER_SEC)

enum {
    RECEIPTS_PAYLOAD_SIZE = 48, /* of a Ping, with its NUL */
    RECEIPTS_PINGS_FOR_TCP = 3  /* unanswered ones before TCP is trusted */
};

enum receipts_kind { RECEIPTS_BY_PONG, RECEIPTS_BY_TCP };

/* Bytes of the connection, counted from some start. */
struct tcp_bytes {
    uint64_t written; /* what the kernel has been given */
    uint64_t acknowledged;
};

struct receipts {
    /* Of the upstream, whatever becomes of connections. */
    enum receipts_kind kind;
    bool ever_ponged;
    /* Of this connection. */
    unsigned connection;
    uint64_t sent, confirmed; /* positions */
    monotime progress;        /* or since when something is unconfirmed */
    uint64_t pinged;          /* position that the last Ping stands for */
    unsigned unanswered;      /* Pings since the last Pong */
    monotime first_unanswered, last_ping, next_ping;
    bool ping_planned;
    uint64_t marked; /* all up to this position is in mark_bytes; 0: none */
    uint64_t mark_bytes;
    uint64_t acknowledged; /* position, by TCP */
    monotime acknowledged_at;
    uint64_t acked_bytes; /* of the connection, as last seen */
    uint64_t ping_bytes;  /* the first unanswered Ping is in them */
    monotime moved;       /* when more was acknowledged of what is before it */
};

/* The word that the status has for it. */
const char *receipts_name(enum receipts_kind kind);

/* A new connection, with a number of its own, stands. */
void receipts_begin(struct receipts *receipts, unsigned connection);

/* The answer with this position was sent. */
void receipts_sent(struct receipts *receipts, uint64_t position, monotime now);

/* Whether a Ping has to go out now; `hurry` says not to wait for the time. */
bool receipts_ping_due(const struct receipts *receipts, monotime now,
                       bool hurry);

/*
 * Writes the payload of the Ping that now goes out: the numbers of connection
 * and position as text. Gives its length.
 */
size_t receipts_write_ping(struct receipts *receipts, monotime now,
                           char payload[RECEIPTS_PAYLOAD_SIZE]);

/* That Ping is in the first `written` bytes of the connection. */
void receipts_pinged(struct receipts *receipts, uint64_t written);

/* A Pong came; one that answers no Ping of this connection changes nothing. */
void receipts_pong(struct receipts *receipts, struct span payload,
                   monotime now);

/*
 * Tells how far TCP is; the answers up to the position `given` have been given
 * to the kernel as a whole. Only an upstream that never ponged is confirmed by
 * that, but one that reads slowly shows so that it reads.
 */
void receipts_tcp(struct receipts *receipts, struct tcp_bytes bytes,
                  uint64_t given, monotime now);

/*
 * Whether the connection has to be given up. `beat` is when the last heartbeat
 * came: one that beats but does not pong is confirmed by TCP from then on.
 */
bool receipts_stalled(struct receipts *receipts, monotime beat, monotime now);

/* Whether something is sent and not confirmed. */
static inline bool receipts_open(const struct receipts *receipts) {
    return receipts->sent > receipts->confirmed;
}

#endif
