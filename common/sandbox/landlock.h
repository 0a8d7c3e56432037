/* Landlock, see landlock(7): which files and ports a process may use. */
#ifndef FXWIRE_COMMON_SANDBOX_LANDLOCK_H
#define FXWIRE_COMMON_SANDBOX_LANDLOCK_H

#include "common/attributes.h"
#include "common/sandbox/paths.h"

/*
 * From now on this thread, and those that it starts, may use no other files
 * and, where the kernel is so far (6.7), no other ports of TCP. What is open
 * stays open. 0; -1 and errno: ENOSYS or EOPNOTSUPP where there is none.
 */
MUST_CHECK int landlock_enter(const struct paths *paths) NONNULL_ALL;

#endif
