#include "ratefetcher/stock.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/memory.h"

static size_t count_words(struct span list) {
    struct span word;
    size_t count = 0;
    while (settings_next_word(&list, &word))
        count++;
    return count;
}

/* Opens the providers that are named, as far as this version has them. */
static void open_sources(struct stock *stock,
                         const struct provider_context *context,
                         struct span list) {
    struct span word;
    while (settings_next_word(&list, &word)) {
        const struct provider_class *class = registry_find(word);
        if (class == NULL)
            log_warn("provider_unknown",
                     LOG_FIELDS(log_span("provider", word),
                                log_text("why", "not in this version")));
        else
            source_open(&stock->sources[stock->count++], class, context,
                        call_counts_record(stock->call_counts, class->name));
    }
}

struct stock *stock_new(const struct provider_context *context) {
    const struct settings *settings = context->settings;
    struct span list = span_of(settings_text(settings, SETTING_RATE_PROVIDERS));
    struct stock *stock =
        memory_new(sizeof *stock + count_words(list) * sizeof *stock->sources);
    stock->ttl_usec =
        settings_duration(settings, SETTING_CACHE_TTL_SECONDS).usec;
    stock->stale_max_usec =
        settings_duration(settings, SETTING_STALE_MAX_SECONDS).usec;
    stock->call_counts =
        call_counts_open(settings_text(settings, SETTING_STATE_DIR));
    open_sources(stock, context, list);
    stock->memory = cache_memory_new(stock->count, stock->ttl_usec);
    return stock;
}

void stock_free(struct stock **stock) {
    struct stock *s = *stock;
    *stock = NULL;
    for (size_t i = 0; i < s->count; i++)
        source_close(&s->sources[i]);
    cache_memory_free(&s->memory);
    call_counts_close(&s->call_counts);
    free(s);
}

static bool serves(const struct rates *rates, const struct wish *wish) {
    return wish->currency.len == 0 || rates_find(rates, wish->currency) != NULL;
}

/* The source's table of the day, if it is fresh enough. */
static struct rates *fresh_table(const struct stock *stock, size_t source,
                                 const struct wish *wish, monotime now,
                                 int64_t *fresh_usec) {
    struct rates *rates =
        cache_memory_find(stock->memory, source, wish->when, now, fresh_usec);
    return rates != NULL && *fresh_usec > wish->least_fresh_usec ? rates : NULL;
}

struct rates *stock_find(const struct stock *stock, const struct wish *wish,
                         monotime now, size_t *source, int64_t *fresh_usec) {
    for (size_t i = 0; i < stock->count; i++) {
        struct rates *rates = fresh_table(stock, i, wish, now, fresh_usec);
        *source = i;
        if (rates != NULL && serves(rates, wish))
            return rates;
    }
    return NULL;
}

struct rates *stock_find_stale(const struct stock *stock,
                               const struct wish *wish, monotime now) {
    int64_t stale_usec =
        rates_day_is_latest(wish->when) ? stock->stale_max_usec : INT64_MAX;
    for (size_t i = 0; i < stock->count; i++) {
        struct rates *rates = cache_memory_find_stale(
            stock->memory, i, wish->when, now, stale_usec);
        if (rates == NULL)
            rates = source_table_of_day(&stock->sources[i], wish->when);
        if (rates != NULL && serves(rates, wish))
            return rates;
    }
    return NULL;
}

bool stock_knows(const struct stock *stock, size_t source,
                 const struct wish *wish, monotime now) {
    int64_t ignored;
    return fresh_table(stock, source, wish, now, &ignored) != NULL ||
           cache_memory_has_none(stock->memory, source, wish->when, now);
}

bool stock_has_table(const struct stock *stock, const struct wish *wish,
                     monotime now) {
    int64_t ignored;
    for (size_t i = 0; i < stock->count; i++)
        if (fresh_table(stock, i, wish, now, &ignored) != NULL)
            return true;
    return false;
}

void stock_keep(struct stock *stock, size_t source, day when,
                struct rates *rates, monotime fetched, const char *layer) {
    cache_memory_put(stock->memory, source, when, rates, fetched);
    if (rates_day_is_latest(when))
        source_keep_latest(&stock->sources[source], rates, layer);
}
