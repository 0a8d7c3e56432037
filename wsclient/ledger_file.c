#include "wsclient/ledger_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/memory.h"

enum { VERSION = 3, ROOM_AT = 4096 };

/* So many looks in a row find it empty before it gives back what it grew by. */
enum { EMPTY_LOOKS = 10 };

/* At most so much is allocated at once: it holds up the messages. */
enum { LONGEST_STEP = 8 << 20 };

static const char magic[] = "fxledger";

static size_t whole_pages(size_t bytes) {
    return (bytes + ROOM_AT - 1) / ROOM_AT * ROOM_AT;
}

/* How long the room can become. */
static size_t full_room(const struct ledger_file *file) {
    return file->mapped.bytes - ROOM_AT;
}

static size_t smaller(size_t one, size_t other) {
    return one < other ? one : other;
}

/* Gives where the room begins. */
static char *use_mapping(struct ledger_file *file) {
    file->header = file->mapped.start;
    return (char *)file->mapped.start + ROOM_AT;
}

/*
 * It is made longer while a quarter is left, so that a disk that is full is met
 * before the room is needed.
 */
static void plan(struct ledger_file *file) {
    file->grow_at = file->room.bytes < full_room(file)
                        ? file->room.bytes / 4 * 3
                        : SIZE_MAX;
}

static void lay_out(struct ledger_file *file, size_t max_bytes) {
    char *base = use_mapping(file);
    size_t room_bytes = file->mapped.allocated - ROOM_AT;
    atomic_store(&file->header->room_bytes, room_bytes);
    atomic_store(&file->header->in_work, 0);
    ledger_room_format(&file->room, base, room_bytes, max_bytes);
    plan(file);
    mapped_file_begin(&file->mapped, magic, VERSION);
}

static int use_memory(struct ledger_file *file, size_t max_bytes) {
    size_t bytes = ROOM_AT + whole_pages(max_bytes);
    if (mapped_file_use_memory(&file->mapped, bytes) < 0)
        return -1;
    lay_out(file, max_bytes);
    return 0;
}

/* Goes on without: what is in hand then ends with this process. */
static int do_without(struct ledger_file *file, const char *path,
                      size_t max_bytes) {
    log_warn(
        EVENT_LEDGER_IN_MEMORY_ONLY,
        LOG_FIELDS(log_text("path", path), log_text("why", strerror(errno))));
    return use_memory(file, max_bytes);
}

static int make_file(struct ledger_file *file, const char *path,
                     size_t max_bytes) {
    size_t full = whole_pages(max_bytes);
    if (mapped_file_reserve(&file->mapped, ROOM_AT + full) < 0 ||
        mapped_file_map(&file->mapped,
                        ROOM_AT + smaller(full, LEDGER_FILE_STEP)) < 0) {
        int error = errno;
        mapped_file_close(&file->mapped, true);
        errno = error;
        return do_without(file, path, max_bytes);
    }
    lay_out(file, max_bytes);
    return 0;
}

static bool all_are_sound(const struct ledger_room *room,
                          ledger_extent_check *is_sound) {
    monotime now = clock_monotonic();
    for (const struct extent *extent = ledger_room_first(room); extent != NULL;
         extent = ledger_room_next(room, extent))
        if (ledger_room_mark_of(extent) != EXTENT_FREE &&
            !is_sound(extent, now))
            return false;
    return true;
}

/* Takes over what an earlier wsclient left. NULL, or why it can not be. */
static const char *go_on(struct ledger_file *file, enum mapped_form form,
                         size_t max_bytes, ledger_extent_check *is_sound) {
    static const char *const faults[] = {
        [MAPPED_FORM_FOREIGN] = "it is no ledger",
        [MAPPED_FORM_VERSION] = "another version wrote it",
        [MAPPED_FORM_BOOT] = "it is of an earlier boot",
        [MAPPED_FORM_SAME] = NULL,
    };
    struct mapped_file *mapped = &file->mapped;
    struct ledger_header header;
    size_t length = mapped_file_length(mapped), full = whole_pages(max_bytes);
    if (faults[form] != NULL)
        return faults[form];
    if (length <= ROOM_AT ||
        pread(mapped->fd, &header, sizeof header, 0) != sizeof header ||
        header.room_bytes == 0 || header.room_bytes % ROOM_AT != 0 ||
        header.room_bytes > length - ROOM_AT)
        return "it is damaged";
    if (full < header.room_bytes)
        full = header.room_bytes;
    if (mapped_file_reserve(mapped, ROOM_AT + full) < 0 ||
        mapped_file_map(mapped, ROOM_AT + header.room_bytes) < 0)
        return strerror(errno);
    if (!ledger_room_open(&file->room, use_mapping(file), header.room_bytes,
                          max_bytes) ||
        !all_are_sound(&file->room, is_sound))
        return "it is damaged";
    /* A kill may have come in the middle of growing or of giving back. */
    mapped_file_shorten(mapped, ROOM_AT + header.room_bytes);
    plan(file);
    return NULL;
}

