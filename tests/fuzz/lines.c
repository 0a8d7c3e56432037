/*
 * Lines between the processes, as they come over a socket in pieces: a line
 * with the length of a piece, then the bytes. Each line is handed out as it was
 * sent; an object is the same when it is written and read again.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/lines/channel.h"
#include "common/lines/message.h"
#include "common/rates/rates.h"
#include "tests/fuzz/fuzz.h"

static void check_text(struct json_object *message, const char *name,
                       const struct json_object *value) {
    bool is_text = json_object_is_type(value, json_type_string);
    HOLDS((message_text(message, name) != NULL) == is_text, "%s", name);
    bool is_number = json_object_is_type(value, json_type_int) ||
                     json_object_is_type(value, json_type_double);
    HOLDS(is_number || message_number(message, name, -7) == -7, "%s", name);
}

/* Its own kind, and what it has of others. */
static void check_message(struct json_object *message) {
    struct json_object *again = message_parse(message_line(message));
    HOLDS(json_object_equal(message, again), "%.*s",
          SPAN(message_line(message)));
    json_object_put(again);
    json_object_object_foreach (message, name, value)
        check_text(message, name, value);
    enum message_op op = message_op(message);
    struct json_object *kind = message_new(op);
    HOLDS(op == MESSAGE_UNKNOWN || message_op(kind) == op, "%d", op);
    message_add_text(kind, "text", message_text(message, "text"));
    message_add_duration(kind, "in", MILLISECONDS(1500));
    again = message_parse(message_line(kind));
    HOLDS(again != NULL && message_number(again, "in", 0) == 1.5, "%.*s",
          SPAN(message_line(kind)));
    json_object_put(again);
    json_object_put(kind);
}

static void check_line(struct span line) {
    const char *why;
    struct json_object *message = message_parse(line);
    if (message != NULL) {
        check_message(message);
        struct rates *rates = rates_from_message(message, &why);
        rates_release(&rates);
    } else { /* whatever it is, it can be told of */
        char *text = fuzz_string(line);
        message = message_new(MESSAGE_ERROR);
        message_add_text(message, "message", text);
        struct json_object *again = message_parse(message_line(message));
        HOLDS(message_text(again, "message") != NULL, "%s", text);
        HOLDS(!fuzz_is_utf8(span_of(text)) ||
                  strcmp(message_text(again, "message"), text) == 0,
              "%s", text);
        json_object_put(again);
        free(text);
    }
    json_object_put(message);
}

/* Takes what came; each line is the next one of `text`. */
static void take_lines(struct channel *channel, struct span *text) {
    struct span line;
    while (channel_read(channel) == CHANNEL_LINES)
        while (channel_next_line(channel, &line)) {
            struct span right = fuzz_take(text, '\n');
            HOLDS(fuzz_same(line, right), "%.*s", SPAN(line));
            check_line(line);
        }
}

static size_t count_lines(struct span text) {
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    return count;
}

/* However it goes on: it is no line, and the channel is of no use any more. */
static void check_long(struct channel *channel, int to, struct span text) {
    static const char filler[65536];
    enum channel_status status = CHANNEL_LINES;
    struct span line;
    size_t sent = 0;
    if (memchr(text.data, '\n', text.len) != NULL || text.len == 0)
        return;
    HOLDS(send(to, text.data, text.len, 0) == (ssize_t)text.len, "no room");
    while (status == CHANNEL_LINES || status == CHANNEL_IDLE) {
        HOLDS(sent <= 2 * CHANNEL_MAX_LINE_BYTES, "%zu", sent);
        HOLDS(!channel_next_line(channel, &line), "%zu", line.len);
        if (status == CHANNEL_IDLE)
            sent += (size_t)send(to, filler, sizeof filler, 0);
        status = channel_read(channel);
    }
    HOLDS(status == CHANNEL_BROKEN && sent >= CHANNEL_MAX_LINE_BYTES - text.len,
          "%zu", sent);
}

/* What one side writes, the other one reads; then it ends. */
static void check_written(struct channel *from, struct channel *to,
                          struct span text) {
    struct span line, sent = fuzz_take(&text, '\n');
    HOLDS(channel_flush(from) == 0, "%.*s", SPAN(sent));
    HOLDS(channel_write(from, sent) == 0, "%.*s", SPAN(sent));
    HOLDS(channel_read(to) == CHANNEL_LINES && channel_next_line(to, &line) &&
              fuzz_same(line, sent) && !channel_next_line(to, &line),
          "%.*s", SPAN(sent));
    channel_clear(from);
    HOLDS(channel_read(to) != CHANNEL_LINES, "%.*s", SPAN(sent));
    HOLDS(channel_write(to, sent) < 0, "%.*s", SPAN(sent));
}

/* What nobody reads is bounded. */
static void check_flood(struct channel *to, struct span text) {
    size_t written = 0;
    while (channel_write(to, text) == 0) {
        written += text.len + 1;
        HOLDS(written < 4 * CHANNEL_MAX_QUEUE_BYTES, "%zu", written);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    struct span first = fuzz_take(&text, '\n');
    size_t piece = first.len * 16 + 7;
    struct span sent = text, expected = text;
    struct channel channel, peer;
    int fds[2];
    HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0,
          "no socket");
    channel_init(&channel, fds[0]);
    channel_init(&peer, fds[1]);
    if (span_equals(first, "long"))
        check_long(&channel, fds[1], text);
    while (sent.len > 0 && !span_equals(first, "long")) {
        size_t len = sent.len < piece ? sent.len : piece;
        HOLDS(send(fds[1], sent.data, len, 0) == (ssize_t)len, "no room");
        sent = span_from(sent, len);
        take_lines(&channel, &expected);
    }
    if (span_equals(first, "flood"))
        check_flood(&channel, text);
    HOLDS(count_lines(expected) == 0 || span_equals(first, "long"), "%.*s",
          SPAN(expected));
    if (!span_equals(first, "flood"))
        check_written(&channel, &peer, text);
    channel_clear(&channel);
    channel_clear(&peer);
    return 0;
}
