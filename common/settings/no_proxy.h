/*
 * Which hosts are reached without a proxy: the list of NO_PROXY, as curl reads
 * it since 7.86. Pure.
 */
#ifndef FXWIRE_COMMON_SETTINGS_NO_PROXY_H
#define FXWIRE_COMMON_SETTINGS_NO_PROXY_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/span.h"

/*
 * Whether `host` (a name, or an address without brackets) is in `list`: words
 * with commas or blanks between them. A name stands for itself and for all
 * below it, with or without a dot before it, in any case; an address for
 * itself, with /BITS for its network; a list that is nothing but * for all.
 */
MUST_CHECK bool no_proxy_has(const char *list, struct span host) NONNULL_ALL;

#endif
