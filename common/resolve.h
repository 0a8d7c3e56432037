/*
 * A name look-up in a thread, since getaddrinfo() blocks, with a dead DNS
 * server for many seconds. It knows no event loop: its owner watches a
 * descriptor. Where threads are not allowed (old profiles of containers refuse
 * clone3), it blocks.
 */
#ifndef FXWIRE_COMMON_RESOLVE_H
#define FXWIRE_COMMON_RESOLVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"

enum { RESOLVE_MAX_ADDRESSES = 8 };

/* Numeric addresses, in the order in which they are to be tried. */
struct addresses {
    size_t count;
    char text[RESOLVE_MAX_ADDRESSES][INET6_ADDRSTRLEN];
};

struct resolve;

/* Whether `host` is a numeric address itself, which is then entered alone. */
bool resolve_numeric(const char *host, struct addresses *out);

/* Begins to look up `host`, which is copied. NULL: no thread can be started. */
MUST_CHECK struct resolve *resolve_start(const char *host);

/* Readable when the look-up is over. */
int resolve_fd(const struct resolve *resolve);

/*
 * After that: gives the addresses in `*out`, or why there are none as a
 * constant text, and ends it. NULL: there are some.
 */
MUST_CHECK const char *resolve_take(struct resolve **resolve,
                                    struct addresses *out);

/*
 * Leaves a look-up that may still run to itself; its thread and its descriptor
 * go when the system's resolver gives up, which can take half a minute. So who
 * tries again goes on waiting for it rather than abandon it.
 */
void resolve_abandon(struct resolve **resolve);

#endif