/* Renames the file, for a person to look at. False: it stays where it is. */
static bool set_aside(struct ledger_file *file, const char *path,
                      const char *why) {
    char *aside = memory_print("%s.aside", path);
    log_warn(EVENT_LEDGER_SET_ASIDE,
             LOG_FIELDS(log_text("path", path), log_text("why", why),
                        log_text("kept_as", aside)));
    bool moved = rename(path, aside) == 0;
    mapped_file_close(&file->mapped, false);
    free(aside);
    return moved;
}

int ledger_file_open(struct ledger_file *file, const char *path,
                     size_t max_bytes, ledger_extent_check *is_sound) {
    *file = (struct ledger_file){.stuck = false};
    if (path == NULL)
        return use_memory(file, max_bytes);
    if (mapped_file_open(&file->mapped, path) < 0)
        return errno == EWOULDBLOCK ? -1 : do_without(file, path, max_bytes);
    enum mapped_form form = mapped_file_form(&file->mapped, magic, VERSION);
    if (form == MAPPED_FORM_NONE)
        return make_file(file, path, max_bytes);
    const char *why = go_on(file, form, max_bytes, is_sound);
    if (why == NULL)
        return 0;
    return ledger_file_open(file, set_aside(file, path, why) ? path : NULL,
                            max_bytes, is_sound);
}

/*
 * A part of what there is: each time the room has been searched in full and in
 * vain, so that steps of one length would cost the more the longer it is.
 */
static size_t wished_step(const struct ledger_file *file) {
    return smaller(whole_pages(file->room.bytes / 4), LONGEST_STEP);
}

static size_t least_step(size_t size) {
    return size > LEDGER_FILE_STEP ? whole_pages(size) : LEDGER_FILE_STEP;
}

static int grow_by(struct ledger_file *file, size_t step) {
    if (mapped_file_map(&file->mapped, ROOM_AT + file->room.bytes + step) < 0)
        return -1;
    ledger_room_grow(&file->room, step);
    atomic_store(&file->header->room_bytes, file->room.bytes);
    file->stuck = false;
    plan(file);
    return 0;
}

static void say_stuck(struct ledger_file *file) {
    if (!file->stuck)
        log_error(EVENT_LEDGER_NOT_GROWN,
                  LOG_FIELDS(log_text("path", file->mapped.path),
                             log_int("bytes", (int64_t)file->room.bytes),
                             log_text("why", strerror(errno))));
    file->stuck = true;
    file->grow_at = SIZE_MAX;
}

bool ledger_file_grow(struct ledger_file *file, size_t size) {
    size_t rest = full_room(file) - file->room.bytes;
    size_t least = smaller(least_step(size), rest);
    size_t wished = smaller(wished_step(file), rest);
    if (file->grow_at == SIZE_MAX || !ledger_room_may_give(&file->room, size))
        return false;
    if ((wished > least && grow_by(file, wished) == 0) ||
        grow_by(file, least) == 0)
        return true;
    say_stuck(file);
    return false;
}

/* Whoever opens it after a kill between two of these steps finds it whole. */
static void give_back(struct ledger_file *file) {
    ledger_room_shrink(&file->room, LEDGER_FILE_STEP);
    atomic_store(&file->header->room_bytes, file->room.bytes);
    mapped_file_shorten(&file->mapped, ROOM_AT + file->room.bytes);
    file->stuck = false;
}

void ledger_file_look(struct ledger_file *file) {
    if (file->room.used > 0 || file->room.bytes <= LEDGER_FILE_STEP)
        file->empty_looks = 0;
    else if (++file->empty_looks == EMPTY_LOOKS && file->mapped.path != NULL)
        give_back(file);
    plan(file);
    if (file->stuck)
        (void)!ledger_file_grow(file, 0);
}

size_t ledger_file_max_bytes(const struct ledger_file *file) {
    return smaller(file->room.limit,
                   file->stuck ? file->room.bytes : full_room(file));
}
