/*
 * Answers on their way out: those that are to be sent, and those that were
 * sent on this connection and are not yet confirmed. Pure bookkeeping.
 */
#ifndef FXWIRE_WSCLIENT_OUTBOX_H
#define FXWIRE_WSCLIENT_OUTBOX_H

#include "wsclient/ledger.h"

struct outbox {
    struct message_queue ready; /* in the order in which they are to go */
    struct message_queue sent;  /* in the order in which they went */
    uint64_t position;          /* of the one that was sent last */
};

void outbox_init(struct outbox *outbox);

/* Adds an answered message behind all that is ready. */
void outbox_add(struct outbox *outbox, struct message *message);

/* The next to be sent, or NULL. */
static inline struct message *outbox_next(const struct outbox *outbox) {
    return TAILQ_FIRST(&outbox->ready);
}

static inline bool outbox_has_several(const struct outbox *outbox) {
    const struct message *first = TAILQ_FIRST(&outbox->ready);
    return first != NULL && TAILQ_NEXT(first, entry) != NULL;
}

/* The next one is given up. */
void outbox_drop_next(struct outbox *outbox);

/* The next one was sent; it waits to be confirmed. */
void outbox_sent(struct outbox *outbox);

/*
 * Takes one message that was sent at `position` or before out of it; NULL: no
 * more.
 */
struct message *outbox_take_confirmed(struct outbox *outbox, uint64_t position);

/*
 * The connection broke: what was sent and not confirmed is to be sent again,
 * the oldest message first and all of it before what is answered later.
 * Positions begin anew.
 */
void outbox_return_sent(struct outbox *outbox);

#endif
