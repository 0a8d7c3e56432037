#include "common/lines/line_server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/lines/channel.h"
#include "common/lines/unix_socket.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"

enum {
    /* A client is not read from while so much of its answers waits. */
    MAX_UNREAD_ANSWER_BYTES = 1024 * 1024,
    /* Nor while so many of its questions are open. */
    MAX_OPEN_QUESTIONS = 1000,
};

#define ACCEPT_RETRY MILLISECONDS(100)

struct line_server {
    struct event_base *base;
    struct line_service with;
    struct evconnlistener *listener;
    struct event *accept_again;
    bool accept_failing; /* said so in the log */
    size_t count;
    LIST_HEAD(, line_client) clients;
};

struct line_client {
    LIST_ENTRY(line_client) entry;
    struct line_server *server;
    struct bufferevent *stream;
    bool input_ended; /* nothing more is read; it goes when all is sent */
    size_t open_questions;
    LIST_HEAD(, line_question) questions;
};

static void forget_question(struct line_question *question) {
    question->client->open_questions--;
    LIST_REMOVE(question, entry);
}

static void free_client(struct line_client *client) {
    struct line_question *question;
    while ((question = LIST_FIRST(&client->questions)) != NULL) {
        forget_question(question);
        question->cancel(question->arg);
    }
    struct line_server *server = client->server;
    LIST_REMOVE(client, entry);
    bufferevent_free(client->stream);
    free(client);
    if (server->count-- == server->with.max_clients)
        evconnlistener_enable(server->listener);
}

static void free_if_done(struct line_client *client) {
    struct evbuffer *out = bufferevent_get_output(client->stream);
    if (client->input_ended && LIST_EMPTY(&client->questions) &&
        evbuffer_get_length(out) == 0)
        free_client(client);
}

void line_server_send(struct line_client *client, struct json_object *answer) {
    struct evbuffer *out = bufferevent_get_output(client->stream);
    struct span line = message_line(answer);
    evbuffer_add(out, line.data, line.len);
    evbuffer_add(out, "\n", 1);
    json_object_put(answer);
    if (evbuffer_get_length(out) > MAX_UNREAD_ANSWER_BYTES)
        bufferevent_disable(client->stream, EV_READ);
}

size_t line_server_unread(const struct line_client *client) {
    return evbuffer_get_length(bufferevent_get_output(client->stream));
}

void line_server_defer(struct line_client *client,
                       struct line_question *question) {
    question->client = client;
    LIST_INSERT_HEAD(&client->questions, question, entry);
    if (++client->open_questions == MAX_OPEN_QUESTIONS)
        bufferevent_disable(client->stream, EV_READ);
}

void line_server_answer(struct line_question *question,
                        struct json_object *answer) {
    line_server_send(question->client, answer);
    forget_question(question);
}

struct json_object *line_server_error(const char *code, const char *text) {
    struct json_object *error = message_new(MESSAGE_ERROR);
    message_add_text(error, "code", code);
    message_add_text(error, "message", text);
    return error;
}

static void refuse_line(struct line_client *client) {
    line_server_send(
        client, line_server_error("bad_line", client->server->with.expected));
    client->input_ended = true;
    bufferevent_disable(client->stream, EV_READ);
}

static void take_line(struct line_client *client, struct span line) {
    const struct line_service *with = &client->server->with;
    struct json_object *message = message_parse(line);
    if (message == NULL ||
        !with->ask(with->arg, client, message_op(message), message))
        refuse_line(client);
    json_object_put(message);
}

static bool is_read(const struct line_client *client) {
    return (bufferevent_get_enabled(client->stream) & EV_READ) != 0;
}

static void on_input(struct bufferevent *stream, void *arg) {
    struct line_client *client = arg;
    struct evbuffer *in = bufferevent_get_input(stream);
    char *text;
    size_t len;
    while (is_read(client) &&
           (text = evbuffer_readln(in, &len, EVBUFFER_EOL_LF)) != NULL) {
        take_line(client, (struct span){text, len});
        free(text);
    }
    if (is_read(client) && evbuffer_get_length(in) > CHANNEL_MAX_LINE_BYTES)
        refuse_line(client);
    free_if_done(client);
}

