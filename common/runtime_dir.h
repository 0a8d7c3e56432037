/* The runtime folder: ours alone, with one service in it. */
#ifndef FXWIRE_COMMON_RUNTIME_DIR_H
#define FXWIRE_COMMON_RUNTIME_DIR_H

#include <stdbool.h>

#include "common/attributes.h"

/*
 * What files in it are called by which each wsclient hands the audit's lines to
 * the monitor.
 */
#define AUDIT_RING_PREFIX "audit-"
#define AUDIT_RING_SUFFIX ".ring"

/*
 * Makes the folder (mode 0700) where it is missing and checks that it belongs
 * to this user alone. NULL, or one line about what is wrong; the caller frees
 * it.
 */
MUST_CHECK char *runtime_dir_prepare(const char *dir) NONNULL_ALL;

/*
 * What runtime_dir_prepare() would say, as far as one can tell without making
 * anything. NULL, or one line; the caller frees it.
 */
MUST_CHECK char *runtime_dir_check(const char *dir) NONNULL_ALL;

/* Whether it is where the system removes what was not used for long. */
bool runtime_dir_is_temporary(const char *dir) NONNULL_ALL;

/* The path of a file in it; the caller frees it. */
MUST_CHECK char *runtime_dir_path(const char *dir,
                                  const char *name) NONNULL_ALL;

/*
 * Takes the lock `name` in it. Gives a descriptor (close-on-exec) that holds
 * it until it is closed; -1 and errno, EWOULDBLOCK if another has it.
 */
MUST_CHECK int runtime_dir_lock(const char *dir, const char *name) NONNULL_ALL;

/* Waits until nobody holds that lock, or there is none. */
void runtime_dir_wait_unlocked(const char *dir, const char *name) NONNULL_ALL;

#endif
