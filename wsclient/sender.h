/* Frames out on a WebSocket connection. */
#ifndef FXWIRE_WSCLIENT_SENDER_H
#define FXWIRE_WSCLIENT_SENDER_H

#include <libwebsockets.h>
#include <stdbool.h>

#include "common/span.h"

struct sender {
    unsigned char *buffer; /* LWS_PRE bytes, then one frame's payload */
    size_t size;
};

void sender_clear(struct sender *sender);

/*
 * Sends one text frame, or a Ping; only from the writeable callback, and not
 * while lws_partial_buffered(). The payload is copied, for sending masks it.
 * False: the connection broke.
 */
bool sender_text(struct sender *sender, struct lws *wsi, struct span text);
bool sender_ping(struct sender *sender, struct lws *wsi, struct span payload);

/* Between on and off, frames go out together (TCP_CORK). */
void sender_cork(struct lws *wsi, bool on);

#endif
