/* Seccomp, see seccomp(2): which system calls a process may make. */
#ifndef FXWIRE_COMMON_SANDBOX_CALLS_H
#define FXWIRE_COMMON_SANDBOX_CALLS_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/sandbox/paths.h"
#include "common/settings/settings.h"

/*
 * From now on this thread, and those that it starts, may make no other calls
 * than those that calls.def has for `who`. Another one fails with EPERM and is
 * logged; one that nothing but an attack would make ends the process. With
 * `only_log`, which is NULL or lent for ever, they are logged, and made, and so
 * is what is about other files and ports than these. 0, or an error's number.
 */
MUST_CHECK int calls_enter(enum settings_reader who,
                           const struct paths *only_log);

/* With `only_log`: whether it may be made, if judge.h says so. */
bool calls_is_judged(int number);

/* The name of a call, lent; NULL: this machine's library knows none. */
const char *calls_name(int number);

#endif
