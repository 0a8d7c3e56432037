#include "wsclient/ledger_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/files.h"
#include "common/log.h"
#include "common/memory.h"

enum { VERSION = 1, ROOM_AT = 4096 };

/* How often a lock is tried, and how long after each try. */
enum { LOCK_TRIES = 31, LOCK_PAUSE_MS = 50 };

static const char in_use[] = "another wsclient has it";

static const char magic[8] = {'f', 'x', 'l', 'e', 'd', 'g', 'e', 'r'};

/* Functions of type `fault` give NULL, or why the file can not be used. */
typedef const char *fault;

static void *map(int fd, size_t bytes) {
    int flags =
        fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
    void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    return mapped != MAP_FAILED ? mapped : NULL;
}

static fault map_file(struct ledger_file *file, size_t room_bytes) {
    file->mapped_bytes = ROOM_AT + room_bytes;
    file->header = map(file->fd, file->mapped_bytes);
    if (file->header == NULL)
        return strerror(errno);
    file->room = (char *)file->header + ROOM_AT;
    file->room_bytes = room_bytes;
    return NULL;
}

static void unmap(struct ledger_file *file) {
    if (file->header != NULL)
        munmap(file->header, file->mapped_bytes);
    file->header = NULL;
}

/* All of it, for a hole that the disk has no block for would be a SIGBUS. */
static fault allocate(const struct ledger_file *file, size_t room_bytes) {
    int error = posix_fallocate(file->fd, 0, (off_t)(ROOM_AT + room_bytes));
    return error == 0 ? NULL : strerror(error);
}

static void begin(struct ledger_file *file) {
    struct ledger_header *header = file->header;
    header->version = VERSION;
    files_boot_id(header->boot_id);
    atomic_store(&header->room_bytes, file->room_bytes);
    atomic_store(&header->handled, 0);
    file->is_new = true;
}

static fault make(struct ledger_file *file, size_t room_bytes) {
    fault why = allocate(file, room_bytes);
    if (why == NULL)
        why = map_file(file, room_bytes);
    if (why == NULL)
        begin(file);
    else
        unlink(file->path); /* a part of it may have been had */
    return why;
}

/* Whether the header is that of a file that this process can go on with. */
static fault check_header(const struct ledger_header *header,
                          off_t file_bytes) {
    char boot_id[BOOT_ID_SIZE];
    files_boot_id(boot_id);
    uint64_t room_bytes = header->room_bytes;
    if (memcmp(header->magic, magic, sizeof magic) != 0)
        return "it is no ledger";
    if (header->version != VERSION)
        return "another version wrote it";
    if (memcmp(header->boot_id, boot_id, BOOT_ID_SIZE) != 0)
        return "it is of an earlier boot";
    if (room_bytes == 0 || room_bytes % ROOM_AT != 0 ||
        room_bytes > (uint64_t)file_bytes - ROOM_AT)
        return "it is damaged";
    return NULL;
}

/* A wsclient that was killed while it made the file has left zeros. */
static bool was_never_begun(const struct ledger_file *file, off_t file_bytes) {
    static const char none[sizeof magic];
    char start[sizeof magic] = {0};
    return file_bytes == 0 || (pread(file->fd, start, sizeof start, 0) > 0 &&
                               memcmp(start, none, sizeof none) == 0);
}

static fault go_on_with(struct ledger_file *file, off_t file_bytes) {
    struct ledger_header header;
    if (pread(file->fd, &header, sizeof header, 0) != sizeof header ||
        file_bytes <= ROOM_AT)
        return "it is damaged";
    fault why = check_header(&header, file_bytes);
    return why != NULL ? why : map_file(file, header.room_bytes);
}

