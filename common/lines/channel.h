/*
 * A non-blocking stream socket that carries lines: a line reader and a write
 * queue, both bounded. It knows no event loop; its owner watches channel.fd
 * for reading, and for writing while channel_has_output().
 */
#ifndef FXWIRE_COMMON_LINES_CHANNEL_H
#define FXWIRE_COMMON_LINES_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/span.h"

enum {
    CHANNEL_MAX_LINE_BYTES = 256 * 1024,
    CHANNEL_MAX_QUEUE_BYTES = 1024 * 1024,
};

struct channel {
    int fd; /* -1: closed */
    char *in;
    size_t in_start, in_end, in_size;
    char *out;
    size_t out_len, out_size;
};

enum channel_status {
    CHANNEL_IDLE,   /* nothing more to read for now */
    CHANNEL_LINES,  /* bytes came: ask channel_next_line() */
    CHANNEL_CLOSED, /* the peer is gone */
    CHANNEL_BROKEN  /* an error, or a line over CHANNEL_MAX_LINE_BYTES */
};

/* Takes over `fd`, a non-blocking socket. */
void channel_init(struct channel *channel, int fd);

/* Closes the socket and releases the buffers. */
void channel_clear(struct channel *channel);

/* Reads once. After CHANNEL_LINES there may be more to read. */
MUST_CHECK enum channel_status
channel_read(struct channel *channel) NONNULL_ALL;

/*
 * Gives the next whole line without its end; it is lent until the next
 * channel_read(). False: none.
 */
MUST_CHECK bool channel_next_line(struct channel *channel,
                                  struct span *line) NONNULL_ALL;

/*
 * Queues `line` and its end and sends what the socket takes. -1: the peer is
 * gone or does not read (CHANNEL_MAX_QUEUE_BYTES wait); close the channel.
 */
int channel_write(struct channel *channel, struct span line) NONNULL_ALL;

/* Sends what the socket takes; 0 or -1 as channel_write(). */
MUST_CHECK int channel_flush(struct channel *channel) NONNULL_ALL;

static inline bool channel_has_output(const struct channel *channel) {
    return channel->out_len > 0;
}

#endif
