/*
 * ExchangeRate-API, version 6. It needs a key; past days are in paid plans
 * only. It can publish with the base EUR on all of them.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_EXCHANGERATEAPI_H
#define FXWIRE_RATEFETCHER_PROVIDERS_EXCHANGERATEAPI_H

#include "ratefetcher/providers/web.h"

extern const struct web_api provider_exchangerateapi;

#endif
