#include "reply.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    REPLY_TURN_USEC = 100000,
    REPLY_TURNS = 10, /* a second */
    REPLY_HOLD_SECONDS = 60,
    REPLY_LENGTH = 24
};

/* An answer that takes its time; the connection may end before it does. */
struct reply {
    struct evhttp_request *request;
    struct evbuffer *rest;
    struct event *timer;
    size_t turn; /* bytes */
};

static void reply_free(struct reply *r) {
    event_free(r->timer);
    evbuffer_free(r->rest);
    free(r);
}

static void reply_gone(struct evhttp_connection *connection, void *arg) {
    (void)connection;
    reply_free(arg);
}

/* Ends the connection in a way that its owner notices by itself. */
static void reply_hang_up(struct evhttp_connection *connection, void *arg) {
    (void)arg;
    struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);
    shutdown(bufferevent_getfd(bev), SHUT_RDWR);
}

static void reply_finish(struct reply *r, bool hang_up) {
    struct evhttp_request *request = r->request;
    struct evhttp_connection *connection =
        evhttp_request_get_connection(request);
    evhttp_connection_set_closecb(connection, NULL, NULL);
    reply_free(r);
    if (hang_up)
        reply_hang_up(connection, NULL);
    evhttp_send_reply_end(request);
}

static void reply_turn(evutil_socket_t fd, short what, void *arg) {
    static const struct timeval turn = {.tv_usec = REPLY_TURN_USEC};
    struct reply *r = arg;
    (void)fd;
    (void)what;
    if (evbuffer_get_length(r->rest) == 0) {
        reply_finish(r, r->turn == 0);
        return;
    }
    struct evbuffer *piece = evbuffer_new();
    evbuffer_remove_buffer(r->rest, piece, r->turn);
    event_add(r->timer, &turn);
    evhttp_send_reply_chunk(r->request, piece);
    evbuffer_free(piece);
}

/* Goes on later; with an empty `body` nothing more comes but the end. */
static void reply_later(struct evhttp_request *request, struct evbuffer *body,
                        size_t turn, struct timeval first) {
    struct evhttp_connection *connection =
        evhttp_request_get_connection(request);
    struct reply *r = calloc(1, sizeof *r);
    if (!r) {
        perror(program_invocation_short_name);
        exit(70);
    }
    r->request = request;
    r->rest = evbuffer_new();
    r->turn = turn;
    if (turn > 0)
        evbuffer_add_buffer(r->rest, body);
    r->timer =
        event_new(evhttp_connection_get_base(connection), -1, 0, reply_turn, r);
    evhttp_connection_set_closecb(connection, reply_gone, r);
    event_add(r->timer, &first);
}

static void reply_half(struct evhttp_request *request, struct evbuffer *body) {
    struct evbuffer *half = evbuffer_new();
    evbuffer_remove_buffer(body, half, evbuffer_get_length(body) / 2);
    evhttp_send_reply_chunk_with_cb(request, half, reply_hang_up, NULL);
    evbuffer_free(half);
}

void reply_send(struct evhttp_request *request, int status,
                struct evbuffer *body, enum reply_way way, double speed) {
    static const struct timeval hold = {.tv_sec = REPLY_HOLD_SECONDS};
    static const struct timeval now = {0};
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    char length[REPLY_LENGTH];
    if (way == REPLY_WHOLE) {
        evhttp_send_reply(request, status, NULL, body);
        return;
    }
    if (way == REPLY_NOTHING) {
        reply_later(request, body, 0, hold);
        return;
    }
    snprintf(length, sizeof length, "%zu", evbuffer_get_length(body));
    evhttp_add_header(headers, "Content-Length", length);
    evhttp_send_reply_start(request, status, NULL);
    if (way == REPLY_HALF)
        reply_half(request, body);
    else
        reply_later(request, body, (size_t)(speed / REPLY_TURNS), now);
}
