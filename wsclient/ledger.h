/*
 * The ledger of messages in hand: what was received and is not yet answered,
 * and answers that are not yet sent. Bounded; in this version in memory.
 */
#ifndef FXWIRE_WSCLIENT_LEDGER_H
#define FXWIRE_WSCLIENT_LEDGER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/span.h"

struct ledger;

/* A message in hand. The ledger owns it and its bytes. */
struct message {
    TAILQ_ENTRY(message) entry; /* its holder's: one queue at a time */
    uint64_t sequence;          /* in order of arrival, from 1 */
    monotime arrived;
    struct span request;
    struct span answer;  /* empty: not yet answered */
    unsigned connection; /* the number of the one that it came on */
};

TAILQ_HEAD(message_queue, message);

/* With room for `max_bytes`. */
struct ledger *ledger_new(size_t max_bytes);
void ledger_free(struct ledger **ledger);

/*
 * Takes a message in: copies its bytes and sets room aside for its answer,
 * so that answering can not fail. NULL: the ledger is full.
 */
struct message *ledger_take(struct ledger *ledger, struct span request,
                            monotime arrived);

/* Where the answer is to be written: request.len + RESPONSE_GROWTH_BYTES. */
char *ledger_answer_room(struct message *message);

/* The answer is written and `len` bytes long. */
void ledger_answered(struct message *message, size_t len);

/* The message is done with; the caller has taken it out of its queue. */
void ledger_release(struct ledger *ledger, struct message *message);

/* How many messages are in hand. */
size_t ledger_count(const struct ledger *ledger);

#endif
