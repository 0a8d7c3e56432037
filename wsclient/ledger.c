#include "wsclient/ledger.h"

#include <stdlib.h>

#include "common/memory.h"
#include "wsclient/response.h"

struct record {
    struct message message; /* first: one is the other */
    LIST_ENTRY(record) entry;
    char bytes[]; /* the request, then the room for its answer */
};

struct ledger {
    size_t max_bytes, used_bytes, count;
    uint64_t last_sequence;
    LIST_HEAD(, record) records;
};

static size_t record_size(size_t request_len) {
    return sizeof(struct record) + 2 * request_len + RESPONSE_GROWTH_BYTES;
}

struct ledger *ledger_new(size_t max_bytes) {
    struct ledger *ledger = memory_new(sizeof *ledger);
    ledger->max_bytes = max_bytes;
    LIST_INIT(&ledger->records);
    return ledger;
}

void ledger_free(struct ledger **ledger) {
    struct ledger *l = *ledger;
    *ledger = NULL;
    struct record *record;
    while ((record = LIST_FIRST(&l->records)) != NULL)
        ledger_release(l, &record->message);
    free(l);
}

struct message *ledger_take(struct ledger *ledger, struct span request,
                            monotime arrived) {
    size_t size = record_size(request.len);
    if (size > ledger->max_bytes - ledger->used_bytes)
        return NULL;
    struct record *record = malloc(size);
    if (record == NULL)
        return NULL;
    memcpy(record->bytes, request.data, request.len);
    record->message = (struct message){
        .sequence = ++ledger->last_sequence,
        .arrived = arrived,
        .request = {record->bytes, request.len},
    };
    LIST_INSERT_HEAD(&ledger->records, record, entry);
    ledger->used_bytes += size;
    ledger->count++;
    return &record->message;
}

char *ledger_answer_room(struct message *message) {
    struct record *record = (struct record *)message;
    return record->bytes + message->request.len;
}

void ledger_answered(struct message *message, size_t len) {
    message->answer = (struct span){ledger_answer_room(message), len};
}

void ledger_release(struct ledger *ledger, struct message *message) {
    struct record *record = (struct record *)message;
    ledger->used_bytes -= record_size(message->request.len);
    ledger->count--;
    LIST_REMOVE(record, entry);
    free(record);
}

size_t ledger_count(const struct ledger *ledger) {
    return ledger->count;
}
