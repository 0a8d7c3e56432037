/*
 * control.sock, with a service that does nothing but note what it is asked for.
 * Lines of a client, as in socket.h; one whose first byte is ! goes without
 * reading. Nothing is done that no line asked for, and what is refused is not
 * done.
 */
#include "supervisor/orders.h"
#include "tests/fuzz/socket.h"

enum { DONE_STATUS, DONE_STOP, DONE_RELOAD, DONE_RESTART, DONE_LEVEL, DONE };

static unsigned done[DONE], expected[DONE];
static bool stopping;

static struct json_object *status(void *arg) {
    (void)arg;
    done[DONE_STATUS]++;
    return message_new(MESSAGE_STATUS);
}

static void stop(void *arg) {
    (void)arg;
    done[DONE_STOP]++;
    stopping = true;
}

static bool is_stopping(void *arg) {
    (void)arg;
    return stopping;
}

/* Every second one is refused. */
static char *reload(void *arg) {
    (void)arg;
    HOLDS(!stopping, "%u", done[DONE_RELOAD]);
    return ++done[DONE_RELOAD] % 2 == 0 ? strdup("no such \xff setting") : NULL;
}

static size_t restart(void *arg, const char *helper) {
    (void)arg;
    HOLDS(!stopping && fuzz_is_utf8(span_of(helper)), "%s", helper);
    done[DONE_RESTART]++;
    return strlen(helper) % 3;
}

static void set_log_level(void *arg, enum log_level level) {
    (void)arg;
    HOLDS(level < LOG_LEVELS, "%d", (int)level);
    done[DONE_LEVEL]++;
}

static const struct orders orders = {
    .status = status,
    .stop = stop,
    .is_stopping = is_stopping,
    .reload = reload,
    .restart = restart,
    .set_log_level = set_log_level,
};

static bool is_question(enum message_op op) {
    return op == MESSAGE_STATUS || op == MESSAGE_STOP || op == MESSAGE_RELOAD ||
           op == MESSAGE_RESTART || op == MESSAGE_LOG_LEVEL;
}

static bool is_level(const char *word) {
    static const char *const words[] = {"debug", "info", "warn", "error"};
    for (size_t i = 0; word != NULL && i < sizeof words / sizeof *words; i++)
        if (strcasecmp(word, words[i]) == 0)
            return true;
    return false;
}

/* What a line makes the service do; false: it ends the connection. */
static bool expect(struct span line, bool *stops) {
    struct json_object *message = message_parse(line);
    enum message_op op =
        message != NULL ? message_op(message) : MESSAGE_UNKNOWN;
    expected[DONE_STATUS] += op == MESSAGE_STATUS;
    expected[DONE_STOP] += op == MESSAGE_STOP;
    expected[DONE_RELOAD] += op == MESSAGE_RELOAD && !*stops;
    expected[DONE_RESTART] += op == MESSAGE_RESTART && !*stops &&
                              message_text(message, "helper") != NULL;
    expected[DONE_LEVEL] +=
        op == MESSAGE_LOG_LEVEL && is_level(message_text(message, "level"));
    *stops = *stops || op == MESSAGE_STOP;
    json_object_put(message);
    return is_question(op);
}

static void expect_all(struct span text) {
    bool stops = false;
    memset(expected, 0, sizeof expected);
    while (text.len > 0 && expect(fuzz_take(&text, '\n'), &stops))
        continue;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    bool reads = !span_begins(text, "!");
    if (socket_base == NULL)
        socket_serve();
    text = span_from(text, reads ? 0 : 1);
    memset(done, 0, sizeof done);
    stopping = false;
    struct line_server *server =
        orders_listen(socket_base, socket_listening, &orders);
    size_t count = socket_check_answers(socket_talk(text, reads, NULL));
    line_server_free(&server);
    expect_all(text);
    if (reads) {
        HOLDS(count == socket_count_answers(text, is_question), "%zu answers",
              count);
        for (int i = 0; i < DONE; i++)
            HOLDS(done[i] == expected[i], "%d: %u, not %u", i, done[i],
                  expected[i]);
    } else { /* some of it may be left */
        for (int i = 0; i < DONE; i++)
            HOLDS(done[i] <= expected[i], "%d", i);
    }
    return 0;
}
