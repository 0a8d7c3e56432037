#include "wsclient/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

static struct question *find(const struct waiting *waiting, day when,
                             struct span currency) {
    struct question *question;
    TAILQ_FOREACH (question, waiting, entry)
        if (question->when.number == when.number &&
            question->currency_len == currency.len &&
            memcmp(question->currency, currency.data, currency.len) == 0)
            break;
    return question;
}

static struct question *open_question(struct waiting *waiting, day when,
                                      struct span currency) {
    struct question *question = memory_new(sizeof *question);
    question->when = when;
    question->currency_len = currency.len;
    memcpy(question->currency, currency.data, currency.len);
    TAILQ_INIT(&question->messages);
    TAILQ_INSERT_TAIL(waiting, question, entry);
    return question;
}

static void close_question(struct waiting *waiting, struct question *question) {
    TAILQ_REMOVE(waiting, question, entry);
    free(question);
}

/* One that waited for another question before may be older than the last. */
static void insert(struct message_queue *queue, struct message *message) {
    struct message *before = TAILQ_LAST(queue, message_queue);
    while (before != NULL && before->waits_from.usec > message->waits_from.usec)
        before = TAILQ_PREV(before, message_queue, entry);
    if (before != NULL)
        TAILQ_INSERT_AFTER(queue, before, message, entry);
    else
        TAILQ_INSERT_HEAD(queue, message, entry);
}

struct question *waiting_join(struct waiting *waiting, day when,
                              struct span currency, struct message *message) {
    struct question *question = find(waiting, when, currency);
    if (question == NULL)
        question = open_question(waiting, when, currency);
    insert(&question->messages, message);
    return question;
}

void waiting_take(struct waiting *waiting, day when, struct span currency,
                  struct message_queue *messages) {
    struct question *question = find(waiting, when, currency);
    TAILQ_INIT(messages);
    if (question == NULL)
        return;
    TAILQ_CONCAT(messages, &question->messages, entry);
    close_question(waiting, question);
}

struct message *waiting_take_late(struct waiting *waiting, monotime since) {
    struct question *question;
    TAILQ_FOREACH (question, waiting, entry) {
        struct message *first = TAILQ_FIRST(&question->messages);
        if (!monotime_reached(since, first->waits_from))
            continue;
        TAILQ_REMOVE(&question->messages, first, entry);
        if (TAILQ_EMPTY(&question->messages))
            close_question(waiting, question);
        return first;
    }
    return NULL;
}

bool waiting_oldest(const struct waiting *waiting, monotime *since) {
    const struct question *question;
    *since = (monotime){INT64_MAX};
    TAILQ_FOREACH (question, waiting, entry) {
        monotime first = TAILQ_FIRST(&question->messages)->waits_from;
        if (first.usec < since->usec)
            *since = first;
    }
    return !TAILQ_EMPTY(waiting);
}

void waiting_clear(struct waiting *waiting) {
    while (!TAILQ_EMPTY(waiting))
        close_question(waiting, TAILQ_FIRST(waiting));
}
