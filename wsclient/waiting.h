/*
 * Messages that wait for rates, by the question that they wait for: the first
 * one opens it, the others join. Pure bookkeeping.
 */
#ifndef FXWIRE_WSCLIENT_WAITING_H
#define FXWIRE_WSCLIENT_WAITING_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/rates/rates.h"
#include "wsclient/ledger.h"

/* An open question: a day's rates, with a currency in them or with any. */
struct question {
    TAILQ_ENTRY(question) entry;
    day when;
    char currency[RATES_CODE_LEN];
    size_t currency_len;           /* 0: any */
    bool asked;                    /* ratefetcher has it */
    struct message_queue messages; /* longest wait first; never empty */
};

TAILQ_HEAD(waiting, question); /* in the order in which they were opened */

static inline struct span question_currency(const struct question *question) {
    return (struct span){question->currency, question->currency_len};
}

/*
 * Adds a message, by the start of its wait, to those that wait for this
 * question; gives the question, lent, which may be a new one.
 */
struct question *waiting_join(struct waiting *waiting, day when,
                              struct span currency, struct message *message);

/*
 * Closes the question and gives those that waited for it; none, if it is not
 * open. `messages` is overwritten.
 */
void waiting_take(struct waiting *waiting, day when, struct span currency,
                  struct message_queue *messages);

/*
 * Takes a message out that has waited since `since` or longer, and closes its
 * question if nobody else waits for it. NULL: there is none.
 */
struct message *waiting_take_late(struct waiting *waiting,
                                  monotime since) MUST_CHECK;

/* Since when the message waits that waits longest; false: none waits. */
bool waiting_oldest(const struct waiting *waiting, monotime *since) MUST_CHECK;

/* Closes all questions. The messages are the ledger's. */
void waiting_clear(struct waiting *waiting);

#endif
