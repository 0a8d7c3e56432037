/*
 * Lines into a file a day, PREFIX, YYYY-MM-DD (UTC), SUFFIX in a folder, by a
 * thread of its own: a disk that stalls, is full or is gone costs lines, which
 * are counted, and never the caller's time. A file that was moved away or a
 * folder that was removed is made anew.
 */
#ifndef FXWIRE_SUPERVISOR_MONITOR_DAILY_FILE_H
#define FXWIRE_SUPERVISOR_MONITOR_DAILY_FILE_H

#include <stdint.h>

#include "supervisor/monitor/day_file.h"

struct daily_file;

/* NULL and errno: no thread can be had. */
MUST_CHECK struct daily_file *
daily_file_open(const struct daily_file_form *form) NONNULL_ALL;

/*
 * Waits for what was added to be written, for so long at most, and lets go of
 * the file. What a stalled disk still holds is left to it.
 */
void daily_file_close(struct daily_file **file, duration limit) NONNULL_ALL;

/* Adds whole lines; what there is no room for is lost. */
void daily_file_add(struct daily_file *file, struct span lines) NONNULL_ALL;

/* How it goes. */
struct daily_file_state {
    uint64_t lost_lines; /* so far */
    int error;           /* an errno: the last lines could not be written */
    duration slowest;    /* of all writes since it was asked before this; one
                            that is not over counts as far as it has come */
};

struct daily_file_state daily_file_state(struct daily_file *file) NONNULL_ALL;

#endif
