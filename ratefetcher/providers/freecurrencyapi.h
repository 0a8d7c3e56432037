/*
 * freecurrencyapi.com, version 1. It needs a key, has all calendar days since
 * 1999-01-01 and does not say which base it answers with, so EUR is asked for.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_FREECURRENCYAPI_H
#define FXWIRE_RATEFETCHER_PROVIDERS_FREECURRENCYAPI_H

#include "ratefetcher/providers/web.h"

extern const struct web_api provider_freecurrencyapi;

#endif
