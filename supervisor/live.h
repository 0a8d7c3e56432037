/* `check --live`: what the configuration names is tried once. */
#ifndef FXWIRE_SUPERVISOR_LIVE_H
#define FXWIRE_SUPERVISOR_LIVE_H

#include "common/attributes.h"
#include "common/settings/settings.h"

/*
 * Tries each folder in which things are kept and prints a row for each: can a
 * file be written and locked there? Nothing is left. Whether all is well.
 */
MUST_CHECK bool live_folders(const struct settings *settings) NONNULL_ALL;

/*
 * Tries the folders and has the helpers' programs try each upstream, provider
 * and Redis, each with the settings that it reads; they print a row for each.
 * EX_OK, or EX_UNAVAILABLE if one does not work. The settings must be good.
 */
MUST_CHECK int live_check(const struct settings *settings) NONNULL_ALL;

#endif
