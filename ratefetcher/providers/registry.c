#include "ratefetcher/providers/registry.h"

#include "ratefetcher/providers/web.h"

static const struct provider_class *const classes[] = {
#define PROVIDER(id, ID, need) &provider_##id,
#include "common/rates/providers.def"
#undef PROVIDER
};

const struct provider_class *registry_find(struct span name) {
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (span_equals(name, classes[i]->name))
            return classes[i];
    return NULL;
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
        [PROVIDER_AHEAD] = "ahead",
    };
    return names[result];
}
