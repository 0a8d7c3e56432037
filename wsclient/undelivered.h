/*
 * Answers that are given up, as they are too old or the upstream refuses them:
 * each is told of in the log, counted and alerted.
 */
#ifndef FXWIRE_WSCLIENT_UNDELIVERED_H
#define FXWIRE_WSCLIENT_UNDELIVERED_H

#include "wsclient/audit_trail.h"
#include "wsclient/pipeline.h"

struct undelivered {
    struct ledger *ledger;
    struct metrics *metrics;
    const struct pipeline_ports *ports;
    struct audit_trail *audit; /* NULL: none */
    bool alerted; /* of one that was too old, since it was last cleared */
};

/* Gives up an answer that was too old when it could have been sent. */
NONNULL_ALL void undelivered_expired(struct undelivered *undelivered,
                                     struct message *message);

/*
 * Keeps an answer that the upstream refuses for a person, and gives it up. If
 * it was too long (close code 1009), a short error takes its place, once: the
 * message with that answer is given. NULL: the message is done with.
 */
MUST_CHECK NONNULL_ALL struct message *
undelivered_refused(struct undelivered *undelivered, struct message *message,
                    const struct pipeline_break *end);

#endif
