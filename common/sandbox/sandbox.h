/*
 * What a helper gives up once it has what it needs: system calls that it does
 * not make, files that are none of its business, ports that it does not connect
 * to. See docs/sandbox.md.
 */
#ifndef FXWIRE_COMMON_SANDBOX_SANDBOX_H
#define FXWIRE_COMMON_SANDBOX_SANDBOX_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/settings/settings.h"

/*
 * Confines this process, which is `who` (one of the helpers) and has no second
 * thread yet, as SANDBOX says, for ever. `debugged`: DEBUG_WAIT is about it, so
 * it stays open to a debugger. What the kernel does not offer is logged, and
 * the process goes on without. Gives the word for the status, a constant: "on",
 * "log", "off", or "incomplete".
 */
MUST_CHECK const char *sandbox_enter(enum settings_reader who,
                                     const struct settings *settings,
                                     bool debugged) NONNULL_ALL;

/*
 * Whether a file or folder that this process was let into has been replaced by
 * another one of that name, or has appeared since. (The kernel keeps the first
 * one for this process, so that no other gets its number.) To be let into that
 * one the process has to be started anew.
 */
bool sandbox_is_outdated(void);

#endif