/* Whether the path still leads to the file that was opened. */
static bool is_still_there(const struct ledger_file *file) {
    struct stat opened, named;
    return fstat(file->fd, &opened) == 0 && lstat(file->path, &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/*
 * Waits a little for who holds it: one that was killed may still be on its way
 * out. A blocking flock() could be ended by a signal alone, which it may miss.
 */
static fault lock(const struct ledger_file *file) {
    static const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000};
    for (int tries = 1; flock(file->fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        if (errno != EWOULDBLOCK)
            return strerror(errno);
        if (tries == LOCK_TRIES)
            return in_use;
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static fault open_locked(struct ledger_file *file, struct stat *status) {
    for (;;) {
        file->fd =
            open(file->path,
                 O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (file->fd < 0 || fstat(file->fd, status) < 0)
            return strerror(errno);
        if (!S_ISREG(status->st_mode) || status->st_uid != geteuid())
            return "it is no file of ours";
        fault why = lock(file);
        if (why != NULL)
            return why;
        if (is_still_there(file) && fstat(file->fd, status) == 0)
            return NULL;
        close(file->fd); /* its last holder has removed it */
    }
}

static void use_memory(struct ledger_file *file, size_t room_bytes) {
    *file = (struct ledger_file){.fd = -1};
    if (map_file(file, room_bytes) != NULL) {
        log_error("start_failed", LOG_FIELDS(log_text("why", strerror(errno))));
        exit(EXIT_FAILURE);
    }
    begin(file);
}

/* Goes on without: what is in hand then ends with this process. */
static void do_without(struct ledger_file *file, const char *why,
                       size_t room_bytes) {
    log_warn("ledger_in_memory_only",
             LOG_FIELDS(log_text("path", file->path), log_text("why", why)));
    ledger_file_close(file, false);
    use_memory(file, room_bytes);
}

bool ledger_file_open(struct ledger_file *file, const char *path,
                      size_t room_bytes) {
    /* Whole pages: the room can then grow in place. */
    room_bytes = (room_bytes + ROOM_AT - 1) / ROOM_AT * ROOM_AT;
    if (path == NULL) {
        use_memory(file, room_bytes);
        return true;
    }
    *file = (struct ledger_file){.path = memory_print("%s", path), .fd = -1};
    struct stat status;
    fault why = open_locked(file, &status);
    if (why == NULL && was_never_begun(file, status.st_size))
        why = make(file, room_bytes);
    else if (why == NULL && (why = go_on_with(file, status.st_size)) != NULL)
        return ledger_file_set_aside(file, why, room_bytes);
    if (why == in_use)
        ledger_file_close(file, false);
    else if (why != NULL)
        do_without(file, why, room_bytes);
    return why != in_use;
}

void ledger_file_begun(struct ledger_file *file) {
    atomic_thread_fence(memory_order_release);
    memcpy(file->header->magic, magic, sizeof magic);
    file->is_new = false;
}

bool ledger_file_grow(struct ledger_file *file, size_t room_bytes) {
    room_bytes = (room_bytes + ROOM_AT - 1) / ROOM_AT * ROOM_AT;
    if (allocate(file, room_bytes) != NULL) {
        /* A part of it may have been had. */
        if (ftruncate(file->fd, (off_t)(ROOM_AT + file->room_bytes)) < 0)
            log_warn("ledger_not_cut",
                     LOG_FIELDS(log_text("path", file->path)));
        return false;
    }
    void *grown = mremap(file->header, file->mapped_bytes, ROOM_AT + room_bytes,
                         MREMAP_MAYMOVE);
    if (grown == MAP_FAILED)
        return false;
    file->header = grown;
    file->mapped_bytes = ROOM_AT + room_bytes;
    file->room = (char *)grown + ROOM_AT;
    file->room_bytes = room_bytes;
    return true;
}

bool ledger_file_set_aside(struct ledger_file *file, const char *why,
                           size_t room_bytes) {
    char *path = file->path, *aside = memory_print("%s.aside", file->path);
    log_warn("ledger_set_aside",
             LOG_FIELDS(log_text("path", path), log_text("why", why),
                        log_text("kept_as", aside)));
    file->path = NULL;
    bool moved = rename(path, aside) == 0;
    ledger_file_close(file, false);
    bool opened = ledger_file_open(file, moved ? path : NULL, room_bytes);
    free(aside);
    free(path);
    return opened;
}

void ledger_file_close(struct ledger_file *file, bool remove) {
    if (remove && file->path != NULL)
        unlink(file->path);
    unmap(file);
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    *file = (struct ledger_file){.fd = -1};
}
