#include "ratefetcher/providers/registry.h"

#include "ratefetcher/providers/ecb.h"
#include "ratefetcher/providers/exchangerateapi.h"
#include "ratefetcher/providers/exchangeratehost.h"
#include "ratefetcher/providers/file.h"
#include "ratefetcher/providers/frankfurter.h"
#include "ratefetcher/providers/freecurrencyapi.h"
#include "ratefetcher/providers/openexchangerates.h"
#include "ratefetcher/providers/web.h"

#define WEB_PROVIDER(NAME, id)                                                 \
    {                                                                          \
        .name = #id, .calls_ok = METRIC_CALLS_OK_##NAME,                       \
        .calls_failed = METRIC_CALLS_FAILED_##NAME, .api = &provider_##id,     \
        .open = web_open, .close = web_close, .needs_call = web_needs_call,    \
        .fetch = web_fetch,                                                    \
    }

static const struct provider_class web_classes[] = {
    WEB_PROVIDER(FREECURRENCYAPI, freecurrencyapi),
    WEB_PROVIDER(EXCHANGERATEHOST, exchangeratehost),
    WEB_PROVIDER(EXCHANGERATEAPI, exchangerateapi),
    WEB_PROVIDER(OPENEXCHANGERATES, openexchangerates),
    WEB_PROVIDER(FRANKFURTER, frankfurter),
    WEB_PROVIDER(ECB, ecb),
};

const struct provider_class *registry_find(struct span name) {
    for (size_t i = 0; i < sizeof web_classes / sizeof *web_classes; i++)
        if (span_equals(name, web_classes[i].name))
            return &web_classes[i];
    return span_equals(name, provider_file.name) ? &provider_file : NULL;
}

/* A file is in the ECB's form, whose base is the euro. */
const char *registry_base(const struct provider_class *class) {
    return class->api != NULL ? class->api->base : "EUR";
}

bool registry_has_key(const struct provider_class *class) {
    return class->api != NULL && class->api->key != SETTINGS;
}

const char *provider_result_name(enum provider_result result) {
    static const char *const names[PROVIDER_RESULTS] = {
        [PROVIDER_OK] = "ok",
        [PROVIDER_NO_TABLE] = "no_table",
        [PROVIDER_UNREACHED] = "unreached",
        [PROVIDER_KEY_REFUSED] = "key_refused",
        [PROVIDER_LIMITED] = "limited",
        [PROVIDER_BAD_STATUS] = "bad_status",
        [PROVIDER_BAD_TABLE] = "bad_table",
    };
    return names[result];
}
