/*
 * What the ledger costs a message: taken, worked on, answered and released, in
 * a file and in the order of a busy link, beside the same copies into blocks of
 * malloc(). Prints nanoseconds and their ratio.
 */
#include "wsclient/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wsclient/response.h"

enum { ROUNDS = 3000000, IN_HAND = 5000, RUNS = 5 };

static const char request[] =
    "{\"type\":\"message\",\"id\":456,\"payload\":{\"marketId\":123456,"
    "\"selectionId\":987654,\"odds\":2.2,\"stake\":253.67,\"currency\":"
    "\"USD\",\"date\":\"2021-05-18T21:32:42.324Z\"}}";

static double run_ledger(const char *path) {
    static struct message *in_hand[IN_HAND];
    struct ledger *ledger = ledger_open(path, 16 << 20);
    struct span text = {request, sizeof request - 1};
    monotime start = clock_monotonic();
    for (size_t i = 0; i < ROUNDS; i++) {
        struct message **slot = &in_hand[i % IN_HAND];
        if (*slot != NULL)
            ledger_release(ledger, *slot);
        *slot = ledger_take(ledger, text, start);
        ledger_work_begins(ledger, *slot);
        memcpy(ledger_answer_room(*slot), request, text.len);
        ledger_answered(*slot, text.len);
        ledger_work_ends(ledger);
    }
    int64_t usec = monotime_between(start, clock_monotonic()).usec;
    for (size_t i = 0; i < IN_HAND; i++)
        ledger_release(ledger, in_hand[i]);
    memset(in_hand, 0, sizeof in_hand);
    ledger_close(&ledger);
    return (double)usec * 1000 / ROUNDS;
}

static double run_malloc(void) {
    static char *in_hand[IN_HAND];
    size_t len = sizeof request - 1;
    monotime start = clock_monotonic();
    for (size_t i = 0; i < ROUNDS; i++) {
        char **slot = &in_hand[i % IN_HAND];
        free(*slot);
        *slot = malloc(2 * len + RESPONSE_GROWTH_BYTES);
        memcpy(*slot, request, len);
        memcpy(*slot + len, request, len);
    }
    int64_t usec = monotime_between(start, clock_monotonic()).usec;
    for (size_t i = 0; i < IN_HAND; i++) {
        free(in_hand[i]);
        in_hand[i] = NULL;
    }
    return (double)usec * 1000 / ROUNDS;
}

int main(int argc, char *argv[]) {
    const char *path = argc > 1 ? argv[1] : "/dev/shm/fxwire-bench-ledger";
    for (int i = 0; i < RUNS; i++) {
        double ledger = run_ledger(path), copies = run_malloc();
        printf("ledger %.0f ns, malloc %.0f ns a message, ratio %.2f\n", ledger,
               copies, ledger / copies);
    }
    return 0;
}