/* All answers are out: reading goes on where it was put off. */
static void on_drained(struct bufferevent *stream, void *arg) {
    struct line_client *client = arg;
    if (client->input_ended) {
        free_if_done(client);
    } else if (client->open_questions < MAX_OPEN_QUESTIONS) {
        bufferevent_enable(stream, EV_READ);
        on_input(stream, client); /* lines that had come before */
    }
}

/* What stands behind the last line feed is a line, too: its end is that of all.
 */
static void take_rest(struct line_client *client) {
    struct evbuffer *in = bufferevent_get_input(client->stream);
    size_t len = evbuffer_get_length(in);
    if (len > 0 && !client->input_ended)
        take_line(client,
                  (struct span){(const char *)evbuffer_pullup(in, -1), len});
}

static void on_end(struct bufferevent *stream, short what, void *arg) {
    (void)stream;
    struct line_client *client = arg;
    if ((what & BEV_EVENT_EOF) == 0) {
        free_client(client);
        return;
    }
    take_rest(client);
    client->input_ended = true;
    free_if_done(client);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
                      struct sockaddr *address, int len, void *arg) {
    (void)address, (void)len;
    struct line_server *server = arg;
    server->accept_failing = false;
    if (!unix_socket_peer_allowed(fd)) {
        log_warn(EVENT_PEER_REFUSED,
                 LOG_FIELDS(log_text("socket", server->with.socket)));
        close(fd);
        return;
    }
    struct line_client *client = memory_new(sizeof *client);
    client->server = server;
    client->stream =
        bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
    LIST_INIT(&client->questions);
    LIST_INSERT_HEAD(&server->clients, client, entry);
    if (++server->count == server->with.max_clients)
        evconnlistener_disable(listener);
    bufferevent_setcb(client->stream, on_input, on_drained, on_end, client);
    /* One byte above the limit tells that a line is too long. */
    bufferevent_setwatermark(client->stream, EV_READ, 0,
                             CHANNEL_MAX_LINE_BYTES + 1);
    if (bufferevent_enable(client->stream, EV_READ | EV_WRITE) < 0)
        free_client(client);
}

/* Without descriptors, trying again at once would only spin. */
static void on_accept_error(struct evconnlistener *listener, void *arg) {
    struct line_server *server = arg;
    if (!server->accept_failing)
        log_warn(EVENT_ACCEPT_FAILED,
                 LOG_FIELDS(log_text("socket", server->with.socket),
                            log_text("why", strerror(errno))));
    server->accept_failing = true;
    evconnlistener_disable(listener);
    loop_set_timer(server->accept_again, ACCEPT_RETRY);
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct line_server *server = arg;
    if (server->count < server->with.max_clients)
        evconnlistener_enable(server->listener);
}

struct line_server *line_server_new(struct event_base *base, int fd,
                                    const struct line_service *with) {
    evutil_make_socket_nonblocking(fd);
    struct line_server *server = memory_new(sizeof *server);
    *server = (struct line_server){.base = base, .with = *with};
    LIST_INIT(&server->clients);
    server->accept_again = evtimer_new(base, on_accept_again, server);
    server->listener =
        evconnlistener_new(base, on_accept, server,
                           LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
    evconnlistener_set_error_cb(server->listener, on_accept_error);
    if (evconnlistener_enable(server->listener) < 0)
        loop_fail(with->socket);
    return server;
}

/* Sends what the socket still takes: it may be why the service ends. */
static void send_last(struct line_client *client) {
    struct evbuffer *out = bufferevent_get_output(client->stream);
    evbuffer_unfreeze(out, 1);
    (void)evbuffer_write(out, bufferevent_getfd(client->stream));
}

void line_server_free(struct line_server **server) {
    struct line_server *s = *server;
    *server = NULL;
    struct line_client *client;
    while ((client = LIST_FIRST(&s->clients)) != NULL) {
        send_last(client);
        free_client(client);
    }
    evconnlistener_free(s->listener);
    event_free(s->accept_again);
    free(s);
}
