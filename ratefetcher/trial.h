/* `--try`: asks each provider for today's table once, and Redis. */
#ifndef FXWIRE_RATEFETCHER_TRIAL_H
#define FXWIRE_RATEFETCHER_TRIAL_H

#include "common/attributes.h"
#include "ratefetcher/providers/registry.h"

/*
 * Tries all at the same time, outside of quotas and caches, and prints a row
 * for each. True: all of them work.
 */
MUST_CHECK bool trial_run(const struct provider_context *context) NONNULL_ALL;

#endif
