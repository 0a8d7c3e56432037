/*
 * What is said, to people, of an answer that is no table: never with the key in
 * it, also where the server sends that back.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_WEB_DETAIL_H
#define FXWIRE_RATEFETCHER_PROVIDERS_WEB_DETAIL_H

#include "common/attributes.h"
#include "ratefetcher/providers/web.h"

enum { WEB_DETAIL_BYTES = 320 };

/* Where the answer came from; lent. */
struct web_place {
    const struct web_api *api;
    const struct settings *settings;
    const char *address;
};

/* Of one whose status is none of a table, or that did not come (status 0). */
void web_detail_write(const struct web_place *from,
                      const struct http_answer *http,
                      char out[static WEB_DETAIL_BYTES]) NONNULL_ALL;

#endif
