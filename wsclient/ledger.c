#include "wsclient/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/memory.h"
#include "wsclient/ledger_file.h"
#include "wsclient/response.h"

/* The marks of extents that hold a record. */
enum { TAKEN = 1, ANSWERED = 2 };

/* More deaths of a message are not counted. */
enum { DEATHS_MAX = 255 };

/* Both fit one word. */
#define SEQUENCE_MAX (UINT64_MAX / (DEATHS_MAX + 1))

/* A message in the file, for whoever opens it next. */
struct ledger_record {
    struct extent extent;
    uint64_t sequence;
    int64_t arrived_usec;
    uint32_t request_len, answer_len;
    uint32_t id_at, id_len;
    uint32_t deaths;
    uint32_t note_at; /* from the record's begin; 0: it has none */
    char bytes[];     /* the request, then the room for its answer */
};

/* So many messages are allocated at a time, and never one by one. */
enum { BLOCK_MESSAGES = 64 };

struct message_block {
    struct message_block *next;
    struct message messages[BLOCK_MESSAGES];
};

struct ledger {
    struct ledger_file file;
    uint64_t last_sequence;
    size_t count;
    size_t note_bytes; /* of each message's note; 0: they have none */
    bool nameless;     /* its file was removed and can not be made anew */
    struct message_block *blocks;
    SLIST_HEAD(, message) spare; /* the messages of the blocks not in use */
};

/* Without a note. */
static size_t record_size(size_t request_len) {
    return sizeof(struct ledger_record) + 2 * request_len +
           RESPONSE_GROWTH_BYTES;
}

/* Where the note stands, behind all else. */
static size_t note_place(size_t request_len) {
    size_t end = record_size(request_len);
    return end + (LEDGER_NOTE_ALIGNMENT - end % LEDGER_NOTE_ALIGNMENT) %
                     LEDGER_NOTE_ALIGNMENT;
}

static size_t size_with_note(const struct ledger *ledger, size_t request_len) {
    return ledger->note_bytes == 0
               ? record_size(request_len)
               : note_place(request_len) + ledger->note_bytes;
}

/*
 * Whether the record can be what a wsclient left. Its size comes first: of a
 * shorter one not even the members may be read.
 */
static bool is_sound(const struct extent *extent, monotime now) {
    const struct ledger_record *record = (const struct ledger_record *)extent;
    size_t size = ledger_room_size_of(extent);
    return size >= record_size(0) && ledger_room_mark_of(extent) <= ANSWERED &&
           record->sequence > 0 && record->sequence <= SEQUENCE_MAX &&
           record->arrived_usec >= 0 && record->arrived_usec <= now.usec &&
           record->request_len <= size &&
           size >= record_size(record->request_len) &&
           record->answer_len <= record->request_len + RESPONSE_GROWTH_BYTES &&
           (record->note_at == 0 ||
            (record->note_at == note_place(record->request_len) &&
             record->note_at <= size)) &&
           record->id_at <= record->request_len &&
           record->id_len <= record->request_len - record->id_at;
}

static void count_records(struct ledger *ledger) {
    for (struct extent *extent = ledger_room_first(&ledger->file.room);
         extent != NULL;
         extent = ledger_room_next(&ledger->file.room, extent)) {
        const struct ledger_record *record =
            (const struct ledger_record *)extent;
        if (ledger_room_mark_of(extent) == EXTENT_FREE)
            continue;
        if (record->sequence > ledger->last_sequence)
            ledger->last_sequence = record->sequence;
        ledger->count++;
    }
}

struct ledger *ledger_open(const char *path, size_t max_bytes) {
    struct ledger *ledger = memory_new(sizeof *ledger);
    if (ledger_file_open(&ledger->file, path, max_bytes, is_sound) < 0) {
        free(ledger);
        return NULL;
    }
    count_records(ledger);
    return ledger;
}

void ledger_close(struct ledger **ledger) {
    struct ledger *l = *ledger;
    struct message_block *block;
    *ledger = NULL;
    mapped_file_close(&l->file.mapped, l->count == 0);
    while ((block = l->blocks) != NULL) {
        l->blocks = block->next;
        free(block);
    }
    free(l);
}

