/* REDIS_URL, strictly read: one Redis, its Unix socket, or its Sentinels. */
#ifndef FXWIRE_COMMON_SETTINGS_REDIS_URL_H
#define FXWIRE_COMMON_SETTINGS_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/span.h"

enum {
    REDIS_URL_MAX_HOSTS = 8,
    REDIS_URL_DEFAULT_PORT = 6379,
    REDIS_URL_SENTINEL_PORT = 26379, /* the default of Sentinels */
};

/* Slices of the text that was parsed, with its %XX escapes. */
struct redis_url {
    struct span path; /* of a Unix socket; empty: hosts */
    bool tls;
    struct span user_info; /* before the @; empty: none */
    size_t host_count;     /* 1, or as many as there are Sentinels */
    struct redis_url_host {
        struct span name; /* without the brackets of an IPv6 address */
        uint16_t port;    /* 0: none given */
    } hosts[REDIS_URL_MAX_HOSTS];
    struct span master;   /* what the Sentinels call it; empty: no Sentinels */
    struct span database; /* digits; empty: the first one */
};

/* The forms that are allowed, for people. */
extern const char redis_url_forms[];

/* Reads it; false: it is none. */
MUST_CHECK bool redis_url_parse(struct span text,
                                struct redis_url *out) NONNULL_ALL;

/*
 * Why redis_url_parse() refuses this text, for people, without showing anything
 * of it but a character to be escaped. NULL: it does not. The caller frees it.
 */
MUST_CHECK char *redis_url_complaint(struct span text);

#endif
