#include "wsclient/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

struct question *waiting_find(struct waiting *waiting, day when,
                              struct span currency) {
    struct question *question;
    TAILQ_FOREACH (question, waiting, entry) {
        if (question->when.number == when.number &&
            question->currency_len == currency.len &&
            memcmp(question->currency, currency.data, currency.len) == 0)
            return question;
    }
    return NULL;
}

struct question *waiting_open(struct waiting *waiting, day when,
                              struct span currency) {
    struct question *question = memory_new(sizeof *question);
    question->when = when;
    question->currency_len = currency.len;
    memcpy(question->currency, currency.data, currency.len);
    TAILQ_INIT(&question->messages);
    TAILQ_INSERT_TAIL(waiting, question, entry);
    return question;
}

void waiting_join(struct question *question, struct message *message) {
    struct message *before = TAILQ_LAST(&question->messages, message_queue);
    while (before != NULL && before->waits_from.usec > message->waits_from.usec)
        before = TAILQ_PREV(before, message_queue, entry);
    if (before != NULL)
        TAILQ_INSERT_AFTER(&question->messages, before, message, entry);
    else
        TAILQ_INSERT_HEAD(&question->messages, message, entry);
}

void waiting_close(struct waiting *waiting, struct question *question) {
    TAILQ_REMOVE(waiting, question, entry);
    free(question);
}

bool waiting_oldest(const struct waiting *waiting, monotime *since) {
    const struct question *question;
    bool any = false;
    TAILQ_FOREACH (question, waiting, entry) {
        const struct message *first = TAILQ_FIRST(&question->messages);
        if (first != NULL && (!any || first->waits_from.usec < since->usec)) {
            *since = first->waits_from;
            any = true;
        }
    }
    return any;
}
