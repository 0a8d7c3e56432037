/* What every process of fxwire does first. */
#ifndef FXWIRE_COMMON_PROCESS_H
#define FXWIRE_COMMON_PROCESS_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/settings/settings.h"

/*
 * To be called first in main(), with its arguments: so the process title can
 * be set, and a peer that is gone is an error of write(), not a signal. Signals
 * that the caller ignores or blocks are not, from then on: an ignored SIGCHLD
 * would hide how children end, a blocked SIGTERM could not stop us.
 */
void process_init(int argc, char *argv[], char *envp[]);

/*
 * Whether /proc is there and shows the processes by the pids that this process
 * knows: it may be another pid namespace's.
 */
bool process_proc_is_ours(void);

/*
 * From here to process_take_ends() SIGTERM and SIGINT wait: the kernel drops
 * what comes to process 1 before it catches it, and nobody sends it twice.
 */
void process_hold_ends(void);
void process_take_ends(void);

/*
 * A descriptor (non-blocking) that is readable once SIGTERM or SIGINT has come,
 * a byte for each. -1 and errno.
 */
MUST_CHECK int process_catch_ends(void);

/* Shows this process as `fxwire: TITLE`. */
__attribute__((format(printf, 1, 2))) void process_title(const char *format,
                                                         ...);

/*
 * Begins a helper with the arguments of main(): loads its settings from its
 * environment and opens its log, with its secrets masked; waits for a debugger
 * if it is told to. It has no children but, as process 1, orphans of others,
 * which are waited for. Ends the process with exit code 78 if a value is bad.
 */
MUST_CHECK struct settings *
process_begin_helper(const char *name, int argc, char *argv[],
                     enum settings_reader reader) NONNULL_ALL;

/* Masks every secret of `settings` in the log. */
void process_mask_secrets(const struct settings *settings) NONNULL_ALL;

#endif
