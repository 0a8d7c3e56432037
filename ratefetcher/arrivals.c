#include "ratefetcher/arrivals.h"

static struct provider *find(const struct arrivals *arrivals,
                             const struct web_api *api) {
    struct providers *providers = arrivals->providers;
    for (size_t i = 0; i < providers->count; i++)
        if (providers->list[i].class->api == api)
            return &providers->list[i];
    return providers->second;
}

void arrivals_late(void *arg, const struct web_api *api, day when,
                   struct provider_answer *answer) {
    struct arrivals *arrivals = arg;
    struct providers *providers = arrivals->providers;
    const struct provider_call none = {.begun = clock_monotonic()};
    struct provider *provider = find(arrivals, api);
    bool is_new;
    if (provider == NULL)
        return;
    provider_works_again(provider, clock_monotonic());
    is_new =
        crosscheck_end(arrivals->crosscheck, provider, when, &none, answer);
    if (is_new && answer->result == PROVIDER_OK &&
        provider != &providers->list[providers->count])
        redis_cache_store(arrivals->redis, when, answer->rates);
}

bool arrivals_keep(void *arg, struct provider *provider, day when,
                   struct rates *rates, monotime fetched) {
    struct arrivals *arrivals = arg;
    bool is_new = crosscheck_keep(arrivals->crosscheck, provider, when, rates,
                                  fetched, "redis");
    if (is_new)
        provider_works_again(provider, fetched);
    return is_new;
}

bool arrivals_again(void *arg, const struct web_api *api) {
    struct provider *provider = find(arg, api);
    return provider != NULL && provider_call_again(provider);
}
