/* What the log is told of a link: that it stands, and how it ended. */
#ifndef FXWIRE_WSCLIENT_LINK_LINK_LOG_H
#define FXWIRE_WSCLIENT_LINK_LINK_LOG_H

#include "wsclient/link/traffic.h"
#include "wsclient/upstream.h"

/* `chosen`: of the subprotocols offered; "": none. `proxy` may be NULL. */
void link_log_connected(const struct upstream *upstream, const char *chosen,
                        const char *proxy) NONNULL(1, 2);

/* As it was asked for. */
void link_log_stopped(const struct upstream *upstream,
                      const struct ending *ending) NONNULL_ALL;

/* A link that stood, or an attempt, after which comes another one. */
void link_log_end(const struct upstream *upstream, bool stood,
                  const struct ending *ending, const char *detail,
                  duration retry_in) NONNULL_ALL;

#endif
