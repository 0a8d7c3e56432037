#include "ratefetcher/provider.h"

#include "ratefetcher/provider_file.h"

static const struct provider_class *const classes[] = {
    &provider_file,
};

const struct provider_class *provider_find(struct span name) {
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (span_equals(name, classes[i]->name))
            return classes[i];
    return NULL;
}

const char *provider_result_name(enum provider_result result) {
    static const char *const names[PROVIDER_RESULTS] = {
        [PROVIDER_OK] = "ok",
        [PROVIDER_NO_TABLE] = "no_table",
        [PROVIDER_UNREACHED] = "unreached",
        [PROVIDER_BAD_TABLE] = "bad_table",
    };
    return names[result];
}
