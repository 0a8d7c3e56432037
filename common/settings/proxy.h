/*
 * The HTTP proxy that stands between us and our peers, as PROVIDER_PROXY,
 * WS_PROXY, NO_PROXY and the usual variables of the environment name it.
 */
#ifndef FXWIRE_COMMON_SETTINGS_PROXY_H
#define FXWIRE_COMMON_SETTINGS_PROXY_H

#include <stdint.h>

#include "common/attributes.h"
#include "common/settings/settings.h"

struct proxy {
    char *label;     /* host:port, for people */
    char *host;      /* name or address, without brackets */
    char *url;       /* http://user:password@host:port, a secret */
    char *user_info; /* escaped as in the address, a secret; NULL: none */
    uint16_t port;
};

/*
 * The proxy of the setting `which` on the way to `host`; NULL: there is none.
 * The caller frees it by proxy_free().
 */
MUST_CHECK struct proxy *proxy_new(const struct settings *settings,
                                   enum setting which,
                                   struct span host) NONNULL_ALL;

/* NULL is left alone. */
void proxy_free(struct proxy **proxy) NONNULL_ALL;

/* What it means that the proxy refuses by this status, as an end of a line. */
MUST_CHECK const char *proxy_advice(unsigned status);

/* Whether a text is an allowed value; `none` is brought to lower case. */
MUST_CHECK bool proxy_check(char *text) NONNULL_ALL;

/* Why it is not, without showing it; NULL: no more than that. free() it. */
MUST_CHECK char *proxy_complaint(const char *text) NONNULL_ALL;

/*
 * The proxy that the environment has for a peer that is reached by TLS or not,
 * as an address, and the variable that says it, lent; NULL: none. free() it.
 */
MUST_CHECK char *proxy_of_environment(char *const environment[], bool tls,
                                      const char **variable) NONNULL_ALL;

#endif
