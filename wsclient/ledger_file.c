#include "wsclient/ledger_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/memory.h"

enum { VERSION = 2, ROOM_AT = 4096 };

static const char magic[] = "fxledger";

/* Whole pages: the room can then grow in place. */
static size_t file_bytes(size_t room_bytes) {
    return ROOM_AT + (room_bytes + ROOM_AT - 1) / ROOM_AT * ROOM_AT;
}

static void use_mapping(struct ledger_file *file) {
    file->header = file->mapped.start;
    file->room = (char *)file->mapped.start + ROOM_AT;
    file->room_bytes = file->mapped.bytes - ROOM_AT;
}

static void begin(struct ledger_file *file) {
    use_mapping(file);
    atomic_store(&file->header->room_bytes, file->room_bytes);
    atomic_store(&file->header->handled, 0);
    file->is_new = true;
}

static int use_memory(struct ledger_file *file, size_t room_bytes) {
    if (mapped_file_use_memory(&file->mapped, file_bytes(room_bytes)) < 0)
        return -1;
    begin(file);
    return 0;
}

/* Goes on without: what is in hand then ends with this process. */
static int do_without(struct ledger_file *file, const char *path,
                      size_t room_bytes) {
    log_warn(
        "ledger_in_memory_only",
        LOG_FIELDS(log_text("path", path), log_text("why", strerror(errno))));
    return use_memory(file, room_bytes);
}

/* NULL, or why the file can not be gone on with. */
static const char *go_on_with(struct ledger_file *file, enum mapped_form form) {
    static const char *const faults[] = {
        [MAPPED_FORM_FOREIGN] = "it is no ledger",
        [MAPPED_FORM_VERSION] = "another version wrote it",
        [MAPPED_FORM_BOOT] = "it is of an earlier boot",
        [MAPPED_FORM_SAME] = NULL,
    };
    struct ledger_header header;
    if (faults[form] != NULL)
        return faults[form];
    size_t length = mapped_file_length(&file->mapped);
    if (length <= ROOM_AT ||
        pread(file->mapped.fd, &header, sizeof header, 0) != sizeof header ||
        header.room_bytes == 0 || header.room_bytes % ROOM_AT != 0 ||
        header.room_bytes > length - ROOM_AT)
        return "it is damaged";
    if (mapped_file_map(&file->mapped, ROOM_AT + header.room_bytes) < 0)
        return strerror(errno);
    use_mapping(file);
    return NULL;
}

int ledger_file_open(struct ledger_file *file, const char *path,
                     size_t room_bytes) {
    *file = (struct ledger_file){.is_new = false};
    if (path == NULL)
        return use_memory(file, room_bytes);
    if (mapped_file_open(&file->mapped, path) < 0)
        return errno == EWOULDBLOCK ? -1 : do_without(file, path, room_bytes);
    enum mapped_form form = mapped_file_form(&file->mapped, magic, VERSION);
    if (form != MAPPED_FORM_NONE) {
        const char *why = go_on_with(file, form);
        return why == NULL ? 0 : ledger_file_set_aside(file, why, room_bytes);
    }
    if (mapped_file_map(&file->mapped, file_bytes(room_bytes)) == 0) {
        begin(file);
        return 0;
    }
    int error = errno;
    mapped_file_close(&file->mapped, true);
    errno = error;
    return do_without(file, path, room_bytes);
}

void ledger_file_begun(struct ledger_file *file) {
    mapped_file_begin(&file->mapped, magic, VERSION);
    file->is_new = false;
}

int ledger_file_grow(struct ledger_file *file, size_t room_bytes) {
    if (mapped_file_map(&file->mapped, file_bytes(room_bytes)) < 0)
        return -1;
    use_mapping(file);
    return 0;
}

int ledger_file_set_aside(struct ledger_file *file, const char *why,
                          size_t room_bytes) {
    char *path = memory_print("%s", file->mapped.path);
    char *aside = memory_print("%s.aside", path);
    log_warn("ledger_set_aside",
             LOG_FIELDS(log_text("path", path), log_text("why", why),
                        log_text("kept_as", aside)));
    bool moved = rename(path, aside) == 0;
    ledger_file_close(file, false);
    int opened = ledger_file_open(file, moved ? path : NULL, room_bytes);
    free(aside);
    free(path);
    return opened;
}

void ledger_file_close(struct ledger_file *file, bool remove) {
    mapped_file_close(&file->mapped, remove);
    file->header = NULL;
}
