#include "peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEER_GULP = 1 << 18 };
#define PEER_GREETING_NS 10000000000u
#define PEER_CLOSING_NS  1000000000u

void peer_start(struct peer *p, int fd, SSL_CTX *tls, uint64_t now_ns) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *p = (struct peer){.stage = PEER_GREETING,
                       .fd = fd,
                       .tls = tls ? tls_accept(tls, fd) : NULL,
                       .deadline_ns = now_ns + PEER_GREETING_NS};
}

void peer_fill(struct peer *p) {
    char *room = buf_room(&p->in, PEER_GULP);
    ssize_t got = p->tls ? tls_recv(p->tls, room, PEER_GULP)
                         : recv(p->fd, room, PEER_GULP, 0);
    if (got > 0) {
        if (!p->deaf)
            buf_grow(&p->in, (size_t)got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        peer_note(p, "%s", got == 0 ? "the client hung up" : strerror(errno));
        p->stage = PEER_DEAD;
    }
}

bool peer_greet(struct peer *p, unsigned refuse, uint64_t now_ns) {
    char reply[WS_REPLY_MAX];
    size_t reply_len;
    if (p->stage != PEER_GREETING)
        return false;
    long size =
        ws_greet(buf_head(&p->in), buf_len(&p->in), refuse, reply, &reply_len);
    if (size == 0)
        return false;
    buf_add(&p->out, reply, reply_len);
    if (size < 0) {
        p->stage = PEER_CLOSING;
        p->deadline_ns = now_ns + PEER_CLOSING_NS;
        p->deaf = true;
        return false;
    }
    buf_drop(&p->in, (size_t)size);
    p->stage = PEER_OPEN;
    p->beat_ns = now_ns;
    p->heard_ns = now_ns;
    return true;
}

static void peer_goodbye(struct peer *p, const struct ws_frame *frame,
                         uint64_t now_ns) {
    enum ws_code code = WS_NORMAL;
    if (frame->len >= 2)
        code = (enum ws_code)((unsigned char)frame->data[0] << 8 |
                              (unsigned char)frame->data[1]);
    peer_note(p, "the client closed by %d", (int)code);
    peer_close(p, code, now_ns);
    p->deaf = true;
    p->last = true;
}

bool peer_next(struct peer *p, uint64_t now_ns, struct ws_frame *frame) {
    while (!p->deaf && (p->stage == PEER_OPEN || p->stage == PEER_CLOSING)) {
        long size = ws_parse(buf_head(&p->in), buf_len(&p->in), frame);
        if (size == 0)
            return false;
        if (size < 0) {
            peer_note(p, "the client's frame is refused by %ld", -size);
            peer_close(p, (enum ws_code) - size, now_ns);
            p->deaf = true;
            return false;
        }
        buf_drop(&p->in, (size_t)size);
        if (frame->kind != WS_CLOSE)
            return true;
        peer_goodbye(p, frame, now_ns);
    }
    return false;
}

void peer_write(struct peer *p, enum ws_kind kind, const void *data,
                size_t len) {
    char *room = buf_room(&p->out, WS_HEAD_MAX + len);
    size_t head = ws_head(room, kind, len);
    if (len > 0)
        memcpy(room + head, data, len);
    buf_grow(&p->out, head + len);
}

static void peer_write_close(struct peer *p, enum ws_code code) {
    char payload[2] = {(char)(code >> 8), (char)code};
    peer_write(p, WS_CLOSE, payload, sizeof payload);
}

void peer_note(struct peer *p, const char *format, ...) {
    va_list arguments;
    if (p->end[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(p->end, sizeof p->end, format, arguments);
    va_end(arguments);
}

void peer_reset(struct peer *p) {
    struct linger none = {.l_onoff = 1};
    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    peer_note(p, "reset");
    p->stage = PEER_DEAD;
}

void peer_close(struct peer *p, enum ws_code code, uint64_t now_ns) {
    if (p->stage == PEER_OPEN)
        peer_write_close(p, code);
    else if (p->stage != PEER_GREETING)
        return;
    p->last = p->stage == PEER_GREETING;
    p->stage = PEER_CLOSING;
    p->deadline_ns = now_ns + PEER_CLOSING_NS;
}

static ssize_t peer_send(struct peer *p, size_t len) {
    if (!p->tls)
        return send(p->fd, buf_head(&p->out), len, MSG_NOSIGNAL);
    len = len < p->owed ? p->owed : len;
    ssize_t sent = tls_send(p->tls, buf_head(&p->out), len);
    p->owed = sent < 0 ? len : 0;
    return sent;
}

void peer_flush(struct peer *p, size_t most, uint64_t now_ns) {
    while (p->stage != PEER_DEAD && buf_len(&p->out) > 0 && most > 0) {
        size_t len = buf_len(&p->out) < most ? buf_len(&p->out) : most;
        ssize_t sent = peer_send(p, len);
        if (sent >= 0) {
            buf_drop(&p->out, (size_t)sent);
            most -= (size_t)sent < most ? (size_t)sent : most;
            p->sent_ns = now_ns;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            peer_note(p, "%s", strerror(errno));
            p->stage = PEER_DEAD;
        }
    }
    if (buf_len(&p->out) > 0)
        return;
    if (p->last)
        p->stage = PEER_DEAD;
    else if (p->deaf && (!p->tls || SSL_shutdown(p->tls) >= 0))
        shutdown(p->fd, SHUT_WR);
}

void peer_free(struct peer *p) {
    SSL_free(p->tls);
    close(p->fd);
    buf_free(&p->in);
    buf_free(&p->out);
    *p = (struct peer){0};
}
