/*
 * Name look-ups off libwebsockets' loop, and what was known before.
 */
#ifndef FXWIRE_WSCLIENT_RESOLVER_H
#define FXWIRE_WSCLIENT_RESOLVER_H

#include <libwebsockets.h>

#include "common/resolve.h"

struct resolver;

/* Looks up `host` (copied), which may be a numeric address itself. */
struct resolver *resolver_new(struct lws_context *context, const char *host);

/* A look-up that still runs is left to itself. */
void resolver_free(struct resolver **resolver);

/*
 * Looks the name up and calls `done` from the loop, unless resolver_cancel()
 * comes first: with the addresses, lent, or with none and the reason. A result
 * that came after a cancel is given to the next who asks; when a look-up
 * fails, the addresses of the last good one serve.
 */
void resolver_ask(struct resolver *resolver,
                  void (*done)(void *arg, const struct addresses *addresses,
                               const char *why),
                  void *arg);
void resolver_cancel(struct resolver *resolver);

#endif
