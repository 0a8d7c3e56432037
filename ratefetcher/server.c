#include "ratefetcher/server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/channel.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/message.h"
#include "common/unix_socket.h"
#include "ratefetcher/rates_message.h"

enum {
    MAX_CONNECTIONS = 256,
    /* A connection is not read while so much of its answers waits. */
    MAX_UNREAD_ANSWER_BYTES = 1024 * 1024,
    /* Nor while so many of its questions are open. */
    MAX_OPEN_QUESTIONS = 1000,
    ACCEPT_RETRY_MS = 100,
};

struct server {
    struct event_base *base;
    struct lookup *lookup;
    struct evconnlistener *listener;
    struct event *accept_again;
    bool accept_failing; /* said so in the log */
    size_t count;
    LIST_HEAD(, connection) connections;
};

struct connection {
    LIST_ENTRY(connection) entry;
    struct server *server;
    struct bufferevent *stream;
    bool input_ended;
    size_t open_questions;
    LIST_HEAD(, question) questions;
};

/* A question that waits for its table. */
struct question {
    LIST_ENTRY(question) entry;
    struct connection *connection;
    struct lookup_waiter *waiter;
    day when;
    char currency[RATES_CODE_LEN + 1]; /* "": any */
};

static void free_question(struct question *question) {
    question->connection->open_questions--;
    LIST_REMOVE(question, entry);
    free(question);
}

static void free_connection(struct connection *connection) {
    struct question *question;
    while ((question = LIST_FIRST(&connection->questions)) != NULL) {
        lookup_cancel(question->waiter);
        free_question(question);
    }
    struct server *server = connection->server;
    LIST_REMOVE(connection, entry);
    bufferevent_free(connection->stream);
    free(connection);
    if (server->count-- == MAX_CONNECTIONS)
        evconnlistener_enable(server->listener);
}

static void send_message(struct connection *connection,
                         struct json_object *message) {
    struct evbuffer *out = bufferevent_get_output(connection->stream);
    struct span line = message_line(message);
    evbuffer_add(out, line.data, line.len);
    evbuffer_add(out, "\n", 1);
    json_object_put(message);
    if (evbuffer_get_length(out) > MAX_UNREAD_ANSWER_BYTES)
        bufferevent_disable(connection->stream, EV_READ);
}

static struct json_object *error_message(const char *code, const char *text) {
    struct json_object *message = message_new(MESSAGE_ERROR);
    message_add_text(message, "code", code);
    message_add_text(message, "message", text);
    return message;
}

static struct json_object *found_message(const struct question *question,
                                         const struct lookup_answer *answer) {
    struct json_object *message =
        rates_message_new(question->when, answer->rates, answer->layer,
                          clock_wall_ms() + answer->fresh_usec / USEC_PER_MSEC);
    message_add_duration(message, "expires_in", (duration){answer->fresh_usec});
    if (question->currency[0] != '\0')
        message_add_text(message, "currency", question->currency);
    return message;
}

static struct json_object *missing_message(const struct question *question,
                                           const struct lookup_answer *answer) {
    struct json_object *message =
        answer->result == LOOKUP_NO_CURRENCY
            ? error_message("unknown_currency",
                            "no provider has this currency on this day")
            : error_message("unavailable", "no provider has rates of this day");
    char text[DAY_TEXT_SIZE];
    rates_day_print(question->when, text);
    message_add_text(message, "date", text);
    if (question->currency[0] != '\0')
        message_add_text(message, "currency", question->currency);
    message_add_duration(message, "retry_after",
                         (duration){answer->retry_usec});
    return message;
}

/* Whoever closed his side is let go when he has had all his answers. */
static void free_if_done(struct connection *connection) {
    struct evbuffer *out = bufferevent_get_output(connection->stream);
    if (connection->input_ended && LIST_EMPTY(&connection->questions) &&
        evbuffer_get_length(out) == 0)
        free_connection(connection);
}

static void on_answer(void *arg, const struct lookup_answer *answer) {
    struct question *question = arg;
    send_message(question->connection, answer->result == LOOKUP_FOUND
                                           ? found_message(question, answer)
                                           : missing_message(question, answer));
    free_question(question);
}

/* Reads what is asked; false: no such question can be. */
static bool read_question(const struct json_object *message,
                          struct question *question) {
    const char *date = message_text(message, "date");
    const char *currency = message_text(message, "currency");
    if (date == NULL || !rates_day_parse(span_of(date), &question->when))
        return false;
    if (!rates_day_is_latest(question->when) &&
        (question->when.number < DAY_FIRST_RATES.number ||
         question->when.number > day_of_ms(clock_wall_ms()).number))
        return false;
    if (currency == NULL)
        return !json_object_object_get_ex(message, "currency", NULL);
    if (!rates_is_code(span_of(currency)))
        return false;
    strcpy(question->currency, currency);
    return true;
}

