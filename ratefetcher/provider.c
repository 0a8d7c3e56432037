#include "ratefetcher/provider.h"

#include "ratefetcher/provider_ecb.h"
#include "ratefetcher/provider_exchangerateapi.h"
#include "ratefetcher/provider_exchangeratehost.h"
#include "ratefetcher/provider_file.h"
#include "ratefetcher/provider_frankfurter.h"
#include "ratefetcher/provider_freecurrencyapi.h"
#include "ratefetcher/web_provider.h"

#define WEB_PROVIDER(NAME, id)                                                 \
    {                                                                          \
        .name = #id, .calls_ok = METRIC_CALLS_OK_##NAME,                       \
        .calls_failed = METRIC_CALLS_FAILED_##NAME, .api = &provider_##id,     \
        .open = web_provider_open, .close = web_provider_close,                \
        .needs_call = web_provider_needs_call, .fetch = web_provider_fetch,    \
    }

static const struct provider_class web_classes[] = {
    WEB_PROVIDER(FREECURRENCYAPI, freecurrencyapi),
    WEB_PROVIDER(EXCHANGERATEHOST, exchangeratehost),
    WEB_PROVIDER(EXCHANGERATEAPI, exchangerateapi),
    WEB_PROVIDER(FRANKFURTER, frankfurter),
    WEB_PROVIDER(ECB, ecb),
};

const struct provider_class *provider_find(struct span name) {
    for (size_t i = 0; i < sizeof web_classes / sizeof *web_classes; i++)
        if (span_equals(name, web_classes[i].name))
            return &web_classes[i];
    return span_equals(name, provider_file.name) ? &provider_file : NULL;
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
