/*
 * The European Central Bank's own files: the last day, ninety days, all days,
 * in XML. They need no key.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_ECB_H
#define FXWIRE_RATEFETCHER_PROVIDERS_ECB_H

#include "ratefetcher/providers/web.h"

extern const struct web_api provider_ecb;

#endif
