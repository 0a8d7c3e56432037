/*
 * exchangerate.host as it is since 2023. It needs a key, has all calendar days
 * and publishes in US dollars: other bases cost more and are not asked for.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_EXCHANGERATEHOST_H
#define FXWIRE_RATEFETCHER_PROVIDERS_EXCHANGERATEHOST_H

#include "ratefetcher/providers/web.h"

extern const struct web_api provider_exchangeratehost;

#endif
