/*
 * How systemd's journal is told the level of a line that it reads from standard
 * error: `<3>` to `<7>` in front, see sd-daemon(3).
 */
#ifndef FXWIRE_SUPERVISOR_MONITOR_JOURNAL_H
#define FXWIRE_SUPERVISOR_MONITOR_JOURNAL_H

#include <stdbool.h>

#include "common/span.h"

/* Whether it reads this descriptor; `stream` is $JOURNAL_STREAM or NULL. */
bool journal_reads(int fd, const char *stream);

/* A line of so many bytes at most is this much longer. */
enum { JOURNAL_PREFIX_BYTES = 3 };

/*
 * Writes a line of the log, in either form, behind the prefix of its level.
 * Returns the number of bytes.
 */
size_t journal_put(struct span line, char *out);

#endif
