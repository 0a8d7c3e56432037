/* What people are told of a call of libcurl's. */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_HTTP_WORDS_H
#define FXWIRE_RATEFETCHER_PROVIDERS_HTTP_WORDS_H

#include <curl/curl.h>
#include <stdbool.h>

#include "common/attributes.h"

/* Where its answer redirects to; "": it does not. free() it. */
MUST_CHECK char *http_redirect(CURL *easy) NONNULL_ALL;

/* What it is that does not go on, as a constant; `has_body`: some has come. */
MUST_CHECK const char *http_stalled(CURL *easy, bool has_body) NONNULL_ALL;

#endif
