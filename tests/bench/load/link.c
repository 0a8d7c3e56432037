#include "tests/bench/load/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* So much is received at a time, to see to sending in between. */
enum { LINK_GULP = 1 << 18 };

void link_start(struct link *l, int fd, SSL_CTX *tls) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *l = (struct link){.fd = fd};
    if (!tls)
        return;
    l->ssl = SSL_new(tls);
    if (!l->ssl || SSL_set_fd(l->ssl, fd) != 1)
        l->dead = true;
    else
        SSL_set_accept_state(l->ssl);
}

/* Of what SSL_read() and SSL_write() returned. */
static void link_tls_result(struct link *l, int result) {
    int error = SSL_get_error(l->ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        l->dead = true;
}

/* All that is there: what OpenSSL holds back wakes no epoll. */
static void link_receive_tls(struct link *l) {
    while (!l->dead) {
        char *room = buf_room(&l->in, LINK_GULP);
        int got = SSL_read(l->ssl, room, LINK_GULP);
        if (got <= 0) {
            link_tls_result(l, got);
            return;
        }
        buf_grow(&l->in, (size_t)got);
    }
}

static void link_greet(struct link *l) {
    char reply[WS_REPLY_MAX];
    size_t reply_len;
    long size =
        ws_greet(buf_head(&l->in), buf_len(&l->in), 0, reply, &reply_len);
    if (size == 0)
        return;
    buf_add(&l->out, reply, reply_len);
    l->open = size > 0;
    l->dead = size < 0;
    if (l->open)
        buf_drop(&l->in, (size_t)size);
}

void link_receive(struct link *l) {
    if (l->ssl) {
        link_receive_tls(l);
    } else {
        char *room = buf_room(&l->in, LINK_GULP);
        ssize_t got = recv(l->fd, room, LINK_GULP, 0);
        if (got > 0)
            buf_grow(&l->in, (size_t)got);
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            l->dead = true;
    }
    if (!l->open && buf_len(&l->in) > 0)
        link_greet(l);
}

bool link_next(struct link *l, struct ws_frame *frame) {
    while (l->open && buf_len(&l->in) > 0) {
        long size = ws_parse(buf_head(&l->in), buf_len(&l->in), frame);
        if (size == 0)
            return false;
        if (size < 0 || frame->kind == WS_CLOSE) {
            l->dead = true;
            return false;
        }
        buf_drop(&l->in, (size_t)size);
        if (frame->kind == WS_TEXT)
            return true;
        if (frame->kind == WS_PING)
            link_write(l, WS_PONG, frame->data, frame->len);
    }
    return false;
}

void link_write(struct link *l, enum ws_kind kind, const void *data,
                size_t len) {
    char *room = buf_room(&l->out, WS_HEAD_MAX + len);
    size_t head = ws_head(room, kind, len);
    memcpy(room + head, data, len);
    buf_grow(&l->out, head + len);
}

static size_t link_send(struct link *l) {
    const char *data = buf_head(&l->out);
    size_t len = buf_len(&l->out);
    if (l->ssl) {
        int sent = SSL_write(l->ssl, data, (int)len);
        if (sent <= 0)
            link_tls_result(l, sent);
        return sent > 0 ? (size_t)sent : 0;
    }
    ssize_t sent = send(l->fd, data, len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        l->dead = true;
    return sent > 0 ? (size_t)sent : 0;
}

void link_flush(struct link *l) {
    size_t sent = 1;
    while (!l->dead && sent > 0 && buf_len(&l->out) > 0) {
        sent = link_send(l);
        buf_drop(&l->out, sent);
    }
}

void link_free(struct link *l) {
    SSL_free(l->ssl);
    close(l->fd);
    buf_free(&l->in);
    buf_free(&l->out);
}
