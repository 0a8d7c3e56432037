/*
 * Where log lines go: to the daily files of LOGS_DIR, else to standard error,
 * with prefixes where systemd's journal reads that.
 */
#ifndef FXWIRE_SUPERVISOR_MONITOR_LOG_OUTPUT_H
#define FXWIRE_SUPERVISOR_MONITOR_LOG_OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/lines/child.h"
#include "common/settings/settings.h"
#include "supervisor/monitor/daily_file.h"

/* So much is handed over at once, see log_output_add(). */
enum { LOG_OUTPUT_BYTES = 2 * PIPE_BUF };

struct log_output {
    struct daily_file *file; /* NULL: standard error */
    uint64_t lost, reported; /* lines, when it was looked at last */
    bool failing;            /* it is said that the file is not written */
    monotime stalled;        /* when the disk was seen to stall; 0: never */
    int fd;                  /* of standard error */
    bool to_journal;
    char text[4 * LOG_OUTPUT_BYTES]; /* for it, from `at` on */
    size_t at, len;
};

/* `settings` are lent for the time of the call; NULL: standard error it is. */
void log_output_open(struct log_output *output, const struct settings *settings)
    NONNULL(1);

/* Waits a moment for a disk. */
void log_output_close(struct log_output *output) NONNULL_ALL;

/* Writes what was added before; whether the next can be added. */
bool log_output_is_ready(struct log_output *output) NONNULL_ALL;

/* Adds whole lines, of LOG_OUTPUT_BYTES at most; once it is ready. */
void log_output_add(struct log_output *output, struct span lines) NONNULL_ALL;

/* Says if lines were lost; to be called once a second. */
void log_output_look(struct log_output *output,
                     struct child *child) NONNULL_ALL;

#endif
