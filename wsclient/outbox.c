#include "wsclient/outbox.h"

void outbox_init(struct outbox *outbox) {
    TAILQ_INIT(&outbox->ready);
    TAILQ_INIT(&outbox->sent);
    outbox->position = 0;
}

void outbox_add(struct outbox *outbox, struct message *message) {
    TAILQ_INSERT_TAIL(&outbox->ready, message, entry);
}

void outbox_drop_next(struct outbox *outbox) {
    TAILQ_REMOVE(&outbox->ready, outbox_next(outbox), entry);
}

void outbox_sent(struct outbox *outbox) {
    struct message *message = outbox_next(outbox);
    outbox_drop_next(outbox);
    message->position = ++outbox->position;
    TAILQ_INSERT_TAIL(&outbox->sent, message, entry);
}

struct message *outbox_take_confirmed(struct outbox *outbox,
                                      uint64_t position) {
    struct message *message = TAILQ_FIRST(&outbox->sent);
    if (message == NULL || message->position > position)
        return NULL;
    TAILQ_REMOVE(&outbox->sent, message, entry);
    return message;
}

void outbox_return_sent(struct outbox *outbox) {
    TAILQ_CONCAT(&outbox->ready, &outbox->sent, entry);
    message_queue_sort(&outbox->ready);
    outbox->position = 0;
}
