/*
 * rates.sock, with a look-up that knows all days: at once, later, or not at
 * all. Lines of a client, who then says that he has no more. Each question has
 * one answer, which is JSON; a line that is none ends the connection. A client
 * whose first byte is ! goes without reading.
 */
#include "ratefetcher/server.h"
#include "tests/fuzz/socket.h"

enum { WAITERS = 4096 };

struct lookup_waiter {
    lookup_done *done; /* NULL: it waits no more */
    void *arg;
};

static struct rates *table;
static struct lookup_waiter waiters[WAITERS];
static size_t waiter_count;

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

static void make_table(void) {
    socket_serve();
    table = rates_new("ecb", "EUR", (day){20252}, 0);
    HOLDS(rates_add(table, span_of("USD"), span_of("1.1512")) == RATES_ADDED,
          "no table");
}

static bool is_question(enum message_op op) {
    return op == MESSAGE_RATES;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    bool reads = !span_begins(text, "!");
    if (socket_base == NULL)
        make_table();
    text = span_from(text, reads ? 0 : 1);
    size_t expected = socket_count_answers(text, is_question);
    struct lookup *none = (struct lookup *)(void *)waiters;
    struct server *server = server_new(socket_base, socket_listening, none);
    struct span answers = socket_talk(text, reads, tell_who_waits);
    server_free(&server);
    size_t count = socket_check_answers(answers);
    HOLDS(!reads || count == expected, "%zu answers, not %zu", count, expected);
    /* With the client his questions are gone. */
    for (size_t i = 0; i < waiter_count; i++)
        HOLDS(waiters[i].done == NULL, "%zu", i);
    waiter_count = 0;
    return 0;
}
