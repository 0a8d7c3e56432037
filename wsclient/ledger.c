#include "wsclient/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mapped_file.h"
#include "common/memory.h"
#include "wsclient/ledger_room.h"
#include "wsclient/response.h"

enum { VERSION = 3, ROOM_AT = 4096 };

static const char magic[] = "fxledger";

/* At the front of the file; the room for messages follows at ROOM_AT. */
struct ledger_header {
    struct mapped_header form;
    _Atomic uint64_t room_bytes;
    _Atomic uint64_t in_work; /* see word_of_work(); 0: no message is */
};

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
    struct mapped_file file;
    struct ledger_header *header; /* in the file, as is the room */
    struct ledger_room room;
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
 * Whether the record can be what a wsclient left. Its `size` comes first: of a
 * shorter one not even the members may be read.
 */
static bool is_sound(const struct ledger_record *record, size_t size,
                     monotime now) {
    return size >= record_size(0) &&
           ledger_room_mark_of(&record->extent) <= ANSWERED &&
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

/* Counts the records; false: what is in the room can not be read. */
static bool check_records(struct ledger *ledger) {
    monotime now = clock_monotonic();
    for (struct extent *extent = ledger_room_first(&ledger->room);
         extent != NULL; extent = ledger_room_next(&ledger->room, extent)) {
        const struct ledger_record *record =
            (const struct ledger_record *)extent;
        if (ledger_room_mark_of(extent) == EXTENT_FREE)
            continue;
        if (!is_sound(record, ledger_room_size_of(extent), now))
            return false;
        if (record->sequence > ledger->last_sequence)
            ledger->last_sequence = record->sequence;
        ledger->count++;
    }
    return true;
}

/* The file's length with room for so many bytes: it grows by whole pages. */
static size_t file_bytes(size_t room_bytes) {
    return ROOM_AT + (room_bytes + ROOM_AT - 1) / ROOM_AT * ROOM_AT;
}

/* Gives where the room begins. */
static char *use_mapping(struct ledger *ledger) {
    ledger->header = ledger->file.start;
    return (char *)ledger->file.start + ROOM_AT;
}

static void lay_out(struct ledger *ledger, size_t max_bytes) {
    char *base = use_mapping(ledger);
    size_t room_bytes = ledger->file.bytes - ROOM_AT;
    atomic_store(&ledger->header->room_bytes, room_bytes);
    atomic_store(&ledger->header->in_work, 0);
    ledger_room_format(&ledger->room, base, room_bytes, max_bytes);
    mapped_file_begin(&ledger->file, magic, VERSION);
}

static int use_memory(struct ledger *ledger, size_t max_bytes) {
    if (mapped_file_use_memory(&ledger->file, file_bytes(max_bytes)) < 0)
        return -1;
    lay_out(ledger, max_bytes);
    return 0;
}

/* Goes on without: what is in hand then ends with this process. */
static int do_without(struct ledger *ledger, const char *path,
                      size_t max_bytes) {
    log_warn(
        EVENT_LEDGER_IN_MEMORY_ONLY,
        LOG_FIELDS(log_text("path", path), log_text("why", strerror(errno))));
    return use_memory(ledger, max_bytes);
}

static int make_file(struct ledger *ledger, const char *path,
                     size_t max_bytes) {
    if (mapped_file_map(&ledger->file, file_bytes(max_bytes)) < 0) {
        int error = errno;
        mapped_file_close(&ledger->file, true);
        errno = error;
        return do_without(ledger, path, max_bytes);
    }
    lay_out(ledger, max_bytes);
    return 0;
}

/* The setting may be higher now than it was when the file was made. */
static void grow(struct ledger *ledger, size_t max_bytes) {
    size_t before = ledger->room.bytes;
    if (before >= max_bytes)
        return;
    if (mapped_file_map(&ledger->file, file_bytes(max_bytes)) < 0) {
        log_warn(EVENT_LEDGER_NOT_GROWN,
                 LOG_FIELDS(log_text("path", ledger->file.path),
                            log_int("bytes", (int64_t)before)));
        return;
    }
    ledger->room.base = use_mapping(ledger);
    ledger_room_grow(&ledger->room, ledger->file.bytes - ROOM_AT - before);
    atomic_store(&ledger->header->room_bytes, ledger->room.bytes);
}

/* Takes over what an earlier wsclient left. NULL, or why it can not be. */
static const char *go_on(struct ledger *ledger, enum mapped_form form,
                         size_t max_bytes) {
    static const char *const faults[] = {
        [MAPPED_FORM_FOREIGN] = "it is no ledger",
        [MAPPED_FORM_VERSION] = "another version wrote it",
        [MAPPED_FORM_BOOT] = "it is of an earlier boot",
        [MAPPED_FORM_SAME] = NULL,
    };
    struct mapped_file *file = &ledger->file;
    struct ledger_header header;
    size_t length = mapped_file_length(file);
    if (faults[form] != NULL)
        return faults[form];
    if (length <= ROOM_AT ||
        pread(file->fd, &header, sizeof header, 0) != sizeof header ||
        header.room_bytes == 0 || header.room_bytes % ROOM_AT != 0 ||
        header.room_bytes > length - ROOM_AT)
        return "it is damaged";
    if (mapped_file_map(file, ROOM_AT + header.room_bytes) < 0)
        return strerror(errno);
    if (!ledger_room_open(&ledger->room, use_mapping(ledger), header.room_bytes,
                          max_bytes) ||
        !check_records(ledger))
        return "it is damaged";
    grow(ledger, max_bytes);
    return NULL;
}

/* Renames the file, for a person to look at. False: it stays where it is. */
static bool set_aside(struct ledger *ledger, const char *path,
                      const char *why) {
    char *aside = memory_print("%s.aside", path);
    log_warn(EVENT_LEDGER_SET_ASIDE,
             LOG_FIELDS(log_text("path", path), log_text("why", why),
                        log_text("kept_as", aside)));
    bool moved = rename(path, aside) == 0;
    mapped_file_close(&ledger->file, false);
    *ledger = (struct ledger){.count = 0};
    free(aside);
    return moved;
}

static int open_file(struct ledger *ledger, const char *path,
                     size_t max_bytes) {
    if (path == NULL)
        return use_memory(ledger, max_bytes);
    if (mapped_file_open(&ledger->file, path) < 0)
        return errno == EWOULDBLOCK ? -1 : do_without(ledger, path, max_bytes);
    enum mapped_form form = mapped_file_form(&ledger->file, magic, VERSION);
    if (form == MAPPED_FORM_NONE)
        return make_file(ledger, path, max_bytes);
    const char *why = go_on(ledger, form, max_bytes);
    if (why == NULL)
        return 0;
    return open_file(ledger, set_aside(ledger, path, why) ? path : NULL,
                     max_bytes);
}

struct ledger *ledger_open(const char *path, size_t max_bytes) {
    struct ledger *ledger = memory_new(sizeof *ledger);
    if (open_file(ledger, path, max_bytes) == 0)
        return ledger;
    free(ledger);
    return NULL;
}

void ledger_close(struct ledger **ledger) {
    struct ledger *l = *ledger;
    struct message_block *block;
    *ledger = NULL;
    mapped_file_close(&l->file, l->count == 0);
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
    uint64_t word = ledger->header->in_work;
    for (struct extent *extent = ledger_room_first(&ledger->room);
         extent != NULL; extent = ledger_room_next(&ledger->room, extent)) {
        if (ledger_room_mark_of(extent) == EXTENT_FREE)
            continue;
        struct ledger_record *record = (struct ledger_record *)extent;
        count_death(record, word);
        struct message *message = make_message(ledger, record);
        message->waits_from = now;
        if (ledger_room_mark_of(extent) == ANSWERED)
            message->answer =
                (struct span){ledger_answer_room(message), record->answer_len};
        TAILQ_INSERT_TAIL(queue, message, entry);
    }
    ledger_work_ends(ledger);
    message_queue_sort(queue);
}

struct message *ledger_take(struct ledger *ledger, struct span request,
                            monotime arrived) {
    size_t size = size_with_note(ledger, request.len);
    struct ledger_record *record =
        (struct ledger_record *)ledger_room_find(&ledger->room, &size);
    if (record == NULL)
        return NULL;
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
    ledger_room_take(&ledger->room, &record->extent, size, TAKEN);
    ledger->count++;
    return make_message(ledger, record);
}

bool ledger_could_take(const struct ledger *ledger, size_t request_len) {
    return ledger_room_could_hold(&ledger->room,
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
    atomic_store_explicit(&ledger->header->in_work, word_of_work(message),
                          memory_order_release);
}

void ledger_work_ends(struct ledger *ledger) {
    atomic_store_explicit(&ledger->header->in_work, 0, memory_order_release);
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
    ledger_room_release(&ledger->room, &message->record->extent);
    SLIST_INSERT_HEAD(&ledger->spare, message, spare);
    ledger->count--;
}

bool ledger_restore(struct ledger *ledger) {
    struct mapped_file *file = &ledger->file;
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
    return ledger->file.path != NULL && !ledger->nameless;
}

size_t ledger_count(const struct ledger *ledger) {
    return ledger->count;
}

bool ledger_is_filling(const struct ledger *ledger) {
    return ledger->room.used > ledger->room.limit / 8;
}

size_t ledger_bytes(const struct ledger *ledger) {
    return ledger->room.used;
}

size_t ledger_max_bytes(const struct ledger *ledger) {
    return ledger->room.limit < ledger->room.bytes ? ledger->room.limit
                                                   : ledger->room.bytes;
}
