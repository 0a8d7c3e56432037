#include "supervisor/control.h"

#include <errno.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/channel.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/unix_socket.h"

enum { MAX_CONNECTIONS = 32, ACCEPT_RETRY_SECONDS = 1 };

struct control {
    struct event_base *base;
    struct evconnlistener *listener;
    struct event *accept_again;
    control_answer *answer;
    void *arg;
    size_t count;
    LIST_HEAD(, connection) connections;
};

struct connection {
    LIST_ENTRY(connection) entry;
    struct control *control;
    struct channel channel;
    struct event *readable, *writable;
    bool ended; /* nothing more is read; it closes when all is sent */
};

static void free_connection(struct connection *connection) {
    LIST_REMOVE(connection, entry);
    connection->control->count--;
    event_free(connection->readable);
    event_free(connection->writable);
    channel_clear(&connection->channel);
    free(connection);
}

static bool answer_line(struct connection *connection, struct span line) {
    struct control *control = connection->control;
    struct json_object *question = message_parse(line);
    struct json_object *answer =
        control->answer(control->arg, message_op(question), question);
    bool good = answer != NULL;
    if (!good) {
        answer = message_new(MESSAGE_ERROR);
        message_add_text(answer, "code", "bad_line");
        message_add_text(answer, "message",
                         "one JSON object a line, with an op that is known");
    }
    if (channel_write(&connection->channel, message_line(answer)) < 0)
        good = false;
    json_object_put(answer);
    json_object_put(question);
    return good;
}

/* Closes it when all is sent, or waits until it can be. */
static void settle(struct connection *connection) {
    if (channel_has_output(&connection->channel))
        event_add(connection->writable, NULL);
    else if (connection->ended)
        free_connection(connection);
}

static void on_readable(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct connection *connection = arg;
    struct span line;
    switch (channel_read(&connection->channel)) {
    case CHANNEL_IDLE:
        return;
    case CHANNEL_LINES:
        while (!connection->ended &&
               channel_next_line(&connection->channel, &line))
            connection->ended = !answer_line(connection, line);
        break;
    case CHANNEL_CLOSED:
    case CHANNEL_BROKEN:
        connection->ended = true;
        break;
    }
    if (connection->ended)
        event_del(connection->readable);
    settle(connection);
}

static void on_writable(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct connection *connection = arg;
    if (channel_flush(&connection->channel) < 0)
        free_connection(connection);
    else
        settle(connection);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
                      struct sockaddr *address, int len, void *arg) {
    (void)listener, (void)address, (void)len;
    struct control *control = arg;
    if (!unix_socket_peer_allowed(fd) || control->count == MAX_CONNECTIONS) {
        log_warn("peer_refused",
                 LOG_FIELDS(log_text("socket", "control.sock")));
        evutil_closesocket(fd);
        return;
    }
    struct connection *connection = memory_new(sizeof *connection);
    connection->control = control;
    channel_init(&connection->channel, fd);
    connection->readable = event_new(control->base, fd, EV_READ | EV_PERSIST,
                                     on_readable, connection);
    connection->writable =
        event_new(control->base, fd, EV_WRITE, on_writable, connection);
    event_add(connection->readable, NULL);
    LIST_INSERT_HEAD(&control->connections, connection, entry);
    control->count++;
}

/* Without descriptors, trying again at once would only spin. */
static void on_accept_error(struct evconnlistener *listener, void *arg) {
    struct control *control = arg;
    struct timeval later = {.tv_sec = ACCEPT_RETRY_SECONDS};
    log_warn("accept_failed", LOG_FIELDS(log_text("socket", "control.sock"),
                                         log_text("why", strerror(errno))));
    evconnlistener_disable(listener);
    evtimer_add(control->accept_again, &later);
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct control *control = arg;
    evconnlistener_enable(control->listener);
}

struct control *control_new(struct event_base *base, int fd,
                            control_answer *answer, void *arg) {
    struct control *control = memory_new(sizeof *control);
    control->base = base;
    control->answer = answer;
    control->arg = arg;
    LIST_INIT(&control->connections);
    control->listener = evconnlistener_new(
        base, on_accept, control, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
        0, fd);
    control->accept_again = evtimer_new(base, on_accept_again, control);
    evconnlistener_set_error_cb(control->listener, on_accept_error);
    return control;
}

void control_free(struct control **control) {
    struct control *c = *control;
    *control = NULL;
    struct connection *connection;
    while ((connection = LIST_FIRST(&c->connections)) != NULL)
        free_connection(connection);
    evconnlistener_free(c->listener);
    event_free(c->accept_again);
    free(c);
}
