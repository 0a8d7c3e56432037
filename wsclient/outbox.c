#include "wsclient/outbox.h"

void outbox_init(struct outbox *outbox) {
    *outbox = (struct outbox){.position = 0};
    TAILQ_INIT(&outbox->backlog);
    TAILQ_INIT(&outbox->suspects);
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
    return message->breaks >= OUTBOX_BREAKS_TO_GO_ALONE;
}

/* The one answer on the line, if it went out alone on purpose. */
static struct message *lone_answer(const struct outbox *o) {
    struct message *last = TAILQ_LAST(&o->sent, message_queue);
    bool on_purpose = last != NULL && goes_alone(last);
    return on_purpose && on_line(o) == 1 && !o->accompanied ? last : NULL;
}

/* Whether the upstream took others since this one failed. */
static bool others_passed(const struct outbox *o,
                          const struct message *suspect) {
    return o->confirms > suspect->confirms;
}

/* Whether none is in hand that could still show that others pass. */
static bool all_are_suspects(const struct outbox *o) {
    return TAILQ_EMPTY(&o->backlog) && TAILQ_EMPTY(&o->fresh) &&
           TAILQ_EMPTY(&o->sent);
}

/* Notes a break at which this one was alone; gives whether it is why. */
static bool is_refused(const struct outbox *o, struct message *lone,
                       monotime now) {
    bool others = others_passed(o, lone);
    if (lone->lone_breaks++ == 0)
        lone->suspected = now;
    lone->confirms = o->confirms;
    if (lone->lone_breaks < OUTBOX_BREAKS_TO_REFUSE)
        return false;
    return others || (all_are_suspects(o) &&
                      monotime_between(lone->suspected, now).usec >=
                          OUTBOX_SUSPICION.usec);
}

/* All is to be sent again. What was let pass was not on the line any more. */
static void put_back(struct outbox *o, bool counts) {
    struct message *message;
    if (TAILQ_EMPTY(&o->sent))
        return;
    TAILQ_FOREACH (message, &o->sent, entry)
        message->breaks += counts && message->position > o->settled;
    TAILQ_CONCAT(&o->backlog, &o->sent, entry);
    message_queue_sort(&o->backlog);
}

struct message *outbox_disconnected(struct outbox *outbox,
                                    enum outbox_break why, monotime now) {
    struct outbox *o = outbox;
    struct message *lone =
                       why == OUTBOX_BREAK_BY_ANSWER ? lone_answer(o) : NULL,
                   *refused = NULL;
    if (lone != NULL) {
        TAILQ_REMOVE(&o->sent, lone, entry);
        if (is_refused(o, lone, now))
            refused = lone;
        else
            TAILQ_INSERT_TAIL(&o->suspects, lone, entry);
    }
    put_back(o, why != OUTBOX_BREAK_OF_OTHERS);
    message_queue_sort(&o->fresh);
    o->position = o->settled = 0;
    o->resending = o->accompanied = false;
    return refused;
}

static struct message *take_if_old(const struct outbox *o,
                                   struct message_queue *queue,
                                   monotime since) {
    struct message *message = TAILQ_FIRST(queue);
    if (message == NULL || message->connection == o->connection ||
        !monotime_reached(since, message->arrived))
        return NULL;
    TAILQ_REMOVE(queue, message, entry);
    return message;
}

struct message *outbox_take_old(struct outbox *outbox, monotime since) {
    struct outbox *o = outbox;
    struct message *message = take_if_old(o, &o->backlog, since);
    if (message == NULL)
        message = take_if_old(o, &o->suspects, since);
    return message != NULL ? message : take_if_old(o, &o->fresh, since);
}

/* Whether the window that is on the line has room for this one. */
static bool window_has_room(const struct outbox *o,
                            const struct message *message) {
    const struct message *last = TAILQ_LAST(&o->sent, message_queue);
    if (on_line(o) == 0)
        return true;
    return !goes_alone(message) && !goes_alone(last) &&
           on_line(o) < OUTBOX_WINDOW_ANSWERS &&
           o->resent_bytes + message->answer.len <= OUTBOX_WINDOW_BYTES;
}

/* New ones show whether the upstream takes any, before the suspect does. */
static struct message *next_beside(const struct outbox *o,
                                   struct message *suspect) {
    struct message *first = TAILQ_FIRST(&o->fresh);
    if (!others_passed(o, suspect) && first != NULL)
        return o->resending && on_line(o) > 0 ? NULL : first;
    bool may_go = others_passed(o, suspect) || TAILQ_EMPTY(&o->sent);
    return may_go && on_line(o) == 0 ? suspect : NULL;
}

struct message *outbox_next(const struct outbox *outbox) {
    const struct outbox *o = outbox;
    struct message *again = TAILQ_FIRST(&o->backlog),
                   *suspect = TAILQ_FIRST(&o->suspects);
    if (again != NULL)
        return window_has_room(o, again) ? again : NULL;
    if (suspect != NULL)
        return next_beside(o, suspect);
    return outbox_is_resending(o) ? NULL : TAILQ_FIRST(&o->fresh);
}

/* Whose head this is. */
static struct message_queue *queue_of(struct outbox *o,
                                      const struct message *message) {
    if (message == TAILQ_FIRST(&o->backlog))
        return &o->backlog;
    return message == TAILQ_FIRST(&o->suspects) ? &o->suspects : &o->fresh;
}

void outbox_sent(struct outbox *outbox, struct message *message) {
    struct outbox *o = outbox;
    struct message_queue *queue = queue_of(o, message);
    if (on_line(o) == 0) {
        o->resending = queue != &o->fresh;
        o->resent_bytes = 0;
        o->accompanied = false;
    }
    o->resent_bytes += message->answer.len;
    message->sends++;
    message->position = ++o->position;
    TAILQ_REMOVE(queue, message, entry);
    TAILQ_INSERT_TAIL(&o->sent, message, entry);
}

void outbox_accompanied(struct outbox *outbox) {
    outbox->accompanied = true;
}

struct message *outbox_take_confirmed(struct outbox *outbox,
                                      uint64_t position) {
    struct message *message = TAILQ_FIRST(&outbox->sent);
    if (message == NULL || message->position > position)
        return NULL;
    outbox_settled(outbox, message->position);
    outbox->confirms++;
    TAILQ_REMOVE(&outbox->sent, message, entry);
    return message;
}

void outbox_settled(struct outbox *outbox, uint64_t position) {
    if (position > outbox->settled)
        outbox->settled = position;
}

bool outbox_is_resending(const struct outbox *outbox) {
    return on_line(outbox) > 0 &&
           (outbox->resending || !TAILQ_EMPTY(&outbox->suspects));
}

bool outbox_goes_alone(const struct outbox *outbox) {
    const struct message *next = outbox_next(outbox);
    return next != NULL && goes_alone(next);
}

bool outbox_stands_alone(const struct outbox *outbox) {
    const struct message *last = TAILQ_LAST(&outbox->sent, message_queue);
    return last != NULL && goes_alone(last);
}

bool outbox_has_any(const struct outbox *outbox) {
    return !TAILQ_EMPTY(&outbox->backlog) || !TAILQ_EMPTY(&outbox->suspects) ||
           !TAILQ_EMPTY(&outbox->fresh);
}
