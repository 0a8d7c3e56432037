/*
 * What goes over a connection that stands: messages in, answers out, and both
 * ways the heartbeats and receipts by which the peer is judged. It knows no
 * timer and makes no connection; what has to be done about either it returns.
 */
#ifndef FXWIRE_WSCLIENT_TRAFFIC_H
#define FXWIRE_WSCLIENT_TRAFFIC_H

#include <libwebsockets.h>

#include "common/settings/settings.h"
#include "wsclient/inbox.h"
#include "wsclient/peer.h"
#include "wsclient/pipeline.h"

/* Close codes of RFC 6455, 7.4.1. */
enum close_code {
    CLOSE_NONE = 0,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_NOT_TEXT = 1003,
    CLOSE_NOT_UTF8 = 1007,
    CLOSE_TOO_BIG = 1009,
};

/* Why, and how, a connection comes to its end. */
struct ending {
    const char *reason; /* a word: of the log and fxwire_reconnects_total */
    enum metric metric;
    const char *detail;   /* for people, or NULL */
    enum close_code code; /* to close with; NONE: it is dropped at once */
};

struct traffic {
    struct pipeline *pipeline;
    struct peer peer;
    struct inbox inbox;
    uint64_t read_bytes; /* of messages, so far */
    bool beat_due;
    bool hurry;           /* answers are to be confirmed as soon as can be */
    unsigned char *frame; /* LWS_PRE bytes, then one frame's payload */
    size_t frame_size;
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

/* It is over. What is unconfirmed is kept. */
void traffic_end(struct traffic *traffic);

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

/* When to look next; it moves with each Pong and whatever was sent. */
monotime traffic_next_look(const struct traffic *traffic, monotime now);

#endif