void ledger_keep_notes(struct ledger *ledger, size_t bytes) {
    ledger->note_bytes = bytes;
}

static void add_block(struct ledger *ledger) {
    struct message_block *block = memory_new(sizeof *block);
    block->next = ledger->blocks;
    ledger->blocks = block;
    for (size_t i = 0; i < BLOCK_MESSAGES; i++)
        SLIST_INSERT_HEAD(&ledger->spare, &block->messages[i], spare);
}

/* What this process knows of a record. */
static inline struct message *make_message(struct ledger *ledger,
                                           struct ledger_record *record) {
    if (SLIST_EMPTY(&ledger->spare))
        add_block(ledger);
    struct message *message = SLIST_FIRST(&ledger->spare);
    monotime arrived = {record->arrived_usec};
    SLIST_REMOVE_HEAD(&ledger->spare, spare);
    message->record = record;
    message->sequence = record->sequence;
    message->arrived = message->waits_from = arrived;
    message->request = (struct span){record->bytes, record->request_len};
    message->id = (struct span){record->bytes + record->id_at, record->id_len};
    message->answer = (struct span){NULL, 0};
    message->connection = 0;
    message->deaths = record->deaths;
    message->position = message->confirms = 0;
    message->sends = message->breaks = message->lone_breaks = 0;
    message->suspected = (monotime){0};
    message->replaced = false;
    return message;
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

/*
 * The word that says which message is in work: its sequence, and how often it
 * will have been the end of a process if it is the end of this one. So a
 * successor that is killed while it counts does not count twice.
 */
static uint64_t word_of_work(const struct message *message) {
    uint64_t deaths =
        message->deaths < DEATHS_MAX ? message->deaths + 1 : DEATHS_MAX;
    return message->sequence * (DEATHS_MAX + 1) + deaths;
}

static void count_death(struct ledger_record *record, uint64_t word) {
    if (record->sequence == word / (DEATHS_MAX + 1))
        record->deaths = (uint32_t)(word % (DEATHS_MAX + 1));
}

void ledger_found(struct ledger *ledger, monotime now,
                  struct message_queue *queue) {
    uint64_t word = ledger->file.header->in_work;
    for (struct extent *extent = ledger_room_first(&ledger->file.room);
         extent != NULL;
         extent = ledger_room_next(&ledger->file.room, extent)) {
        if (ledger_room_mark_of(extent) == EXTENT_FREE)
            continue;
        struct ledger_record *record = (struct ledger_record *)extent;
        count_death(record, word);
        struct message *message = make_message(ledger, record);
        message->waits_from = now;
        if (ledger_room_mark_of(extent) == ANSWERED)
            message->answer =
                (struct span){ledger_answer_room(message), record->answer_len};
        else
            *ledger_answer_room(message) = '\0';
        TAILQ_INSERT_TAIL(queue, message, entry);
    }
    ledger_work_ends(ledger);
    message_queue_sort(queue);
}

/* That it can not grow costs this one nothing. */
static NOINLINE void grow_ahead(struct ledger *ledger) {
    (void)!ledger_file_grow(&ledger->file, 0);
}

/* The room has become long enough for it, or nothing is taken. */
static NOINLINE struct message *take_into_more_room(struct ledger *ledger,
                                                    struct span request,
                                                    monotime arrived) {
    return ledger_file_grow(&ledger->file, size_with_note(ledger, request.len))
               ? ledger_take(ledger, request, arrived)
               : NULL;
}

struct message *ledger_take(struct ledger *ledger, struct span request,
                            monotime arrived) {
    size_t size = size_with_note(ledger, request.len);
    struct ledger_record *record =
        (struct ledger_record *)ledger_room_find(&ledger->file.room, &size);
    if (record == NULL)
        return take_into_more_room(ledger, request, arrived);
    record->sequence = ++ledger->last_sequence;
    record->arrived_usec = arrived.usec;
    record->request_len = (uint32_t)request.len;
    record->answer_len = 0;
    record->id_at = record->id_len = 0;
    record->deaths = 0;
    record->note_at = 0;
    if (ledger->note_bytes > 0) {
        record->note_at = (uint32_t)note_place(request.len);
        memset((char *)record + record->note_at, 0, ledger->note_bytes);
    }
    memcpy(record->bytes, request.data, request.len);
    record->bytes[request.len] = '\0';
    ledger_room_take(&ledger->file.room, &record->extent, size, TAKEN);
    ledger->count++;
    if (ledger->file.room.used > ledger->file.grow_at)
        grow_ahead(ledger);
    return make_message(ledger, record);
}

bool ledger_could_take(const struct ledger *ledger, size_t request_len) {
    return ledger_room_could_hold(&ledger->file.room,
                                  size_with_note(ledger, request_len));
}

void ledger_note_id(struct message *message, struct span id) {
    struct ledger_record *record = message->record;
    if (id.len == 0)
        return;
    record->id_at = (uint32_t)(id.data - record->bytes);
    record->id_len = (uint32_t)id.len;
    message->id = id;
}

void ledger_work_begins(struct ledger *ledger, const struct message *message) {
    atomic_store_explicit(&ledger->file.header->in_work, word_of_work(message),
                          memory_order_release);
}

void ledger_work_ends(struct ledger *ledger) {
    atomic_store_explicit(&ledger->file.header->in_work, 0,
                          memory_order_release);
}

char *ledger_answer_room(struct message *message) {
    return message->record->bytes + message->request.len;
}

void *ledger_note(const struct message *message, size_t bytes) {
    struct ledger_record *record = message->record;
    if (record->note_at == 0 ||
        bytes > ledger_room_size_of(&record->extent) - record->note_at)
        return NULL;
    return (char *)record + record->note_at;
}

void ledger_answered(struct message *message, size_t len) {
    struct ledger_record *record = message->record;
    record->answer_len = (uint32_t)len;
    message->answer = (struct span){ledger_answer_room(message), len};
    ledger_room_set_mark(&record->extent, ANSWERED);
}

void ledger_unanswer(struct message *message) {
    ledger_room_set_mark(&message->record->extent, TAKEN);
    message->answer = (struct span){"", 0};
}

void ledger_release(struct ledger *ledger, struct message *message) {
    ledger_room_release(&ledger->file.room, &message->record->extent);
    SLIST_INSERT_HEAD(&ledger->spare, message, spare);
    ledger->count--;
}

bool ledger_restore(struct ledger *ledger) {
    struct mapped_file *file = &ledger->file.mapped;
    ledger_file_look(&ledger->file);
    int result = mapped_file_restore(file);
    bool said = ledger->nameless;
    ledger->nameless = result < 0;
    if (result < 0 && !said)
        log_error(EVENT_LEDGER_NOT_MADE_ANEW,
                  LOG_FIELDS(log_text("path", file->path),
                             log_text("why", strerror(errno))));
    if (result > 0)
        log_warn(EVENT_LEDGER_MADE_ANEW,
                 LOG_FIELDS(log_text("path", file->path),
                            log_int("messages", (int64_t)ledger->count)));
    if (result == 0 && file->path != NULL)
        files_freshen(file->path);
    return result > 0;
}

bool ledger_has_name(const struct ledger *ledger) {
    return ledger->file.mapped.path != NULL && !ledger->nameless;
}

size_t ledger_count(const struct ledger *ledger) {
    return ledger->count;
}

bool ledger_is_stuck(const struct ledger *ledger) {
    return ledger->file.stuck;
}

bool ledger_is_filling(const struct ledger *ledger) {
    return ledger->file.room.used > ledger->file.room.limit / 8;
}

size_t ledger_bytes(const struct ledger *ledger) {
    return ledger->file.room.used;
}

size_t ledger_max_bytes(const struct ledger *ledger) {
    return ledger_file_max_bytes(&ledger->file);
}
