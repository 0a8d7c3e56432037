/*
 * SANDBOX=log: a thread that no filter confines is asked by the kernel about
 * each call that would be refused, names it in the log, and lets it be made.
 */
#ifndef FXWIRE_COMMON_SANDBOX_LISTENER_H
#define FXWIRE_COMMON_SANDBOX_LISTENER_H

#include "common/attributes.h"
#include "common/sandbox/paths.h"

/*
 * Starts the thread, before there is a filter. Calls that judge.h knows are
 * judged by `paths`, lent for ever. 0; -1 and errno.
 */
MUST_CHECK int listener_start(const struct paths *paths) NONNULL_ALL;

/* Hands it the filter's descriptor, which stays open. */
void listener_take(int notify_fd);

#endif
