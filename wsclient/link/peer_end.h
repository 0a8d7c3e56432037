/* How a peer ended a connection, by the state of its socket. */
#ifndef FXWIRE_WSCLIENT_LINK_PEER_END_H
#define FXWIRE_WSCLIENT_LINK_PEER_END_H

#include <libwebsockets.h>

#include "common/attributes.h"

/*
 * How the peer ended the connection without a close frame, lent; NULL: it did
 * not. FIN, or TLS's close_notify, is an end in order. Otherwise it is cut:
 * nothing is left of it in the kernel, whose reason the library has read. That
 * is still in errno, so this is asked first.
 */
MUST_CHECK const char *peer_end_of(struct lws *wsi);

#endif
