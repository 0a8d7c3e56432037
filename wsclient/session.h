/*
 * The WebSocket connection to the upstream: made, kept alive by heartbeats,
 * given up and made again. It hands whole messages to the pipeline and sends
 * the answers that the pipeline has ready.
 */
#ifndef FXWIRE_WSCLIENT_SESSION_H
#define FXWIRE_WSCLIENT_SESSION_H

#include <libwebsockets.h>

#include "common/settings.h"
#include "wsclient/pipeline.h"

#define SESSION_PROTOCOL "fxwire-upstream"

struct session;

struct session_ports {
    void (*state_changed)(void *arg); /* connected, or not any more */
    /* A person is needed: what happened, in a word, and a detail. */
    void (*alert)(void *arg, const char *event, const char *detail);
    void (*stopped)(void *arg); /* what session_stop() asked for is done */
    void *arg;
};

/* The callback of the protocol SESSION_PROTOCOL in the context's table. */
int session_callback(struct lws *wsi, enum lws_callback_reasons reason,
                     void *user, void *in, size_t len);

/* `pipeline` and `metrics` are lent. Nothing happens before session_start. */
struct session *session_new(const struct settings *settings,
                            struct metrics *metrics,
                            const struct session_ports *ports);

/* Lets go of all timers and callbacks; to be called while the context lives. */
void session_close(struct session *session);
void session_free(struct session **session);

/* Makes the first attempt to connect. */
void session_start(struct session *session, struct lws_context *context,
                   struct pipeline *pipeline);

/* The pipeline has answers: they are sent when the connection allows. */
void session_answers_ready(struct session *session);

/* Closes with 1001 once nothing is in hand any more, then calls `stopped`. */
void session_stop(struct session *session);

/* Closes with 1001 now, whatever is in hand, then calls `stopped`. */
void session_leave(struct session *session);

/*
 * What the libraries tell of TLS, a line logged or a reason, is kept for the
 * session's own message.
 */
void session_library_said(struct session *session, struct span line);
void session_tls_said(struct session *session, const char *why);

bool session_is_connected(const struct session *session);

/* Microseconds since the last heartbeat, or since the connect. */
int64_t session_heartbeat_age(const struct session *session);

/* How answers are confirmed, in a word: "pong" or "tcp". */
const char *session_receipts(const struct session *session);

/* `host:port/path` of the upstream, and its ledger's file name; lent. */
const char *session_label(const struct session *session);
const char *session_ledger_name(const struct session *session);

#endif
