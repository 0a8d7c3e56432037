/* REDIS_URL taken apart. Pure. */
#ifndef FXWIRE_RATEFETCHER_REDIS_ADDRESS_H
#define FXWIRE_RATEFETCHER_REDIS_ADDRESS_H

#include <stdint.h>

struct redis_address {
    char *path; /* of a Unix socket; NULL: host and port */
    char *host;
    uint16_t port;
    char *user;     /* NULL: none */
    char *password; /* NULL: none */
    char *database; /* its number; NULL: the first one */
    char *label;    /* `host:port` or the path, for logs */
};

/*
 * Reads a REDIS_URL that the settings have found to be good:
 * redis://[user:password@]host[:port][/db] or unix:///path?db=n, with %XX
 * escapes. A user-info without a colon is a password.
 */
void redis_address_read(const char *url, struct redis_address *out);

/* Frees what the address has, its password wiped. */
void redis_address_clear(struct redis_address *address);

#endif
