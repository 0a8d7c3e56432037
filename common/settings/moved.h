/* Services that are reached elsewhere by now. Pure. */
#ifndef FXWIRE_COMMON_SETTINGS_MOVED_H
#define FXWIRE_COMMON_SETTINGS_MOVED_H

#include "common/attributes.h"
#include "common/settings/settings.h"

/*
 * The address to be set in the place of `address`, a good value of the setting
 * `which`, if that one is known not to serve any more; else NULL.
 */
const char *settings_moved(enum setting which, const char *address) NONNULL_ALL;

#endif
