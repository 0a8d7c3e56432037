/*
 * The provider `file`: a local file of rates in the ECB's CSV form, read anew
 * whenever it changed.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_FILE_H
#define FXWIRE_RATEFETCHER_PROVIDERS_FILE_H

#include "ratefetcher/providers/registry.h"

extern const struct provider_class provider_file;

#endif
