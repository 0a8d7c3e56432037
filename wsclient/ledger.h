/*
 * The ledger of messages in hand: what was received and is not yet answered,
 * and answers that are not yet confirmed. It lives in a file, so that it
 * outlives this process at any instruction; the cost of a message is a few
 * stores to memory. Bounded.
 */
#ifndef FXWIRE_WSCLIENT_LEDGER_H
#define FXWIRE_WSCLIENT_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/span.h"

struct ledger;

/* A message in hand. The ledger owns it and its bytes. */
struct message {
    union {
        TAILQ_ENTRY(message) entry; /* its holder's: one queue at a time */
        SLIST_ENTRY(message) spare; /* the ledger's, while it is in no use */
    };
    struct ledger_record *record; /* the ledger's own, in its file */
    uint64_t sequence;            /* in order of arrival, from 1 */
    monotime arrived;
    monotime waits_from; /* its arrival, or our start if it was found then */
    struct span request; /* a NUL behind it, until it is answered */
    struct span id;      /* empty: not known */
    struct span answer;  /* empty: not yet answered */
    unsigned connection; /* the number of the one that it came on; 0: found */
    unsigned deaths;     /* of wsclients that were at work on it */
    /* Of its answer: */
    uint64_t position;    /* in the order of sending on this connection */
    unsigned sends;       /* how often it was sent, by this process */
    unsigned breaks;      /* at so many it was on the line, */
    unsigned lone_breaks; /* at so many it stood alone there, */
    monotime suspected;   /* at the first then, */
    uint64_t confirms;    /* and as so many others were confirmed at the last */
    bool replaced;        /* by a short error, as the upstream refused it */
};

TAILQ_HEAD(message_queue, message);

/* Orders the messages by their arrival. */
void message_queue_sort(struct message_queue *queue);

/*
 * Opens the ledger in the file `path` (NULL: in memory alone), with room for
 * `max_bytes`. A file that can not be used is set aside; where there can be
 * none, memory serves. Both are logged. NULL and errno: EWOULDBLOCK, another
 * wsclient holds the file; ENOMEM, there is no memory either.
 */
MUST_CHECK struct ledger *ledger_open(const char *path, size_t max_bytes);

/* What notes are aligned to. */
enum { LEDGER_NOTE_ALIGNMENT = 8 };

/*
 * From now on each message that is taken has room for a note of so many bytes,
 * see ledger_note().
 */
void ledger_keep_notes(struct ledger *ledger, size_t bytes) NONNULL_ALL;

/*
 * Closes it. What is in hand stays in the file; where that is nothing, the file
 * is removed.
 */
void ledger_close(struct ledger **ledger) NONNULL_ALL;

/*
 * Puts what an earlier wsclient left into the empty `queue`, in order of
 * arrival. To be called once, before anything is taken.
 */
void ledger_found(struct ledger *ledger, monotime now,
                  struct message_queue *queue) NONNULL_ALL;

/*
 * Takes a message in: copies its bytes and sets room aside for its answer,
 * so that answering can not fail. NULL: the ledger is full.
 */
MUST_CHECK struct message *ledger_take(struct ledger *ledger,
                                       struct span request,
                                       monotime arrived) NONNULL_ALL;

/*
 * Whether a request of so many bytes could be taken if nothing else were in
 * hand.
 */
bool ledger_could_take(const struct ledger *ledger, size_t request_len);

/* The message's id (a part of its request), for those who may not read it. */
void ledger_note_id(struct message *message, struct span id);

/*
 * Between these two the message is being worked on: if the process dies there,
 * the next one finds it with one more death.
 */
void ledger_work_begins(struct ledger *ledger, const struct message *message);
void ledger_work_ends(struct ledger *ledger);

/* Where the answer is to be written: request.len + RESPONSE_GROWTH_BYTES. */
char *ledger_answer_room(struct message *message);

/*
 * The note on a message, zeros at first, and kept with it: what is in it was
 * checked by nobody. NULL: it has none of so many bytes, as it was taken before
 * there were any.
 */
void *ledger_note(const struct message *message, size_t bytes) NONNULL_ALL;

/* The answer is written and `len` bytes long. */
void ledger_answered(struct message *message, size_t len);

/* The answer is withdrawn: another one can be written in its place. */
void ledger_unanswer(struct message *message) NONNULL_ALL;

/* The message is done with; the caller has taken it out of its queue. */
void ledger_release(struct ledger *ledger, struct message *message) NONNULL_ALL;

/*
 * To be called each second: where the file was removed or replaced, makes it
 * anew with all that is in hand. Whether it did; else, where it can not, that
 * is logged once.
 */
MUST_CHECK bool ledger_restore(struct ledger *ledger) NONNULL_ALL;

/* Whether the next wsclient will find what is in hand, as of that call. */
bool ledger_has_name(const struct ledger *ledger) NONNULL_ALL;

/* How many messages are in hand. */
size_t ledger_count(const struct ledger *ledger);

/*
 * Whether the disk had no more room when there was need of it: then as much is
 * taken as there is room for.
 */
bool ledger_is_stuck(const struct ledger *ledger) NONNULL_ALL;

/* Whether more than an eighth of the room is in use. */
bool ledger_is_filling(const struct ledger *ledger);

/* What the messages in hand use of the room, and how much there is. */
size_t ledger_bytes(const struct ledger *ledger);
size_t ledger_max_bytes(const struct ledger *ledger);

#endif
