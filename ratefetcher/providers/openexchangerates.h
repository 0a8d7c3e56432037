/*
 * openexchangerates.org. It needs a key, has all calendar days since
 * 1999-01-01, and with a free key no base but the dollar. Pure.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_OPENEXCHANGERATES_H
#define FXWIRE_RATEFETCHER_PROVIDERS_OPENEXCHANGERATES_H

#include "ratefetcher/providers/web.h"

extern const struct web_api provider_openexchangerates;

#endif
