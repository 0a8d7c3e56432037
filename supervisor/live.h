/* `check --live`: what the configuration names is tried once. */
#ifndef FXWIRE_SUPERVISOR_LIVE_H
#define FXWIRE_SUPERVISOR_LIVE_H

#include "common/attributes.h"
#include "common/settings/settings.h"

/*
 * Has the helpers' programs try each upstream, provider and Redis, each with
 * the settings that it reads; they print a row for each. EX_OK, or
 * EX_UNAVAILABLE if one does not work. The settings must be good.
 */
MUST_CHECK int live_check(const struct settings *settings) NONNULL_ALL;

#endif
