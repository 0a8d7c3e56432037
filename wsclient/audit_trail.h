/*
 * The audit's lines on their way to the monitor, which writes them: one for
 * each answer once it is known what became of it, put into a ring in
 * RUNTIME_DIR before the ledger forgets the message. Without AUDIT_DIR there is
 * none of this: where a trail is asked for, NULL is one that keeps nothing.
 */
#ifndef FXWIRE_WSCLIENT_AUDIT_TRAIL_H
#define FXWIRE_WSCLIENT_AUDIT_TRAIL_H

#include "common/rates/euro_fixed.h"
#include "wsclient/audit.h"
#include "wsclient/ledger.h"

struct audit_trail;

/*
 * Opens one, with its ring in the file `path`, for the upstream with that
 * label; each message of the ledger gets a note from now on. Where the ring can
 * not be had, that is logged and tried again, and lines are counted as lost.
 */
MUST_CHECK struct audit_trail *
audit_trail_new(const char *path, const char *label,
                struct ledger *ledger) NONNULL_ALL;
void audit_trail_free(struct audit_trail **trail) NONNULL_ALL;

/*
 * To be called each second: makes the ring (again) where it is missing. Whether
 * that was removed by somebody.
 */
MUST_CHECK bool audit_trail_look(struct audit_trail *trail) NONNULL_ALL;

/*
 * How many lines were lost that nobody was told of yet, by an earlier process
 * neither; now they are.
 */
MUST_CHECK uint64_t audit_trail_take_lost(struct audit_trail *trail)
    NONNULL_ALL;

/* Notes what a message asks for; `text` is what `request` was read from. */
void audit_trail_request(struct audit_trail *trail,
                         const struct message *message,
                         const struct request *request, struct span text)
    NONNULL(2, 3);

/* Where rates came from; both NULL: none were needed. */
struct audit_source {
    const struct rates *table;
    const char *layer;
    const struct euro_fixed *fixed; /* in the place of both */
};

/* Before it is marked as answered: notes what with, and from what. */
void audit_trail_converted(struct audit_trail *trail,
                           const struct message *message,
                           const struct request *request, euro amount,
                           const struct audit_source *source,
                           const struct now *now) NONNULL(2, 3, 5, 6);
void audit_trail_error(struct audit_trail *trail, const struct message *message,
                       enum refusal refusal) NONNULL(2);

/* It was sent (again). */
void audit_trail_sent(struct audit_trail *trail, const struct message *message,
                      monotime now) NONNULL(2);

/*
 * It is done with, and so is its message, which the ledger is to release next;
 * unless another answer takes its place.
 */
void audit_trail_confirmed(struct audit_trail *trail,
                           const struct message *message, const struct now *now)
    NONNULL(2, 3);
void audit_trail_ended(struct audit_trail *trail, const struct message *message,
                       const char *outcome) NONNULL(2, 3);
void audit_trail_replaced(struct audit_trail *trail,
                          const struct message *message) NONNULL(2);

/* An error that was sent without being kept. */
void audit_trail_unkept(struct audit_trail *trail, struct span id,
                        enum refusal refusal, int64_t now_ms);

/*
 * Of messages that an earlier process left: whether it had put the line of this
 * one, and came only not to release it. Once all were seen, nothing of that is
 * known any more.
 */
bool audit_trail_has(const struct audit_trail *trail,
                     const struct message *message) NONNULL(2);
void audit_trail_all_seen(struct audit_trail *trail);

#endif
