/* The upstream's address, in the parts that a connection needs. */
#ifndef FXWIRE_WSCLIENT_UPSTREAM_H
#define FXWIRE_WSCLIENT_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/span.h"

struct upstream {
    char *label;         /* host:port/path, for people */
    char *url;           /* the same with its scheme */
    char *host;          /* name or address, without brackets */
    char *host_header;   /* as it is written, with a port that is given */
    char *path;          /* with the query */
    char *ledger_name;   /* of its file of messages in hand */
    char *authorization; /* value of that header; NULL: none. A secret */
    char *protocols; /* subprotocols offered, as in the header; NULL: none */
    char *origin;    /* value of that header; NULL: none */
    uint16_t port;
    bool tls;
    bool ipv6; /* the host is a numeric IPv6 address */
};

/*
 * Reads a ws:// or wss:// address that the settings have checked.
 * `authorization` (may be NULL) goes before the address's user-info, which
 * else is sent as RFC 7617 says (Basic).
 */
void upstream_init(struct upstream *upstream, const char *address,
                   const char *authorization);

/* The header's value for user-info, in base64 (RFC 7617). A secret: wipe it. */
MUST_CHECK char *upstream_basic_authorization(struct span user_info);

/* Whom the upstream is told that it speaks with; both may be NULL, for none. */
void upstream_introduce(struct upstream *upstream, const char *protocols,
                        const char *origin);

void upstream_clear(struct upstream *upstream);

#endif
