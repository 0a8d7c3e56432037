/*
 * Answers on their way: in which order they go out, what is on the line, what
 * is confirmed. After a break what was sent and not confirmed goes out again in
 * windows, so that one answer that the upstream refuses can be told from its
 * neighbours. One that stood alone on the line at a break is a suspect: the
 * others go first, and if one of them is confirmed and the suspect fails again,
 * it is the one. Pure bookkeeping; the messages are the ledger's.
 */
#ifndef FXWIRE_WSCLIENT_OUTBOX_H
#define FXWIRE_WSCLIENT_OUTBOX_H

#include <stdbool.h>

#include "common/attributes.h"
#include "wsclient/ledger.h"

enum {
    OUTBOX_WINDOW_ANSWERS = 32,
    OUTBOX_WINDOW_BYTES = 65536,
    /* On the line at so many breaks, an answer goes out alone. */
    OUTBOX_BREAKS_TO_GO_ALONE = 2,
    /* Alone at so many more, it is what is refused. */
    OUTBOX_BREAKS_TO_REFUSE = 2
};

/* What may be why a connection ended. */
enum outbox_break {
    OUTBOX_BREAK_OF_OTHERS, /* no answer */
    OUTBOX_BREAK_UNPROVED,  /* an answer, or the link never worked */
    OUTBOX_BREAK_BY_ANSWER  /* an answer, if that was alone on the line */
};

/* Where nothing but suspects is in hand, each has so much time to pass. */
#define OUTBOX_SUSPICION SECONDS(2)

struct outbox {
    struct message_queue backlog;  /* to be sent again, oldest first */
    struct message_queue suspects; /* to be sent again, alone, after others */
    struct message_queue fresh;    /* not sent yet, in the order of answering,
                                      after a break oldest first */
    struct message_queue sent;     /* on this connection, and not confirmed */
    unsigned connection;           /* the number of the present one */
    uint64_t position;             /* of the answer that was sent last on it */
    uint64_t settled;    /* up to this position the peer has let all pass */
    bool resending;      /* what is beyond it on the line was sent before */
    size_t resent_bytes; /* of these */
    bool accompanied;    /* by something that has no position */
    uint64_t confirms;   /* answers that were confirmed, ever */
};

void outbox_init(struct outbox *outbox);

/* An answer to be sent for the first time. */
NONNULL_ALL void outbox_add(struct outbox *outbox, struct message *message);

/* An answer that an earlier process left, and may have sent. */
NONNULL_ALL void outbox_add_found(struct outbox *outbox,
                                  struct message *message);

/* A connection stands; gives it a number, from 1. */
unsigned outbox_connected(struct outbox *outbox);

/*
 * It is over: what was sent and is not confirmed is to be sent again. If an
 * answer is found to be why, that one is taken out and given. NULL: none.
 */
MUST_CHECK struct message *
outbox_disconnected(struct outbox *outbox, enum outbox_break why, monotime now);

/*
 * Takes out one that waits to be sent, is of an earlier connection and arrived
 * at `since` or before. NULL: there is none.
 */
MUST_CHECK struct message *outbox_take_old(struct outbox *outbox,
                                           monotime since);

/* What may be sent now, lent; NULL: nothing, or a window is on the line. */
MUST_CHECK struct message *outbox_next(const struct outbox *outbox);

/* The message that outbox_next() gave has been sent. */
NONNULL_ALL void outbox_sent(struct outbox *outbox, struct message *message);

/* Something else is on the line, too: no break can be laid to one answer. */
void outbox_accompanied(struct outbox *outbox);

/* Takes out the next one that is confirmed by `position`. NULL: none is. */
MUST_CHECK struct message *outbox_take_confirmed(struct outbox *outbox,
                                                 uint64_t position);

/*
 * The peer has let pass what was sent up to `position`, though it does not
 * confirm it: the next window may go out.
 */
void outbox_settled(struct outbox *outbox, uint64_t position);

/*
 * Whether what is on the line has to be confirmed before the next can go out:
 * a window, or whatever is in front of a suspect.
 */
bool outbox_is_resending(const struct outbox *outbox);

/* Whether the next answer will stand alone on the line; the last one does. */
bool outbox_goes_alone(const struct outbox *outbox);
bool outbox_stands_alone(const struct outbox *outbox);

/* Whether an answer waits to be sent. */
bool outbox_has_any(const struct outbox *outbox);

#endif
