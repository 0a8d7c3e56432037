#include "common/lines/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/memory.h"

enum { FIRST_BUFFER_BYTES = 4096 };

void channel_init(struct channel *channel, int fd) {
    *channel = (struct channel){.fd = fd};
}

void channel_clear(struct channel *channel) {
    if (channel->fd >= 0)
        close(channel->fd);
    free(channel->in);
    free(channel->out);
    *channel = (struct channel){.fd = -1};
}

/* Makes room behind in_end; false if a line fills all that is allowed. */
static bool make_room(struct channel *c) {
    if (c->in_start > 0) {
        memmove(c->in, c->in + c->in_start, c->in_end - c->in_start);
        c->in_end -= c->in_start;
        c->in_start = 0;
    }
    if (c->in_end < c->in_size)
        return true;
    if (c->in_size > CHANNEL_MAX_LINE_BYTES)
        return false;
    /* One byte above the limit, for the end of the longest line. */
    size_t size = c->in_size == 0 ? FIRST_BUFFER_BYTES : c->in_size * 2;
    if (size > CHANNEL_MAX_LINE_BYTES)
        size = CHANNEL_MAX_LINE_BYTES + 1;
    c->in = memory_resize(c->in, size);
    c->in_size = size;
    return true;
}

enum channel_status channel_read(struct channel *channel) {
    if (!make_room(channel))
        return CHANNEL_BROKEN;
    ssize_t n;
    do
        n = recv(channel->fd, channel->in + channel->in_end,
                 channel->in_size - channel->in_end, 0);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return CHANNEL_CLOSED;
    if (n < 0)
        return errno == EAGAIN ? CHANNEL_IDLE : CHANNEL_BROKEN;
    channel->in_end += (size_t)n;
    return CHANNEL_LINES;
}

bool channel_next_line(struct channel *channel, struct span *line) {
    size_t len = channel->in_end - channel->in_start;
    if (len == 0)
        return false;
    char *start = channel->in + channel->in_start;
    char *end = memchr(start, '\n', len);
    if (end == NULL)
        return false;
    *line = (struct span){start, (size_t)(end - start)};
    channel->in_start += line->len + 1;
    return true;
}

int channel_flush(struct channel *channel) {
    if (channel->out_len == 0)
        return 0;
    size_t sent = 0;
    while (sent < channel->out_len) {
        ssize_t n = send(channel->fd, channel->out + sent,
                         channel->out_len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return -1;
        if (n < 0)
            break;
        sent += (size_t)n;
    }
    channel->out_len -= sent;
    memmove(channel->out, channel->out + sent, channel->out_len);
    return 0;
}

int channel_write(struct channel *channel, struct span line) {
    size_t needed = channel->out_len + line.len + 1;
    if (needed > CHANNEL_MAX_QUEUE_BYTES)
        return -1;
    if (needed > channel->out_size) {
        channel->out_size = needed * 2;
        channel->out = memory_resize(channel->out, channel->out_size);
    }
    memcpy(channel->out + channel->out_len, line.data, line.len);
    channel->out[needed - 1] = '\n';
    channel->out_len = needed;
    return channel_flush(channel);
}
