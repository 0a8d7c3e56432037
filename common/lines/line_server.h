/*
 * A server of JSON lines on a Unix-domain stream socket: each line asks, and
 * is answered by one, at once or later. Only this process's user and root are
 * served. A bad line, or one over CHANNEL_MAX_LINE_BYTES, is answered by an
 * error and closes its connection and nothing else. A client that has sent all
 * and closed its side, which ends its last line, still gets its answers; one
 * that does not read them is not read from either.
 */
#ifndef FXWIRE_COMMON_LINES_LINE_SERVER_H
#define FXWIRE_COMMON_LINES_LINE_SERVER_H

#include <event2/event.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "common/attributes.h"
#include "common/lines/message.h"

struct line_server;

/* A connection to it. */
struct line_client;

/* What a server's owner makes of the lines. */
struct line_service {
    const char *socket;   /* its name, for the log; lent for ever */
    const char *expected; /* what a good line is; lent for ever */
    size_t max_clients;   /* further ones wait in the socket's backlog */
    /*
     * A line came with `op`. Answers it by line_server_send(), or keeps it by
     * line_server_defer(). False: it is none of this service.
     */
    bool (*ask)(void *arg, struct line_client *client, enum message_op op,
                const struct json_object *message);
    void *arg;
};

/*
 * A question that is answered later: a part of what the server's owner keeps
 * of it. When the client is gone before, `cancel` is called with `arg`, and
 * line_server_answer() must not be.
 */
struct line_question {
    LIST_ENTRY(line_question) entry;
    struct line_client *client;
    void (*cancel)(void *arg);
    void *arg;
};

/*
 * Serves on the listening socket `fd`, which stays the caller's and must
 * outlive the server. The caller frees the result.
 */
MUST_CHECK struct line_server *line_server_new(struct event_base *base, int fd,
                                               const struct line_service *with)
    NONNULL(1, 3);

/* Closes all connections, with the questions that are open on them. */
void line_server_free(struct line_server **server) NONNULL_ALL;

/* Sends an answer, which it releases. The client stays, whatever happens. */
void line_server_send(struct line_client *client,
                      struct json_object *answer) NONNULL_ALL;

/* How many bytes of answers the client has not read. */
size_t line_server_unread(const struct line_client *client) NONNULL_ALL;

/* Keeps the connection until `question`, with `cancel` and `arg` filled in,
 * is answered. */
void line_server_defer(struct line_client *client,
                       struct line_question *question) NONNULL_ALL;

/* Sends the answer, which it releases, to a question that was deferred. */
void line_server_answer(struct line_question *question,
                        struct json_object *answer) NONNULL_ALL;

/* A new error with its code and a message for people; the caller fills and
 * releases it. */
MUST_CHECK struct json_object *line_server_error(const char *code,
                                                 const char *text) NONNULL_ALL;

#endif
