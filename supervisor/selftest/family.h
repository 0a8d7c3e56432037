/* The processes of a service that this process has started. */
#ifndef FXWIRE_SUPERVISOR_SELFTEST_FAMILY_H
#define FXWIRE_SUPERVISOR_SELFTEST_FAMILY_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/attributes.h"

/*
 * The descendant of `ancestor` that shows itself as `fxwire: NAME`; 0 if there
 * is none now. No process of another service is ever given.
 */
MUST_CHECK pid_t family_find(pid_t ancestor, const char *name) NONNULL_ALL;

#endif
