/*
 * What a helper's process is: its name, its program with arguments, its
 * environment and its descriptors.
 */
#ifndef FXWIRE_SUPERVISOR_LAUNCH_H
#define FXWIRE_SUPERVISOR_LAUNCH_H

#include "supervisor/helper.h"

const char *helper_name(const struct helper *helper);

/* Whether helpers of this name are part of a service. */
bool launch_is_helper_name(const char *name) NONNULL_ALL;

/* The environment that it would be given under `settings`; see
 * spawn_environment(). */
MUST_CHECK char **launch_environment(const struct helper *helper,
                                     const struct settings *settings);

/* Whether DEBUG_WAIT has it wait for a debugger. */
bool launch_waits_for_debugger(const struct helper *helper);

/* Starts its process, with `control_fd` as its end of the channel. Gives the
 * pid; -1 and errno. */
MUST_CHECK pid_t launch_helper(const struct helper *helper, int control_fd);

#endif
