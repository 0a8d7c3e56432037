#include "ratefetcher/call_counts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/files.h"
#include "common/log.h"
#include "common/memory.h"

static const char magic[16] = "fxwire calls 1";

struct page {
    char magic[16];
    char boot_id[BOOT_ID_SIZE]; /* the last minute's calls are of that boot */
    char token[CALL_COUNTS_TOKEN_SIZE];
    struct call_counts_record records[CALL_COUNTS_RECORDS];
};

struct call_counts {
    int fd; /* locked; -1: the page is in memory alone */
    struct page *page;
};

/* Opened, ours alone and allocated: a hole on a full disk is a SIGBUS. */
static int open_file(const char *dir) {
    if (files_make_folder(dir) < 0)
        return -1;
    char *path = memory_print("%s/calls", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(path);
    if (fd < 0)
        return -1;
    int error = 0;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        error = errno;
    else
        error = posix_fallocate(fd, 0, sizeof(struct page));
    if (error == 0)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

static bool is_terminated(const char *text, size_t size) {
    return memchr(text, '\0', size) != NULL;
}

static bool is_well(const struct page *page) {
    if (memcmp(page->magic, magic, sizeof magic) != 0 ||
        strnlen(page->token, CALL_COUNTS_TOKEN_SIZE) !=
            CALL_COUNTS_TOKEN_SIZE - 1)
        return false;
    for (size_t i = 0; i < CALL_COUNTS_RECORDS; i++)
        if (!is_terminated(page->records[i].provider,
                           sizeof page->records[i].provider))
            return false;
    return true;
}

/* Empties a page that is not of this form, and forgets another boot's times. */
static void prepare(struct page *page) {
    char boot_id[BOOT_ID_SIZE];
    files_boot_id(boot_id);
    if (!is_well(page)) {
        memset(page, 0, sizeof *page);
        snprintf(page->token, sizeof page->token, "%08x%08x%08x%08x",
                 arc4random(), arc4random(), arc4random(), arc4random());
        memcpy(page->magic, magic, sizeof magic);
    }
    if (memcmp(page->boot_id, boot_id, BOOT_ID_SIZE) == 0)
        return;
    for (size_t i = 0; i < CALL_COUNTS_RECORDS; i++)
        page->records[i].quota = (struct quota){0};
    memcpy(page->boot_id, boot_id, BOOT_ID_SIZE);
}

struct call_counts *call_counts_open(const char *dir) {
    struct call_counts *book = memory_new(sizeof *book);
    void *page = MAP_FAILED;
    book->fd = open_file(dir);
    if (book->fd >= 0)
        page = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE,
                    MAP_SHARED, book->fd, 0);
    if (page == MAP_FAILED) {
        log_warn("calls_not_kept",
                 LOG_FIELDS(log_text("folder", dir),
                            log_text("why", strerror(errno))));
        if (book->fd >= 0)
            close(book->fd);
        book->fd = -1;
        page = memory_new(sizeof(struct page));
    }
    book->page = page;
    prepare(book->page);
    return book;
}

void call_counts_close(struct call_counts **book) {
    struct call_counts *b = *book;
    *book = NULL;
    if (b->fd >= 0) {
        munmap(b->page, sizeof *b->page);
        close(b->fd);
    } else {
        free(b->page);
    }
    free(b);
}

struct call_counts_record *call_counts_record(struct call_counts *book,
                                              const char *provider) {
    struct call_counts_record *records = book->page->records;
    size_t i = 0;
    while (i < CALL_COUNTS_RECORDS - 1 && records[i].provider[0] != '\0' &&
           strcmp(records[i].provider, provider) != 0)
        i++;
    if (strcmp(records[i].provider, provider) != 0) {
        records[i] = (struct call_counts_record){0};
        snprintf(records[i].provider, sizeof records[i].provider, "%s",
                 provider);
    }
    return &records[i];
}

const char *call_counts_token(const struct call_counts *book) {
    return book->page->token;
}

static void print_month(day today, char out[static 8]) {
    char text[DAY_TEXT_SIZE];
    day_print(today, text);
    memcpy(out, text, 7);
    out[7] = '\0';
}

void call_counts_add(struct call_counts_record *record, day today,
                     monotime now) {
    char month[8];
    print_month(today, month);
    if (memcmp(record->month, month, sizeof month) != 0) {
        record->calls = 0;
        memcpy(record->month, month, sizeof month);
    }
    record->calls++;
    quota_take(&record->quota, now);
}

static bool is_of_month(const struct call_counts_record *record, day today) {
    char month[8];
    print_month(today, month);
    return memcmp(record->month, month, sizeof month) == 0;
}

void call_counts_take_back(struct call_counts_record *record, day today,
                           monotime counted) {
    if (is_of_month(record, today) && record->calls > 0)
        record->calls--;
    quota_give_back(&record->quota, counted);
}

uint64_t call_counts_of_month(const struct call_counts_record *record,
                              day today) {
    return is_of_month(record, today) ? record->calls : 0;
}
