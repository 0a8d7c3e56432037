#include "ratefetcher/call_counts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mapped_file.h"
#include "common/memory.h"

enum { VERSION = 1 };

static const char magic[] = "fxwcalls";

struct call_counts_page {
    struct mapped_header form; /* the last minute's calls are of its boot */
    char token[CALL_COUNTS_TOKEN_SIZE];
    struct call_counts_record records[CALL_COUNTS_RECORDS];
};

struct call_counts {
    char *dir;
    bool nameless; /* the file can not be made anew, which was said */
    struct mapped_file file;
    struct call_counts_page *page; /* in the file, or allocated */
};

/* Maps the page; -1 and errno: it can not be. */
static int open_page(struct mapped_file *file, const char *dir,
                     enum mapped_form *form) {
    if (files_make_folder(dir) < 0)
        return -1;
    char *path = memory_print("%s/calls", dir);
    int opened = mapped_file_open(file, path);
    free(path);
    if (opened < 0)
        return -1;
    *form = mapped_file_form(file, magic, VERSION);
    if (mapped_file_map(file, sizeof(struct call_counts_page)) == 0)
        return 0;
    int error = errno;
    mapped_file_close(file, false);
    errno = error;
    return -1;
}

static bool is_well(const struct call_counts_page *page) {
    if (strnlen(page->token, CALL_COUNTS_TOKEN_SIZE) !=
        CALL_COUNTS_TOKEN_SIZE - 1)
        return false;
    for (size_t i = 0; i < CALL_COUNTS_RECORDS; i++) {
        const struct call_counts_record *record = &page->records[i];
        if (memchr(record->provider, '\0', sizeof record->provider) == NULL ||
            record->quota.newest < 0)
            return false;
    }
    return true;
}

/* Empties a page that is not of this form, and forgets another boot's times. */
static void prepare(struct call_counts_page *page, enum mapped_form form) {
    if ((form != MAPPED_FORM_SAME && form != MAPPED_FORM_BOOT) ||
        !is_well(page)) {
        memset(page, 0, sizeof *page);
        snprintf(page->token, sizeof page->token, "%08x%08x%08x%08x",
                 arc4random(), arc4random(), arc4random(), arc4random());
    }
    for (size_t i = 0; form == MAPPED_FORM_BOOT && i < CALL_COUNTS_RECORDS; i++)
        page->records[i].quota = (struct quota){0};
}

struct call_counts *call_counts_open(const char *dir) {
    struct call_counts *book = memory_new(sizeof *book);
    book->dir = memory_copy(dir, strlen(dir));
    enum mapped_form form = MAPPED_FORM_NONE;
    if (open_page(&book->file, dir, &form) == 0) {
        book->page = book->file.start;
        prepare(book->page, form);
        mapped_file_begin(&book->file, magic, VERSION);
        return book;
    }
    log_warn(
        EVENT_CALLS_NOT_KEPT,
        LOG_FIELDS(log_text("folder", dir), log_text("why", strerror(errno))));
    book->page = memory_new(sizeof *book->page);
    prepare(book->page, MAPPED_FORM_NONE);
    return book;
}

void call_counts_close(struct call_counts **book) {
    struct call_counts *b = *book;
    *book = NULL;
    if (b->file.start == NULL)
        free(b->page);
    else
        mapped_file_close(&b->file, false);
    free(b->dir);
    free(b);
}

void call_counts_restore(struct call_counts *book) {
    struct mapped_file *file = &book->file;
    if (file->start == NULL)
        return;
    int result = mapped_file_restore(file);
    if (result < 0 && errno == ENOENT && files_make_folder(book->dir) == 0)
        result = mapped_file_restore(file);
    if (result < 0 && !book->nameless)
        log_error(EVENT_CALLS_NOT_MADE_ANEW,
                  LOG_FIELDS(log_text("path", file->path),
                             log_text("why", strerror(errno))));
    if (result > 0)
        log_warn(EVENT_CALLS_MADE_ANEW,
                 LOG_FIELDS(log_text("path", file->path)));
    if (result == 0)
        files_freshen(file->path);
    book->nameless = result < 0;
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
