#include "wsclient/outbox.h"

void outbox_init(struct outbox *outbox) {
    *outbox = (struct outbox){.position = 0};
    TAILQ_INIT(&outbox->backlog);
    TAILQ_INIT(&outbox->fresh);
    TAILQ_INIT(&outbox->sent);
}

void outbox_add(struct outbox *outbox, struct message *message) {
    TAILQ_INSERT_TAIL(&outbox->fresh, message, entry);
}

void outbox_add_found(struct outbox *outbox, struct message *message) {
    TAILQ_INSERT_TAIL(&outbox->backlog, message, entry);
}

unsigned outbox_connected(struct outbox *outbox) {
    return ++outbox->connection;
}

/* How many answers are out of which the peer has shown nothing yet. */
static uint64_t on_line(const struct outbox *o) {
    return o->position - o->settled;
}

static bool goes_alone(const struct message *message) {
    return message->sends >= OUTBOX_SENDS_TO_GO_ALONE;
}

/* The one answer on the line, if it went out alone on purpose. */
static struct message *lone_answer(const struct outbox *o) {
    struct message *last = TAILQ_LAST(&o->sent, message_queue);
    bool on_purpose = last != NULL && last->sends > OUTBOX_SENDS_TO_GO_ALONE;
    return on_purpose && on_line(o) == 1 ? last : NULL;
}

struct message *outbox_disconnected(struct outbox *outbox, bool by_peer) {
    struct outbox *o = outbox;
    struct message *refused = by_peer ? lone_answer(o) : NULL;
    if (refused != NULL && ++refused->lone_breaks < OUTBOX_BREAKS_TO_REFUSE)
        refused = NULL;
    if (refused != NULL)
        TAILQ_REMOVE(&o->sent, refused, entry);
    if (!TAILQ_EMPTY(&o->sent)) {
        TAILQ_CONCAT(&o->backlog, &o->sent, entry);
        message_queue_sort(&o->backlog);
    }
    message_queue_sort(&o->fresh);
    o->position = o->settled = 0;
    o->resending = false;
    return refused;
}

static struct message_queue *next_queue(struct outbox *o) {
    return TAILQ_EMPTY(&o->backlog) ? &o->fresh : &o->backlog;
}

struct message *outbox_take_old(struct outbox *outbox, monotime since) {
    struct message_queue *queue = next_queue(outbox);
    struct message *message = TAILQ_FIRST(queue);
    if (message == NULL || message->connection == outbox->connection ||
        !monotime_reached(since, message->arrived))
        return NULL;
    TAILQ_REMOVE(queue, message, entry);
    return message;
}

/* Whether the window that is on the line has room for this one. */
static bool window_has_room(const struct outbox *o,
                            const struct message *message) {
    const struct message *last = TAILQ_LAST(&o->sent, message_queue);
    if (on_line(o) == 0)
        return true;
    return !goes_alone(message) && last->sends <= OUTBOX_SENDS_TO_GO_ALONE &&
           on_line(o) < OUTBOX_WINDOW_ANSWERS &&
           o->resent_bytes + message->answer.len <= OUTBOX_WINDOW_BYTES;
}

struct message *outbox_next(const struct outbox *outbox) {
    struct message *again = TAILQ_FIRST(&outbox->backlog);
    if (again != NULL)
        return window_has_room(outbox, again) ? again : NULL;
    return outbox_is_resending(outbox) ? NULL : TAILQ_FIRST(&outbox->fresh);
}

void outbox_sent(struct outbox *outbox, struct message *message) {
    struct outbox *o = outbox;
    struct message_queue *queue = next_queue(o);
    if (on_line(o) == 0) {
        o->resending = queue == &o->backlog;
        o->resent_bytes = 0;
    }
    o->resent_bytes += message->answer.len;
    message->sends++;
    message->position = ++o->position;
    TAILQ_REMOVE(queue, message, entry);
    TAILQ_INSERT_TAIL(&o->sent, message, entry);
}

struct message *outbox_take_confirmed(struct outbox *outbox,
                                      uint64_t position) {
    struct message *message = TAILQ_FIRST(&outbox->sent);
    if (message == NULL || message->position > position)
        return NULL;
    outbox_settled(outbox, message->position);
    TAILQ_REMOVE(&outbox->sent, message, entry);
    return message;
}

void outbox_settled(struct outbox *outbox, uint64_t position) {
    if (position > outbox->settled)
        outbox->settled = position;
}

bool outbox_is_resending(const struct outbox *outbox) {
    return outbox->resending && on_line(outbox) > 0;
}

bool outbox_goes_alone(const struct outbox *outbox) {
    const struct message *again = TAILQ_FIRST(&outbox->backlog);
    return again != NULL && goes_alone(again) && on_line(outbox) == 0;
}

bool outbox_has_any(const struct outbox *outbox) {
    return !TAILQ_EMPTY(&outbox->backlog) || !TAILQ_EMPTY(&outbox->fresh);
}

bool outbox_has_several(const struct outbox *outbox) {
    const struct message *again = TAILQ_FIRST(&outbox->backlog),
                         *first = TAILQ_FIRST(&outbox->fresh);
    return (again != NULL && (first != NULL || TAILQ_NEXT(again, entry))) ||
           (first != NULL && TAILQ_NEXT(first, entry) != NULL);
}