static void ask(struct connection *connection,
                const struct json_object *message) {
    struct question *question = memory_new(sizeof *question);
    question->connection = connection;
    if (!read_question(message, question)) {
        free(question);
        struct json_object *error = error_message(
            "bad_request", "date must be latest or a day from 1999-01-04 to "
                           "today, currency three upper-case letters");
        message_add_text(error, "date", message_text(message, "date"));
        send_message(connection, error);
        return;
    }
    LIST_INSERT_HEAD(&connection->questions, question, entry);
    if (++connection->open_questions == MAX_OPEN_QUESTIONS)
        bufferevent_disable(connection->stream, EV_READ);
    struct lookup_waiter *waiter =
        lookup_ask(connection->server->lookup, question->when,
                   span_of(question->currency), on_answer, question);
    if (waiter != NULL) /* else the question is answered and gone */
        question->waiter = waiter;
}

/* False: a bad line, so that the connection has to be closed. */
static bool read_line(struct connection *connection, struct span line) {
    struct json_object *message = message_parse(line);
    bool good = message_op(message) == MESSAGE_RATES;
    if (good)
        ask(connection, message);
    json_object_put(message);
    return good;
}

static void refuse(struct connection *connection) {
    send_message(connection,
                 error_message("bad_line", "one JSON object a line, with "
                                           "\"op\":\"rates\""));
    connection->input_ended = true;
    bufferevent_disable(connection->stream, EV_READ);
}

static void on_readable(struct bufferevent *stream, void *arg) {
    struct connection *connection = arg;
    struct evbuffer *in = bufferevent_get_input(stream);
    char *text;
    size_t len;
    while (!connection->input_ended &&
           (bufferevent_get_enabled(stream) & EV_READ) != 0 &&
           (text = evbuffer_readln(in, &len, EVBUFFER_EOL_LF)) != NULL) {
        if (!read_line(connection, (struct span){text, len}))
            refuse(connection);
        free(text);
    }
    if (evbuffer_get_length(in) > CHANNEL_MAX_LINE_BYTES &&
        (bufferevent_get_enabled(stream) & EV_READ) != 0)
        refuse(connection);
    free_if_done(connection);
}

static void on_drained(struct bufferevent *stream, void *arg) {
    struct connection *connection = arg;
    if (connection->input_ended) {
        free_if_done(connection);
        return;
    }
    if (connection->open_questions >= MAX_OPEN_QUESTIONS)
        return; /* goes on when their answers are sent */
    bufferevent_enable(stream, EV_READ);
    on_readable(stream, arg); /* lines that were left while it was off */
}

static void on_event(struct bufferevent *stream, short what, void *arg) {
    (void)stream;
    struct connection *connection = arg;
    if ((what & BEV_EVENT_EOF) == 0) {
        free_connection(connection);
        return;
    }
    connection->input_ended = true;
    free_if_done(connection);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
                      struct sockaddr *address, int len, void *arg) {
    (void)address, (void)len;
    struct server *server = arg;
    server->accept_failing = false;
    if (!unix_socket_peer_allowed(fd)) {
        log_warn("peer_refused", LOG_FIELDS(log_text("socket", "rates.sock")));
        evutil_closesocket(fd);
        return;
    }
    struct connection *connection = memory_new(sizeof *connection);
    connection->server = server;
    connection->stream =
        bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
    LIST_INIT(&connection->questions);
    LIST_INSERT_HEAD(&server->connections, connection, entry);
    bufferevent_setcb(connection->stream, on_readable, on_drained, on_event,
                      connection);
    /* One byte above the limit tells that a line is too long. */
    bufferevent_setwatermark(connection->stream, EV_READ, 0,
                             CHANNEL_MAX_LINE_BYTES + 1);
    bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
    if (++server->count == MAX_CONNECTIONS)
        evconnlistener_disable(listener);
}

/* Without descriptors, trying again at once would only spin. */
static void on_accept_error(struct evconnlistener *listener, void *arg) {
    struct server *server = arg;
    struct timeval later = {.tv_usec = ACCEPT_RETRY_MS * 1000};
    if (!server->accept_failing)
        log_warn("accept_failed", LOG_FIELDS(log_text("socket", "rates.sock"),
                                             log_text("why", strerror(errno))));
    server->accept_failing = true;
    evconnlistener_disable(listener);
    evtimer_add(server->accept_again, &later);
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct server *server = arg;
    if (server->count < MAX_CONNECTIONS)
        evconnlistener_enable(server->listener);
}

struct server *server_new(struct event_base *base, int fd,
                          struct lookup *lookup) {
    struct server *server = memory_new(sizeof *server);
    server->base = base;
    server->lookup = lookup;
    LIST_INIT(&server->connections);
    evutil_make_socket_nonblocking(fd);
    server->listener = evconnlistener_new(
        base, on_accept, server, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
        0, fd);
    server->accept_again = evtimer_new(base, on_accept_again, server);
    if (server->listener == NULL) {
        server_free(&server);
        return NULL;
    }
    evconnlistener_set_error_cb(server->listener, on_accept_error);
    return server;
}

void server_free(struct server **server) {
    struct server *s = *server;
    *server = NULL;
    struct connection *connection;
    while ((connection = LIST_FIRST(&s->connections)) != NULL)
        free_connection(connection);
    if (s->listener != NULL)
        evconnlistener_free(s->listener);
    event_free(s->accept_again);
    free(s);
}
