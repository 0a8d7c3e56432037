/*
 * The memory limit of the control group that the service runs in, and the
 * kernel's kills for it. Where that is not to be read, there is none.
 */
#ifndef FXWIRE_SUPERVISOR_MEMORY_LIMIT_H
#define FXWIRE_SUPERVISOR_MEMORY_LIMIT_H

#include <signal.h>
#include <stdbool.h>

#include "common/attributes.h"
#include "common/settings/settings.h"

/*
 * To be called before a process is started: what the kernel has killed by then
 * is not that process.
 */
void memory_limit_look(void);

/*
 * Whether that was a kill by the memory limit: SIGKILL, and the kernel has
 * counted one since the last look, or within the last second.
 */
MUST_CHECK bool memory_limit_has_killed(const siginfo_t *death) NONNULL_ALL;

/*
 * What is to be said if files in a RUNTIME_DIR that is in memory can need more
 * than the limit allows; NULL: nothing. The caller frees it.
 */
MUST_CHECK char *
memory_limit_warning(const struct settings *settings) NONNULL_ALL;

#endif
