/* What libwebsockets leaves out of TLS: why it failed, and IPv6 addresses. */
#ifndef FXWIRE_WSCLIENT_TLS_H
#define FXWIRE_WSCLIENT_TLS_H

#include <libwebsockets.h>
#include <stdbool.h>

/*
 * From now on `said` is told why a handshake of `context` fails, in OpenSSL's
 * words. For the whole process, as OpenSSL's callback has no argument.
 */
void tls_listen(SSL_CTX *context, void (*said)(const char *why));

/*
 * Whether the peer's certificate is for this numeric address. libwebsockets
 * checks names and IPv4 addresses; an IPv6 one it cuts at its first colon.
 */
bool tls_is_for_address(struct lws *wsi, const char *address);

#endif
