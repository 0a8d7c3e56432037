#include "wsclient/ledger.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/memory.h"
#include "wsclient/ledger_file.h"
#include "wsclient/ledger_room.h"
#include "wsclient/response.h"

/* The marks of extents that hold a record. */
enum { TAKEN = 1, ANSWERED = 2 };

/*
 * What `extent` to `deaths` say is for whoever opens the file next; `message`
 * is for this process alone and is made anew.
 */
struct record {
    struct extent extent;
    uint64_t sequence;
    int64_t arrived_usec;
    uint32_t request_len, answer_len;
    uint32_t id_at, id_len;
    uint32_t deaths;
    struct message message;
    char bytes[]; /* the request, then the room for its answer */
};

struct ledger {
    struct ledger_file file;
    struct ledger_room room;
    uint64_t last_sequence;
    size_t count;
};

static struct record *record_of(struct message *message) {
    return (struct record *)(void *)((char *)message -
                                     offsetof(struct record, message));
}

static size_t record_size(size_t request_len) {
    return sizeof(struct record) + 2 * request_len + RESPONSE_GROWTH_BYTES;
}

/*
 * Whether the record can be what a wsclient left. Its `size` comes first: of a
 * shorter one not even the members may be read.
 */
static bool is_sound(const struct record *record, size_t size, monotime now) {
    return size >= record_size(0) &&
           ledger_room_mark_of(&record->extent) <= ANSWERED &&
           record->arrived_usec >= 0 && record->arrived_usec <= now.usec &&
           record->request_len <= size &&
           size >= record_size(record->request_len) &&
           record->answer_len <= record->request_len + RESPONSE_GROWTH_BYTES &&
           record->id_at <= record->request_len &&
           record->id_len <= record->request_len - record->id_at;
}

/* False: what is in the file can not be read. */
static bool open_room(struct ledger *ledger, size_t max_bytes) {
    const struct ledger_file *file = &ledger->file;
    monotime now = clock_monotonic();
    if (!ledger_room_open(&ledger->room, file->room, file->room_bytes,
                          max_bytes))
        return false;
    for (struct extent *extent = ledger_room_first(&ledger->room);
         extent != NULL; extent = ledger_room_next(&ledger->room, extent)) {
        if (ledger_room_mark_of(extent) == EXTENT_FREE)
            continue;
        const struct record *record = (const struct record *)extent;
        if (!is_sound(record, ledger_room_size_of(extent), now))
            return false;
        if (record->sequence > ledger->last_sequence)
            ledger->last_sequence = record->sequence;
        ledger->count++;
    }
    return true;
}

static void lay_out(struct ledger *ledger, size_t max_bytes) {
    struct ledger_file *file = &ledger->file;
    ledger_room_format(file->room, file->room_bytes);
    ledger_file_begun(file);
    ledger_room_open(&ledger->room, file->room, file->room_bytes, max_bytes);
}

/* The setting may be higher now than it was when the file was made. */
static void grow(struct ledger *ledger, size_t max_bytes) {
    struct ledger_file *file = &ledger->file;
    size_t before = file->room_bytes;
    if (before >= max_bytes)
        return;
    if (!ledger_file_grow(file, max_bytes)) {
        log_warn("ledger_not_grown",
                 LOG_FIELDS(log_text("path", file->path),
                            log_int("bytes", (int64_t)before)));
        return;
    }
    ledger->room.base = file->room;
    ledger_room_grow(&ledger->room, file->room_bytes - before);
    atomic_store(&file->header->room_bytes, file->room_bytes);
}

/* Reads what is in the file, or begins it anew; false: another has it. */
static bool begin(struct ledger *ledger, size_t max_bytes) {
    struct ledger_file *file = &ledger->file;
    if (!file->is_new && !open_room(ledger, max_bytes)) {
        ledger->count = 0;
        ledger->last_sequence = 0;
        if (!ledger_file_set_aside(file, "it is damaged", max_bytes))
            return false;
    }
    if (file->is_new)
        lay_out(ledger, max_bytes);
    else
        grow(ledger, max_bytes);
    return true;
}

struct ledger *ledger_open(const char *path, size_t max_bytes) {
    struct ledger *ledger = memory_new(sizeof *ledger);
    if (ledger_file_open(&ledger->file, path, max_bytes) &&
        begin(ledger, max_bytes))
        return ledger;
    free(ledger);
    return NULL;
}

