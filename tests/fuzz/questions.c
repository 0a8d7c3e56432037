/*
 * rates.sock, with a look-up that knows all days: at once, later, or not at
 * all. Lines of a client, who then says that he has no more. Each question has
 * one answer, which is JSON; a line that is none ends the connection. A client
 * whose first byte is ! goes without reading.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/lines/message.h"
#include "common/lines/unix_socket.h"
#include "common/log.h"
#include "common/loop.h"
#include "ratefetcher/server.h"
#include "tests/fuzz/fuzz.h"

enum { WAITERS = 4096, OUTPUT_BYTES = 1 << 22, MAX_ROUNDS = 100000 };

struct lookup_waiter {
    lookup_done *done; /* NULL: it waits no more */
    void *arg;
};

static struct event_base *base;
static int listening;
static struct rates *table;
static struct lookup_waiter waiters[WAITERS];
static size_t waiter_count;
static char path[64], folder[64], output[OUTPUT_BYTES];

static void tell(lookup_done *done, void *arg, bool found) {
    const struct lookup_answer answer = {
        .result = found ? LOOKUP_FOUND : LOOKUP_UNAVAILABLE,
        .rates = found ? table : NULL,
        .layer = "memory",
        .fresh = SECONDS(7),
        .retry = SECONDS(found ? 0 : 1),
    };
    done(arg, &answer);
}

/* In the place of ratefetcher/lookup.c. */
struct lookup_waiter *lookup_ask(struct lookup *lookup, day when,
                                 struct span currency, lookup_done *done,
                                 void *arg) {
    (void)lookup;
    HOLDS(rates_day_is_latest(when) || when.number >= DAY_FIRST_RATES.number,
          "%d", when.number);
    HOLDS(currency.len == 0 || rates_is_code(currency), "%.*s", SPAN(currency));
    if (when.number % 3 == 2 && waiter_count < WAITERS) {
        waiters[waiter_count] = (struct lookup_waiter){done, arg};
        return &waiters[waiter_count++];
    }
    tell(done, arg, when.number % 3 == 1);
    return NULL;
}

void lookup_cancel(struct lookup_waiter *waiter) {
    HOLDS(waiter->done != NULL, "it was told, or cancelled");
    waiter->done = NULL;
}

/* At most so many of them. */
static void tell_who_waits(size_t most) {
    for (size_t i = 0; i < waiter_count && most > 0; i++)
        if (waiters[i].done != NULL) {
            lookup_done *done = waiters[i].done;
            waiters[i].done = NULL;
            tell(done, waiters[i].arg, i % 2 == 0);
            most--;
        }
}

static void remove_folder(void) {
    unlink(path);
    rmdir(folder);
}

static void serve(void) {
    strcpy(folder, "/tmp/fxwire-fuzz-XXXXXX");
    HOLDS(mkdtemp(folder) != NULL, "%s", folder);
    snprintf(path, sizeof path, "%s/sock", folder);
    atexit(remove_folder);
    log_open("fuzz", "error", "text", open("/dev/null", O_WRONLY));
    base = loop_new();
    table = rates_new("ecb", "EUR", (day){20252}, 0);
    HOLDS(rates_add(table, span_of("USD"), span_of("1.1512")) == RATES_ADDED,
          "no table");
    signal(SIGPIPE, SIG_IGN);
    listening = unix_socket_listen(path);
    HOLDS(listening >= 0, "%s", path);
}

/* How many answers there are to be. */
static size_t count_answers(struct span text) {
    size_t count = 0;
    bool good = true;
    while (good && memchr(text.data, '\n', text.len) != NULL) {
        struct json_object *message = message_parse(fuzz_take(&text, '\n'));
        good = message != NULL && message_op(message) == MESSAGE_RATES;
        json_object_put(message);
        count++;
    }
    return count;
}

static struct span talk(struct span text, bool reads) {
    size_t len = 0;
    ssize_t n = -1;
    int fd = unix_socket_connect(path);
    HOLDS(fd >= 0, "%s", strerror(errno));
    HOLDS(send(fd, text.data, text.len, 0) == (ssize_t)text.len, "no room");
    if (reads)
        shutdown(fd, SHUT_WR);
    for (int round = 0; n != 0 && (reads || round < 3); round++) {
        HOLDS(round < MAX_ROUNDS, "%zu bytes came", len);
        event_base_loop(base, EVLOOP_NONBLOCK);
        if (reads && round % 4 == 3)
            tell_who_waits(WAITERS);
        if (reads)
            n = recv(fd, output + len, OUTPUT_BYTES - len, MSG_DONTWAIT);
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    for (int round = 0; round < 4; round++) { /* nobody reads these */
        tell_who_waits(1);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    return (struct span){output, len};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size), answers;
    bool reads = !span_begins(text, "!");
    if (base == NULL)
        serve();
    text = span_from(text, reads ? 0 : 1);
    size_t expected = count_answers(text), count = 0;
    struct lookup *none = (struct lookup *)(void *)waiters;
    struct server *server = server_new(base, listening, none);
    answers = talk(text, reads);
    server_free(&server);
    for (; answers.len > 0; count++) {
        struct span line = fuzz_take(&answers, '\n');
        struct json_object *message = message_parse(line);
        HOLDS(message != NULL && message_op(message) != MESSAGE_UNKNOWN, "%.*s",
              SPAN(line));
        json_object_put(message);
    }
    HOLDS(!reads || count == expected, "%zu answers, not %zu", count, expected);
    /* With the client his questions are gone. */
    for (size_t i = 0; i < waiter_count; i++)
        HOLDS(waiters[i].done == NULL, "%zu", i);
    waiter_count = 0;
    return 0;
}
