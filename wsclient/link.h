/*
 * What goes over a connection that stands: messages in, answers out, and both
 * ways the heartbeats and receipts by which the peer is judged. Making the
 * connection, closing it and making it again are session's.
 */
#ifndef FXWIRE_WSCLIENT_LINK_H
#define FXWIRE_WSCLIENT_LINK_H

#include <libwebsockets.h>

#include "common/settings.h"
#include "wsclient/doubt.h"
#include "wsclient/heartbeat.h"
#include "wsclient/inbox.h"
#include "wsclient/pipeline.h"
#include "wsclient/reason.h"
#include "wsclient/receipts.h"
#include "wsclient/sender.h"

/* Close codes of RFC 6455, 7.4.1. */
enum close_code {
    CLOSE_NONE = 0,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_NOT_TEXT = 1003,
    CLOSE_NOT_UTF8 = 1007,
    CLOSE_TOO_BIG = 1009,
};

struct link {
    struct lws_context *context;
    struct lws *wsi; /* NULL: there is no connection */
    struct pipeline *pipeline;
    struct heartbeat heartbeat;
    bool beat_due;
    struct receipts receipts;
    struct doubt doubt;  /* of the receipts */
    uint64_t read_bytes; /* of messages, so far */
    struct inbox inbox;
    struct sender sender;
    bool stopping;
    lws_sorted_usec_list_t beat;
    lws_sorted_usec_list_t receipt;
    /* The peer is to be left at once. */
    void (*lost)(void *arg, enum reason reason, const char *detail);
    void *arg;
};

/* Callbacks are set by the caller. */
void link_init(struct link *link, const struct settings *settings);
void link_clear(struct link *link);

/* The connection stands; `wsi` is lent until link_close(). */
void link_open(struct link *link, struct lws *wsi, monotime now);

/* Nothing more goes over it; timers stop. What is unconfirmed is kept. */
void link_close(struct link *link);

/*
 * A piece of a frame came. CLOSE_NONE, or the code with which the connection
 * has to be closed.
 */
enum close_code link_receive(struct link *link, struct span piece);

/* The payload of a Pong came. */
void link_receive_pong(struct link *link, struct span payload);

/* To be called when the socket takes bytes: sends what is ready. False: it
 * broke. */
bool link_send(struct link *link);

/* From now on answers are to be confirmed as soon as can be. */
void link_hurry(struct link *link);

#endif
