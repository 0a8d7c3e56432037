/*
 * What goes over a connection that stands: messages in, answers out, and both
 * ways the heartbeats and receipts by which the peer is judged. It knows no
 * timer and makes no connection; what has to be done about either it returns.
 */
#ifndef FXWIRE_WSCLIENT_LINK_TRAFFIC_H
#define FXWIRE_WSCLIENT_LINK_TRAFFIC_H

#include <libwebsockets.h>

#include "common/settings/settings.h"
#include "wsclient/link/frames.h"
#include "wsclient/link/inbox.h"
#include "wsclient/link/masks.h"
#include "wsclient/link/peer.h"
#include "wsclient/link/peer_close.h"
#include "wsclient/link/pings.h"
#include "wsclient/pipeline.h"

/* Why, and how, a connection comes to its end. */
struct ending {
    const char *reason; /* a word: of the log and fxwire_reconnects_total */
    enum metric metric;
    const char *detail;   /* for people, or NULL */
    enum close_code code; /* to close with; NONE: it is dropped at once */
    bool by_peer;         /* an answer may be why */
};

/* Sending failed; what came before may hold the peer's close frame. */
extern const struct ending traffic_sending_failed;

struct traffic {
    struct pipeline *pipeline;
    struct peer peer;
    struct inbox inbox;
    struct pings pings;
    uint64_t read_bytes; /* of messages, so far */
    struct now now;      /* of this turn of the loop, if it is read */
    bool clocks_are_read;
    bool beat_due;
    unsigned reads_ahead; /* since the last sending */
    bool hurry;           /* answers are to be confirmed as soon as can be */
    struct frames frames; /* that go out next */
    struct masks masks;
    uint64_t given; /* position of what was sent before the last batch */
};

/* `pipeline` is lent. */
void traffic_init(struct traffic *traffic, const struct settings *settings,
                  struct pipeline *pipeline);
void traffic_clear(struct traffic *traffic);

/*
 * The connection `wsi` stands. All that follow take it too, and what gives an
 * ending gives NULL while the connection goes on.
 */
void traffic_begin(struct traffic *traffic, struct lws *wsi, monotime now);

/*
 * It is over, by `ending` and as `detail` says, for people. What is unconfirmed
 * is kept. Gives whether the connection was of use: an answer was confirmed on
 * it, or found to be refused.
 */
MUST_CHECK bool traffic_end(struct traffic *traffic,
                            const struct ending *ending,
                            const struct peer_close *close, const char *detail);

/* The loop begins a turn: what comes in it has come at one moment. */
void traffic_turn(struct traffic *traffic);

/* A piece of a frame came. */
MUST_CHECK const struct ending *
traffic_receive(struct traffic *traffic, struct lws *wsi, struct span piece);

/* The payload of a Pong came. */
void traffic_ponged(struct traffic *traffic, struct lws *wsi,
                    struct span payload);

/* The socket takes bytes: sends what is ready. */
MUST_CHECK const struct ending *traffic_send(struct traffic *traffic,
                                             struct lws *wsi);

/* Judges the peer, and plans what is to be sent now. */
MUST_CHECK const struct ending *traffic_look(struct traffic *traffic,
                                             struct lws *wsi);

/*
 * The connection broke: looks for the peer's close frame in what the library
 * did not read any more.
 */
void traffic_look_for_close(struct lws *wsi, struct peer_close *close);

/*
 * The library leaves the connection at a frame that breaks the protocol,
 * without a word to the peer; `complaint` is its own of the log. Says by a
 * close frame what RFC 6455, 7.1.7, wants said, if the socket takes it at once.
 */
void traffic_fail(struct traffic *traffic, struct lws *wsi,
                  const char *complaint);

/* When to look next; it moves with each Pong and whatever was sent. */
monotime traffic_next_look(const struct traffic *traffic, monotime now);

#endif
