/* The proxy between libcurl and the providers, and what it says of failures. */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_HTTP_PROXY_H
#define FXWIRE_RATEFETCHER_PROVIDERS_HTTP_PROXY_H

#include <curl/curl.h>

#include "common/attributes.h"
#include "common/settings/proxy.h"

enum { HTTP_PROXY_TEXT_SIZE = CURL_ERROR_SIZE + 160 };

/* Sends a call through it, or (NULL) through none. False: without memory. */
MUST_CHECK bool http_proxy_use(CURL *easy, const struct proxy *proxy);

/*
 * Whether a call that is over failed at its proxy; then `text` says so. `error`
 * is what libcurl says, "" if it had an answer.
 */
MUST_CHECK bool http_proxy_failed(CURL *easy, const struct proxy *proxy,
                                  CURLcode code, const char *error,
                                  char text[static HTTP_PROXY_TEXT_SIZE]);

#endif
