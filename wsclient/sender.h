/* Text frames out on a WebSocket connection. */
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
 * Sends one frame; only from the writeable callback, and not while
 * lws_partial_buffered(). The text is copied, for sending masks it. False: the
 * connection broke.
 */
bool sender_send(struct sender *sender, struct lws *wsi, struct span text);

/* Between on and off, frames go out together (TCP_CORK). */
void sender_cork(struct lws *wsi, bool on);

#endif
