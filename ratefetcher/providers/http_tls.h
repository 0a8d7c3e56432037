/* Whom libcurl trusts, and the certificate by which providers know us. */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_HTTP_TLS_H
#define FXWIRE_RATEFETCHER_PROVIDERS_HTTP_TLS_H

#include <curl/curl.h>
#include <stdbool.h>

#include "common/attributes.h"
#include "common/settings/settings.h"

/* Sets them for a call. False: without memory. */
MUST_CHECK bool http_tls_use(CURL *easy,
                             const struct settings *settings) NONNULL_ALL;

#endif
