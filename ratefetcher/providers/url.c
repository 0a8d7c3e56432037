/*
 * A table of one's own at an address, in the ECB's CSV form: all days in one
 * body, which may be a ZIP.
 */
#include <stdio.h>

#include "ratefetcher/providers/texts.h"

static int32_t resource(day when, day today) {
    (void)when, (void)today;
    return 0;
}

static void request(const char *address, const char *key, day when, day today,
                    struct web_request *out) {
    (void)key, (void)when, (void)today;
    snprintf(out->url, sizeof out->url, "%s", address);
}

static const struct web_api api = {
    .name = "url",
    .base = "EUR",
    .address = SETTING_RATES_URL,
    .key = SETTINGS,
    .text = &csv_text,
    .resource = resource,
    .first_kept = 0,
    .request = request,
};

const struct provider_class provider_url = WEB_CLASS(url, URL, &api);
