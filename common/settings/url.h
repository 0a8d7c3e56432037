/*
 * Addresses as they stand in the settings, strictly read: scheme, user-info,
 * host, port, path and query. Only what is said of one may be logged as its
 * label, which leaves out user-info and query.
 */
#ifndef FXWIRE_COMMON_SETTINGS_URL_H
#define FXWIRE_COMMON_SETTINGS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/span.h"

enum { URL_MAX_BYTES = 8192 };

/* Slices of the text that was parsed. */
struct url {
    struct span scheme;
    struct span user_info; /* before the @; empty: none */
    struct span host;      /* without the brackets of an IPv6 address */
    uint16_t port;         /* 0: none given */
    struct span path;      /* with its /, or empty */
    struct span query;     /* without its ?, or empty */
};

/*
 * Reads an absolute address. False: no scheme or host, a port out of range, a
 * fragment, characters that need escaping, more than URL_MAX_BYTES.
 */
MUST_CHECK bool url_parse(struct span text, struct url *out) NONNULL_ALL;

/*
 * Why url_parse() refuses this text, for people, without showing anything of it
 * but a character to be escaped. NULL: it does not. The caller frees it.
 */
MUST_CHECK char *url_complaint(struct span text);

/*
 * Reads `host[:port]`, with brackets around an IPv6 address, into these two.
 * Gives why it is none, as a constant for people, or NULL.
 */
MUST_CHECK const char *url_take_host(struct span text, struct url *out)
    NONNULL(2);

/*
 * Which character of it must be written otherwise, and how, for people. The
 * caller frees it.
 */
MUST_CHECK char *url_must_be_escaped(struct span text,
                                     const char *character) NONNULL_ALL;

/*
 * The label `host:port/path` of an address; `default_port` where it names
 * none. The caller frees it.
 */
MUST_CHECK char *url_label(const struct url *url,
                           uint16_t default_port) NONNULL_ALL;

/*
 * What tells the server of this address, and who asks it, from others, as one
 * text: `user@scheme://host:port/path?query`, without the password, the host in
 * lower case, the default port and path filled in. The caller wipes it,
 * for the query is a secret.
 */
MUST_CHECK char *url_identity(const struct url *url) NONNULL_ALL;

/*
 * RFC 3986, 3.1: the case of a scheme means nothing. Brings that of each
 * address in `list`, separated by blanks, to lower case, in place.
 */
void url_lower_schemes(char *list) NONNULL_ALL;

/* 80 for ws and http, 443 for wss and https, else 0. */
uint16_t url_default_port(const struct url *url) NONNULL_ALL;

/* The text with its %XX escapes resolved; the caller frees it. */
MUST_CHECK char *url_unescape(struct span text);

#endif
