/* What is asked of the socket below a WebSocket connection, past the library.
 */
#ifndef FXWIRE_WSCLIENT_TCP_H
#define FXWIRE_WSCLIENT_TCP_H

#include <libwebsockets.h>
#include <stdbool.h>

#include "wsclient/receipts.h"

/* How many bytes the kernel holds that were not read yet. */
size_t tcp_input_bytes(struct lws *wsi);

/* How many bytes went out and how many were acknowledged; false: not known. */
bool tcp_count(int fd, struct tcp_bytes *bytes);

#endif
