/* REDIS_URL taken apart: where Redis is, and who we are there. Pure. */
#ifndef FXWIRE_RATEFETCHER_REDIS_REDIS_ADDRESS_H
#define FXWIRE_RATEFETCHER_REDIS_REDIS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redis_host {
    char *name; /* NULL: not known yet */
    uint16_t port;
};

struct redis_address {
    char *path; /* of a Unix socket; NULL: a host */
    bool tls;
    struct redis_host host; /* with Sentinels the one that they name */
    struct redis_host *sentinels;
    size_t sentinel_count; /* 0: none */
    char *master;          /* what they call it; NULL: no Sentinels */
    char *user;            /* NULL: none */
    char *password;        /* NULL: none */
    char *database;        /* its number; NULL: the first one */
    char *label;           /* for logs: `host:port`, the path, or that of the
                              Sentinels, `host:port,host:port/master` */
};

/* Reads a REDIS_URL that the settings have found to be good. */
void redis_address_read(const char *url, struct redis_address *out);

/* Another host from now on; `name` is copied. */
void redis_address_set_host(struct redis_address *address, const char *name,
                            uint16_t port);

/* Frees what the address has, its password wiped. */
void redis_address_clear(struct redis_address *address);

#endif
