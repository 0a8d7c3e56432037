/* Streams to Redis: over TCP, a Unix socket, or TLS with its name checked. */
#ifndef FXWIRE_RATEFETCHER_REDIS_REDIS_STREAM_H
#define FXWIRE_RATEFETCHER_REDIS_REDIS_STREAM_H

#include <event2/bufferevent.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"

struct redis_streams;

/*
 * For streams of the loop, with TLS if so wanted: 1.2 or newer, trust from
 * `ca_file` (NULL: the system's). A file that can not be read trusts nobody.
 */
MUST_CHECK struct redis_streams *
redis_streams_new(struct event_base *base, bool tls, const char *ca_file)
    NONNULL(1);
void redis_streams_free(struct redis_streams **streams) NONNULL_ALL;
struct event_base *
redis_streams_base(const struct redis_streams *streams) NONNULL_ALL;

/*
 * One that is not connected yet; with TLS only to who proves to be `host`, a
 * name or an address (NULL, of a Unix socket: without TLS).
 */
MUST_CHECK struct bufferevent *redis_stream_new(struct redis_streams *streams,
                                                const char *host) NONNULL(1);

/* Why it failed, after BEV_EVENT_ERROR; lent, or written to `out`,
 * which has `size` bytes. */
const char *redis_stream_why(struct bufferevent *stream, size_t size,
                             char *out) NONNULL_ALL;

#endif
