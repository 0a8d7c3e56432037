/*
 * frankfurter.dev, version 1: the ECB's reference rates as JSON, without a key.
 * For a day without rates it answers with the last one before it.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_FRANKFURTER_H
#define FXWIRE_RATEFETCHER_PROVIDERS_FRANKFURTER_H

#include "ratefetcher/providers/web.h"

extern const struct web_api provider_frankfurter;

#endif
