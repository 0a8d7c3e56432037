/* A channel, and the other end of its socket in the hands of the test. */
#ifndef FXWIRE_TESTS_UNIT_CHANNEL_PAIR_H
#define FXWIRE_TESTS_UNIT_CHANNEL_PAIR_H

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/lines/channel.h"
#include "tests/unit/unit.h"

/*
 * The send() that the channel calls, which can be made to take few bytes at a
 * time, few in all until the limit is lifted, and to be interrupted first.
 */
static size_t most_at_once = SIZE_MAX, most_in_all = SIZE_MAX;
static int interruptions;

ssize_t send(int fd, const void *bytes, size_t len, int flags) {
    if (interruptions > 0 || most_in_all == 0) {
        errno = interruptions > 0 ? EINTR : EAGAIN;
        interruptions -= interruptions > 0;
        return -1;
    }
    len = len < most_at_once ? len : most_at_once;
    len = len < most_in_all ? len : most_in_all;
    ssize_t sent = syscall(SYS_sendto, fd, bytes, len, flags, NULL, 0);
    if (sent > 0 && most_in_all != SIZE_MAX)
        most_in_all -= (size_t)sent;
    return sent;
}

struct pair {
    struct channel channel;
    int peer;
};

static inline void setup(struct pair *p) {
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
                     0);
    channel_init(&p->channel, fds[0]);
    p->peer = fds[1];
}

static inline void teardown(struct pair *p) {
    channel_clear(&p->channel);
    if (p->peer >= 0)
        close(p->peer);
}

static inline void send_all(struct pair *p, const char *bytes, size_t len) {
    assert_int_equal(send(p->peer, bytes, len, 0), len);
}

static inline void close_peer(struct pair *p) {
    close(p->peer);
    p->peer = -1;
}

static inline void expect_status(struct pair *p, enum channel_status wanted) {
    assert_int_equal(channel_read(&p->channel), wanted);
}

static inline void expect_line(struct pair *p, const char *wanted) {
    struct span line;
    if (!channel_next_line(&p->channel, &line))
        fail_msg("no line, not `%s`", wanted);
    if (!span_equals(line, wanted))
        fail_msg("`%.*s`, not `%s`", (int)line.len, line.data, wanted);
}

static inline void expect_no_line(struct pair *p) {
    struct span line;
    assert_false(channel_next_line(&p->channel, &line));
}

/*
 * Sends bytes and reads them as they come; takes lines into *line. The last
 * status other than CHANNEL_LINES.
 */
static inline enum channel_status pump(struct pair *p, const char *bytes,
                                       size_t len, struct span *line,
                                       int *lines) {
    enum channel_status status = CHANNEL_IDLE;
    *lines = 0;
    while (len > 0 || status == CHANNEL_LINES) {
        ssize_t n = len > 0 ? send(p->peer, bytes, len, MSG_NOSIGNAL) : 0;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
        status = channel_read(&p->channel);
        if (status == CHANNEL_CLOSED || status == CHANNEL_BROKEN)
            return status;
        while (channel_next_line(&p->channel, line))
            ++*lines;
    }
    return status;
}

#endif
