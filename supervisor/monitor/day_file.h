/*
 * The file of the day: PREFIX, YYYY-MM-DD (UTC), SUFFIX in a folder. One that
 * was moved away, and a folder that was removed, are made anew. What a disk
 * that stalls takes, the caller waits.
 */
#ifndef FXWIRE_SUPERVISOR_MONITOR_DAY_FILE_H
#define FXWIRE_SUPERVISOR_MONITOR_DAY_FILE_H

#include "common/attributes.h"
#include "common/clock.h"
#include "common/day.h"
#include "common/span.h"

/* What a file is called, and how long it is kept. The texts are lent. */
struct daily_file_form {
    const char *dir, *prefix, *suffix;
    int keep_days; /* older ones of this form are removed; 0: none */
};

struct day_file {
    struct daily_file_form form;
    int fd; /* -1: none is open */
    day day;
    char *path;
};

void day_file_init(struct day_file *file,
                   const struct daily_file_form *form) NONNULL_ALL;

/* Opens the day's file, unless it is open. -1 and errno. */
MUST_CHECK int day_file_open_today(struct day_file *file) NONNULL_ALL;

/*
 * Appends whole lines to the file that is open. Gives how many bytes of them,
 * in whole lines, are in it; fewer than all: see errno.
 */
MUST_CHECK size_t day_file_write(struct day_file *file,
                                 struct span lines) NONNULL_ALL;

/* Closes it. */
void day_file_let_go(struct day_file *file) NONNULL_ALL;

#endif
