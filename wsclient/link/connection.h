/*
 * The WebSocket connection to the upstream: made, given up and made again, as
 * long as the process lives. What goes over it is traffic's.
 */
#ifndef FXWIRE_WSCLIENT_LINK_CONNECTION_H
#define FXWIRE_WSCLIENT_LINK_CONNECTION_H

#include <libwebsockets.h>

#include "common/lines/child.h"
#include "common/settings/settings.h"
#include "wsclient/link/breaks.h"
#include "wsclient/pipeline.h"
#include "wsclient/upstream.h"

struct connection;

/*
 * Makes the first attempt from the loop of `context`. All is lent; `child` is
 * told of each change of what the status shows, and of alerts.
 */
struct connection *connection_new(struct lws_context *context,
                                  const struct settings *settings,
                                  const struct upstream *upstream,
                                  struct pipeline *pipeline,
                                  struct metrics *metrics, struct child *child);

/* Before its context is destroyed. */
void connection_free(struct connection **connection);

/* What the library calls back with for the protocol CONTEXT_PROTOCOL. */
int connection_callback(struct connection *connection, struct lws *wsi,
                        enum lws_callback_reasons reason, void *in, size_t len);

/* The pipeline has answers: they are sent when the connection allows. */
void connection_answers_ready(struct connection *connection);

/*
 * Closes with 1001 once nothing is in hand any more, or when `grace` is over;
 * asked a second time, ends at once.
 */
void connection_stop(struct connection *connection, duration grace);

/* The loop begins a turn: what is due is done; see traffic_turn(), too. */
void connection_turn(struct connection *connection, monotime now);

/* Whether what connection_stop() asked for is done. */
bool connection_is_over(const struct connection *connection);

bool connection_is_open(const struct connection *connection);

/* Since the last heartbeat, or since the connect. */
duration connection_heartbeat_age(const struct connection *connection);

/* How the last connection ended, and why attempts failed since; lent. */
const struct breaks *connection_breaks(const struct connection *connection);

/* How answers are confirmed, in a word: "pong" or "tcp". */
const char *connection_receipts(const struct connection *connection);

#endif
