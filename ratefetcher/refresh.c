#include "ratefetcher/refresh.h"

/* In percent of CACHE_TTL_SECONDS. */
enum { AHEAD_SHARE = 10 };

/* One that failed is tried again after so long. */
#define RETRY_USEC (5 * USEC_PER_SEC)

void refresh_init(struct refresh *refresh, struct lookup *lookup,
                  const struct settings *settings) {
    int64_t ttl_usec =
        settings_duration(settings, SETTING_CACHE_TTL_SECONDS).usec;
    *refresh = (struct refresh){.lookup = lookup,
                                .ahead_usec = ttl_usec / 100 * AHEAD_SHARE};
}

static void on_refreshed(void *arg, const struct lookup_answer *answer) {
    struct refresh *refresh = arg;
    refresh->running = false;
    if (answer->result != LOOKUP_FOUND)
        refresh->next = monotime_add(clock_monotonic(), (duration){RETRY_USEC});
}

void refresh_step(struct refresh *refresh) {
    struct lookup *lookup = refresh->lookup;
    if (refresh->running || !lookup_latest_is_wanted(lookup) ||
        lookup_latest_fresh_usec(lookup) > refresh->ahead_usec ||
        !monotime_reached(clock_monotonic(), refresh->next))
        return;
    refresh->running = true;
    lookup_ask_fresher(lookup, refresh->ahead_usec, on_refreshed, refresh);
}
