/*
 * The audit's lines on their way to the daily files of AUDIT_DIR: a thread
 * takes them out of the rings in which the wsclients hand them over (see
 * common/line_ring.h). While a disk is away they stay there. No kill costs a
 * line, or doubles it.
 */
#ifndef FXWIRE_SUPERVISOR_MONITOR_AUDIT_OUTPUT_H
#define FXWIRE_SUPERVISOR_MONITOR_AUDIT_OUTPUT_H

#include <stdint.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/lines/child.h"

struct audit_output;

/*
 * Starts to write to files in `dir` what comes in rings in `runtime_dir`. NULL
 * and errno: no thread can be had.
 */
MUST_CHECK struct audit_output *
audit_output_new(const char *dir, const char *runtime_dir) NONNULL_ALL;

/*
 * Waits for what is in the rings to be written, for so long at most. What a
 * disk does not take stays there for the next one who writes.
 */
void audit_output_close(struct audit_output **output,
                        duration limit) NONNULL_ALL;

/* Why nothing can be written now, as an errno; 0: it can. */
int audit_output_error(struct audit_output *output) NONNULL_ALL;

/* Says when that has changed; to be called once a second. */
void audit_output_look(struct audit_output *output,
                       struct child *child) NONNULL_ALL;

#endif