void ledger_close(struct ledger **ledger) {
    struct ledger *l = *ledger;
    *ledger = NULL;
    ledger_file_close(&l->file, l->count == 0);
    free(l);
}

/* Makes the part of the record that is this process's own. */
static struct message *make_message(struct record *record) {
    monotime arrived = {record->arrived_usec};
    record->message = (struct message){
        .sequence = record->sequence,
        .arrived = arrived,
        .waits_from = arrived,
        .request = {record->bytes, record->request_len},
        .id = {record->bytes + record->id_at, record->id_len},
        .deaths = record->deaths,
    };
    return &record->message;
}

static int by_sequence(const void *a, const void *b) {
    const struct message *const *one = a, *const *other = b;
    return (*one)->sequence < (*other)->sequence ? -1 : 1;
}

void message_queue_sort(struct message_queue *queue) {
    size_t count = 0;
    struct message *message;
    TAILQ_FOREACH (message, queue, entry)
        count++;
    struct message **all = memory_new((count + 1) * sizeof(struct message *));
    for (size_t i = 0; i < count; i++) {
        all[i] = TAILQ_FIRST(queue);
        TAILQ_REMOVE(queue, all[i], entry);
    }
    qsort(all, count, sizeof(struct message *), by_sequence);
    for (size_t i = 0; i < count; i++)
        TAILQ_INSERT_TAIL(queue, all[i], entry);
    free(all);
}

void ledger_found(struct ledger *ledger, monotime now,
                  struct message_queue *queue) {
    uint64_t handled = ledger->file.header->handled;
    for (struct extent *extent = ledger_room_first(&ledger->room);
         extent != NULL; extent = ledger_room_next(&ledger->room, extent)) {
        if (ledger_room_mark_of(extent) == EXTENT_FREE)
            continue;
        struct record *record = (struct record *)extent;
        record->deaths += record->sequence == handled;
        struct message *message = make_message(record);
        message->waits_from = now;
        if (ledger_room_mark_of(extent) == ANSWERED)
            message->answer =
                (struct span){ledger_answer_room(message), record->answer_len};
        TAILQ_INSERT_TAIL(queue, message, entry);
    }
    atomic_store(&ledger->file.header->handled, 0);
    message_queue_sort(queue);
}

struct message *ledger_take(struct ledger *ledger, struct span request,
                            monotime arrived) {
    size_t size = record_size(request.len);
    struct record *record =
        (struct record *)ledger_room_find(&ledger->room, &size);
    if (record == NULL)
        return NULL;
    record->sequence = ++ledger->last_sequence;
    record->arrived_usec = arrived.usec;
    record->request_len = (uint32_t)request.len;
    record->answer_len = 0;
    record->id_at = record->id_len = 0;
    record->deaths = 0;
    memcpy(record->bytes, request.data, request.len);
    ledger_room_take(&ledger->room, &record->extent, size, TAKEN);
    ledger->count++;
    return make_message(record);
}

bool ledger_could_take(const struct ledger *ledger, size_t request_len) {
    return ledger_room_could_hold(&ledger->room, record_size(request_len));
}

void ledger_note_id(struct message *message, struct span id) {
    struct record *record = record_of(message);
    if (id.len == 0)
        return;
    record->id_at = (uint32_t)(id.data - record->bytes);
    record->id_len = (uint32_t)id.len;
    message->id = id;
}

void ledger_work_begins(struct ledger *ledger, const struct message *message) {
    atomic_store_explicit(&ledger->file.header->handled, message->sequence,
                          memory_order_release);
}

void ledger_work_ends(struct ledger *ledger) {
    atomic_store_explicit(&ledger->file.header->handled, 0,
                          memory_order_release);
}

char *ledger_answer_room(struct message *message) {
    return record_of(message)->bytes + message->request.len;
}

void ledger_answered(struct message *message, size_t len) {
    struct record *record = record_of(message);
    record->answer_len = (uint32_t)len;
    message->answer = (struct span){ledger_answer_room(message), len};
    ledger_room_set_mark(&record->extent, ANSWERED);
}

void ledger_release(struct ledger *ledger, struct message *message) {
    ledger_room_release(&ledger->room, &record_of(message)->extent);
    ledger->count--;
}

size_t ledger_count(const struct ledger *ledger) {
    return ledger->count;
}

bool ledger_is_filling(const struct ledger *ledger) {
    return ledger->room.used > ledger->room.limit / 8;
}
