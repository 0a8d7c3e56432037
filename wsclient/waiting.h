/*
 * Messages that wait for rates, by the question that was asked for them: the
 * one who waits first asks, the others join. Pure bookkeeping.
 */
#ifndef FXWIRE_WSCLIENT_WAITING_H
#define FXWIRE_WSCLIENT_WAITING_H

#include <stdbool.h>

#include "common/rates.h"
#include "wsclient/ledger.h"

/* An open question: a day's rates, with a currency in them or with any. */
struct question {
    TAILQ_ENTRY(question) entry;
    day when;
    char currency[RATES_CODE_LEN];
    size_t currency_len;           /* 0: any */
    bool asked;                    /* ratefetcher has it */
    struct message_queue messages; /* oldest first */
};

TAILQ_HEAD(waiting, question); /* oldest first */

static inline struct span question_currency(const struct question *question) {
    return (struct span){question->currency, question->currency_len};
}

/* The open question of that kind, or NULL. */
struct question *waiting_find(struct waiting *waiting, day when,
                              struct span currency);

/* Opens a question. */
struct question *waiting_open(struct waiting *waiting, day when,
                              struct span currency);

/*
 * Adds a message to those that wait, by the start of its wait: one that waited
 * for another question before may be older than the last.
 */
void waiting_join(struct question *question, struct message *message);

/* Closes it; its messages have been taken out of it before. */
void waiting_close(struct waiting *waiting, struct question *question);

/* Since when the message waits that waits longest; false: none waits. */
bool waiting_oldest(const struct waiting *waiting, monotime *since);

#endif
