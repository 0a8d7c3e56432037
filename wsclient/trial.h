/* `--try`: one attempt to connect to the upstream, which ends at once. */
#ifndef FXWIRE_WSCLIENT_TRIAL_H
#define FXWIRE_WSCLIENT_TRIAL_H

#include "common/attributes.h"
#include "common/settings/settings.h"

/*
 * Prints a row of what came of it; gives the exit code. Nothing that the
 * upstream sends is read, so no Pong claims a request that is not taken.
 */
MUST_CHECK int trial_run(const struct settings *settings) NONNULL_ALL;

#endif
