/* A folder for a ledger's file, and what is logged about it. */
#ifndef FXWIRE_TESTS_UNIT_LEDGER_FOLDER_H
#define FXWIRE_TESTS_UNIT_LEDGER_FOLDER_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/log.h"
#include "tests/unit/unit.h"
#include "wsclient/ledger.h"
#include "wsclient/response.h"

struct room {
    char folder[32], path[64], aside[64];
    int told[2]; /* a pipe: the log */
};

static inline int room_open(void **state) {
    static struct room room;
    strcpy(room.folder, "/tmp/fxwire-unit-XXXXXX");
    if (mkdtemp(room.folder) == NULL || pipe2(room.told, O_NONBLOCK) < 0)
        return -1;
    snprintf(room.path, sizeof room.path, "%s/ledger", room.folder);
    snprintf(room.aside, sizeof room.aside, "%s/ledger.aside", room.folder);
    log_open("test", "debug", "text", room.told[1]); /* all lines */
    *state = &room;
    return 0;
}

/* Fails if anything else was left in the folder, or more was logged. */
static inline int room_close(void **state) {
    struct room *room = *state;
    char text[LOG_LINE_BYTES];
    ssize_t len = read(room->told[0], text, sizeof text);
    if (len > 0)
        print_error("also logged: %.*s", (int)len, text);
    close(room->told[0]);
    close(room->told[1]);
    unlink(room->path);
    unlink(room->aside);
    return len > 0 ? -1 : rmdir(room->folder);
}

/* The one line that was logged has to be about `event`; "": there is none. */
static inline void room_expect_told(struct room *room, const char *event) {
    char text[LOG_LINE_BYTES] = "";
    ssize_t len = read(room->told[0], text, sizeof text - 1);
    if (len > 0 && memchr(text, '\n', (size_t)len) != text + len - 1)
        fail_msg("several lines: %s", text);
    if ((len > 0) != (*event != '\0') || strstr(text, event) == NULL)
        fail_msg("logged is \"%s\" and not %s", text, event);
}

static inline bool room_has(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

/* The whole file; gives its length. */
static inline size_t room_read(const char *path, char *bytes, size_t size) {
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t len = read(fd, bytes, size);
    assert_true(len >= 0 && (size_t)len < size);
    close(fd);
    return (size_t)len;
}

static inline void room_write(const char *path, const char *bytes, size_t len) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

static inline struct message *room_take(struct ledger *ledger, const char *text,
                                        int64_t usec) {
    return ledger_take(ledger, span_of(text), (monotime){usec});
}

static inline void room_answer(struct message *message, const char *text) {
    memcpy(ledger_answer_room(message), text, strlen(text));
    ledger_answered(message, strlen(text));
}

/* What an earlier one left, looked at in order. */
struct found {
    struct ledger *ledger;
    struct message_queue queue;
};

static inline void room_find(struct found *found, const char *path,
                             size_t max_bytes, int64_t now_usec) {
    found->ledger = ledger_open(path, max_bytes);
    TAILQ_INIT(&found->queue);
    ledger_found(found->ledger, (monotime){now_usec}, &found->queue);
}

static inline struct message *room_next(struct found *found) {
    struct message *message = TAILQ_FIRST(&found->queue);
    if (message != NULL)
        TAILQ_REMOVE(&found->queue, message, entry);
    return message;
}

/* The next one is this request, answered by that ("": not answered). */
static inline struct message *
room_expect(struct found *found, const char *request, const char *answer) {
    struct message *message = room_next(found);
    if (message == NULL)
        fail_msg("%s is not found", request);
    if (!span_equals(message->request, request) ||
        !span_equals(message->answer, answer))
        fail_msg("%.*s (%.*s) is not %s (%s)", (int)message->request.len,
                 message->request.data, (int)message->answer.len,
                 message->answer.data, request, answer);
    return message;
}

static inline void room_expect_end(struct found *found) {
    assert_null(room_next(found));
}

#endif
