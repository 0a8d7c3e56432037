/* Redis is tried once: whether it lets us in, read and write. */
#ifndef FXWIRE_RATEFETCHER_REDIS_REDIS_TRIAL_H
#define FXWIRE_RATEFETCHER_REDIS_REDIS_TRIAL_H

#include <event2/event.h>
#include <stdbool.h>

#include "common/attributes.h"

struct redis_trial;

/*
 * Begins; `done` is called once, from the loop. `url` and `ca_file` (NULL: the
 * system's trust) are not kept.
 */
MUST_CHECK struct redis_trial *
redis_trial_new(struct event_base *base, const char *url, const char *ca_file,
                void (*done)(void *arg), void *arg) NONNULL(1, 2, 3);

/* Prints a row of what was found, and frees it. True: it works. */
bool redis_trial_end(struct redis_trial **trial) NONNULL_ALL;

#endif
