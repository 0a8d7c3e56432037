/* The tables that are kept: see provider.h for what others ask of them. */
#include "ratefetcher/provider_tables.h"

/* What is kept for a day. */
struct day_table {
    struct rates *rates; /* NULL: never had */
    monotime fetched;
    bool none; /* the provider said so, later than that */
    monotime none_since;
};

static day today(void) {
    return day_of_ms(clock_wall_ms());
}

void provider_init_tables(struct provider *provider) {
    provider->tables =
        (struct daytables){.entry_size = sizeof(struct day_table)};
}

static void clear_table(void *entry) {
    struct day_table *table = entry;
    rates_release(&table->rates);
}

void provider_clear_tables(struct provider *provider) {
    daytables_clear(&provider->tables, clear_table);
    rates_release(&provider->day_before);
}

static struct rates *fresh_table(const struct provider *provider,
                                 const struct rates_query *query, monotime now,
                                 duration *left) {
    const struct day_table *table =
        daytables_find(&provider->tables, query->when);
    if (table == NULL || table->rates == NULL)
        return NULL;
    left->usec =
        provider->ttl.usec - monotime_between(table->fetched, now).usec;
    return left->usec > query->least_left.usec ? table->rates : NULL;
}

static bool has_currency(const struct rates *rates,
                         const struct rates_query *query) {
    return query->currency.len == 0 ||
           rates_find(rates, query->currency) != NULL;
}

struct rates *providers_find(const struct providers *providers,
                             const struct rates_query *query, size_t *place,
                             duration *left) {
    monotime now = clock_monotonic();
    for (size_t i = 0; i < providers->count; i++) {
        struct rates *rates =
            fresh_table(&providers->list[i], query, now, left);
        *place = i;
        if (rates != NULL && has_currency(rates, query))
            return rates;
    }
    return NULL;
}

static day day_fetched(const struct rates *rates) {
    return day_of_ms(rates_fetched_ms(rates));
}

struct rates *provider_latest_of_day(const struct provider *provider,
                                     day when) {
    const struct day_table *latest =
        daytables_find(&provider->tables, RATES_LATEST);
    if (latest == NULL || latest->rates == NULL ||
        when.number != day_add(today(), -1).number)
        return NULL;
    if (day_fetched(latest->rates).number == when.number)
        return latest->rates;
    return provider->day_before != NULL &&
                   day_fetched(provider->day_before).number == when.number
               ? provider->day_before
               : NULL;
}

static struct rates *stale_table(const struct provider *provider,
                                 const struct rates_query *query,
                                 monotime now) {
    const struct day_table *table =
        daytables_find(&provider->tables, query->when);
    struct rates *rates = table != NULL ? table->rates : NULL;
    if (rates != NULL && rates_day_is_latest(query->when) &&
        monotime_between(table->fetched, now).usec >
            provider->ttl.usec + provider->stale_max.usec)
        rates = NULL;
    if (rates == NULL)
        rates = provider_latest_of_day(provider, query->when);
    return rates != NULL && has_currency(rates, query) ? rates : NULL;
}

struct rates *providers_find_stale(const struct providers *providers,
                                   const struct rates_query *query) {
    monotime now = clock_monotonic();
    for (size_t i = 0; i < providers->count; i++) {
        struct rates *rates = stale_table(&providers->list[i], query, now);
        if (rates != NULL)
            return rates;
    }
    return NULL;
}

bool provider_knows(const struct provider *provider,
                    const struct rates_query *query, monotime now) {
    duration left;
    const struct day_table *table =
        daytables_find(&provider->tables, query->when);
    return fresh_table(provider, query, now, &left) != NULL ||
           (table != NULL && table->none &&
            monotime_between(table->none_since, now).usec < provider->ttl.usec);
}

bool provider_keep(struct provider *provider, day when, struct rates *rates,
                   monotime fetched, const char *layer) {
    struct day_table *table = daytables_make(&provider->tables, when);
    if (table->rates != NULL && table->fetched.usec >= fetched.usec)
        return false;
    if (table->rates == rates) { /* had again: it is fresh, and not new */
        table->fetched = fetched;
        table->none = false;
        return false;
    }
    if (rates_day_is_latest(when) && table->rates != NULL &&
        day_fetched(table->rates).number < day_fetched(rates).number) {
        rates_release(&provider->day_before);
        provider->day_before = rates_hold(table->rates);
    }
    rates_hold(rates);
    rates_release(&table->rates);
    *table = (struct day_table){.rates = rates, .fetched = fetched};
    if (rates_day_is_latest(when))
        provider->latest_layer = layer;
    return true;
}

static void forget_none(void *entry) {
    struct day_table *table = entry;
    table->none = false;
}

void provider_forget_today(struct provider *provider) {
    struct day_table *latest = daytables_find(&provider->tables, RATES_LATEST);
    daytables_each(&provider->tables, forget_none);
    if (latest != NULL)
        rates_release(&latest->rates);
    rates_release(&provider->day_before);
    provider->latest_layer = NULL;
}

void provider_keep_none(struct provider *provider, day when, monotime now) {
    struct day_table *table = daytables_make(&provider->tables, when);
    table->none = true;
    table->none_since = now;
}
