/* The tables that are kept: see provider.h for what others ask of them. */
#include "ratefetcher/provider_tables.h"

#include <string.h>

#include "common/older_table.h"
#include "ratefetcher/latest_age.h"

/* So long at most until a provider is asked again that had an older table. */
#define LONGEST_PAUSE SECONDS(600)

/* What is kept for a day. */
struct day_table {
    struct rates *rates; /* NULL: never had */
    monotime fetched;
    duration more; /* fresh for so much longer than others */
    bool none;     /* the provider said so, later than that */
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

/* For so long a latest table is not too old by its own date. */
static duration latest_left(const struct provider *provider,
                            const struct rates *rates) {
    return latest_age_left(rates_as_of(rates), provider->latest_max_days);
}

static struct rates *fresh_table(const struct provider *provider,
                                 const struct rates_query *query, monotime now,
                                 duration *left) {
    const struct day_table *table =
        daytables_find(&provider->tables, query->when);
    if (table == NULL || table->rates == NULL)
        return NULL;
    left->usec = provider->ttl.usec + table->more.usec -
                 monotime_between(table->fetched, now).usec;
    if (rates_day_is_latest(query->when))
        *left = duration_min(*left, latest_left(provider, table->rates));
    return left->usec > query->least_left.usec ? table->rates : NULL;
}

const struct rates *provider_fresh_table(const struct provider *provider,
                                         day when) {
    const struct rates_query query = {.when = when};
    duration left;
    return fresh_table(provider, &query, clock_monotonic(), &left);
}

/* The newer one of both that is of a day before; either may be NULL. */
static struct rates *newer_before(struct rates *a, struct rates *b, day as_of) {
    if (b == NULL || rates_as_of(b).number >= as_of.number ||
        rates_as_of(b).number < as_of.number - RATES_MAX_LOOK_BACK_DAYS)
        return a;
    return a == NULL || rates_as_of(a).number < rates_as_of(b).number ? b : a;
}

/* What the provider's own file has kept of all days, or NULL. */
static struct rates *find_old(const struct provider *provider, day when,
                              monotime *since) {
    return provider->class->find_old != NULL
               ? provider->class->find_old(provider->state, when, since)
               : NULL;
}

struct rates *provider_last_known(const struct provider *provider, day as_of) {
    struct rates *known = newer_before(NULL, provider->day_before, as_of);
    for (int back = 0; back <= RATES_MAX_LOOK_BACK_DAYS; back++) {
        day when = back == 0 ? RATES_LATEST : day_add(as_of, -back);
        const struct day_table *table =
            when.number >= DAY_FIRST_RATES.number
                ? daytables_find(&provider->tables, when)
                : NULL;
        if (table != NULL)
            known = newer_before(known, table->rates, as_of);
    }
    monotime since;
    known = newer_before(known, find_old(provider, day_add(as_of, -1), &since),
                         as_of);
    return known != NULL ? rates_hold(known) : NULL;
}

static bool has_currency(const struct rates *rates,
                         const struct rates_query *query) {
    return query->currency.len == 0 ||
           rates_find(rates, query->currency) != NULL;
}

/* The first fresh table in the order of the providers that serves. */
static struct rates *first_fresh(const struct providers *providers,
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

/*
 * Whether the latest table in hand is newer by its own date than this one, and
 * has served on this day: answers of one day do not go back in time.
 */
static bool is_behind(const struct providers *providers,
                      const struct rates_query *query,
                      const struct rates *rates) {
    return rates_day_is_latest(query->when) && providers->in_hand != NULL &&
           providers->in_hand_day.number == today().number &&
           rates_as_of(rates).number < rates_as_of(providers->in_hand).number &&
           has_currency(providers->in_hand, query);
}

/* The table in hand, or the one that its provider has given since. */
static struct rates *best_in_hand(const struct providers *providers,
                                  const struct rates_query *query) {
    const struct rates_query latest = {.when = RATES_LATEST};
    duration left;
    struct rates *since =
        fresh_table(&providers->list[providers->in_hand_place], &latest,
                    clock_monotonic(), &left);
    return since != NULL && has_currency(since, query) ? since
                                                       : providers->in_hand;
}

struct rates *providers_find(const struct providers *providers,
                             const struct rates_query *query, size_t *place,
                             duration *left) {
    struct rates *rates = first_fresh(providers, query, place, left);
    if (rates == NULL || !is_behind(providers, query, rates))
        return rates;
    *place = providers->in_hand_place;
    *left = duration_min(*left, OLDER_TABLE_PAUSE);
    return best_in_hand(providers, query);
}

bool providers_seek_better(const struct providers *providers) {
    const struct rates_query latest = {.when = RATES_LATEST};
    size_t place;
    duration left;
    for (size_t i = 0; i < providers->count; i++)
        if (providers->list[i].older_in_row > 0)
            return true;
    const struct rates *first = first_fresh(providers, &latest, &place, &left);
    return first != NULL && is_behind(providers, &latest, first);
}

duration providers_ask_again(const struct providers *providers) {
    monotime now = clock_monotonic();
    duration least = FOREVER;
    for (size_t i = 0; i < providers->count; i++) {
        duration left = monotime_between(now, providers->list[i].ask_again);
        if (left.usec > 0)
            least = duration_min(least, left);
    }
    return least;
}

/* How long to wait after so many older tables: a pause that doubles. */
static duration pause_after(unsigned in_row) {
    duration pause = OLDER_TABLE_PAUSE;
    while (in_row-- > 0 && pause.usec < LONGEST_PAUSE.usec)
        pause.usec *= 2;
    return duration_min(pause, LONGEST_PAUSE);
}

/* A refresh asks it once more, a little before the pause is over. */
static void ask_again_after(struct provider *provider, monotime now,
                            duration pause) {
    provider->ask_again = monotime_add(now, (duration){pause.usec / 100 * 85});
}

static void note_behind(struct provider *provider, monotime now) {
    if (!monotime_reached(now, provider->ask_again))
        return;
    ask_again_after(provider, now, pause_after(provider->behind_in_row++));
}

/* One line for each table that is ignored, however often it comes. */
static void tell_older(struct provider *provider, const struct rates *older,
                       const char *layer, const struct rates *in_hand) {
    if (provider->older_told.number == rates_as_of(older).number)
        return;
    provider->older_told = rates_as_of(older);
    older_table_log(older, layer, in_hand);
}

static void hold_in_hand(struct providers *providers, struct rates *rates) {
    rates_hold(rates);
    rates_release(&providers->in_hand);
    providers->in_hand = rates;
}

/* A table that only serves for the currencies it alone has is not in hand. */
static void take_in_hand(struct providers *providers, struct rates *rates,
                         size_t place) {
    const struct rates_query any = {.when = RATES_LATEST};
    size_t first;
    duration left;
    if (first_fresh(providers, &any, &first, &left) != rates ||
        is_behind(providers, &any, rates))
        return;
    hold_in_hand(providers, rates);
    providers->in_hand_place = place;
    providers->in_hand_day = today();
    struct provider *provider = &providers->list[place];
    if (provider->behind_in_row > 0)
        provider->ask_again = (monotime){0};
    provider->behind_in_row = 0;
}

struct rates *providers_answer(struct providers *providers,
                               const struct rates_query *query, size_t *place,
                               duration *left) {
    struct rates *first = first_fresh(providers, query, place, left);
    size_t first_place = *place;
    struct rates *rates = providers_find(providers, query, place, left);
    if (rates == NULL || !rates_day_is_latest(query->when))
        return rates;
    if (rates == first) {
        take_in_hand(providers, rates, *place);
        return rates;
    }
    struct provider *provider = &providers->list[first_place];
    hold_in_hand(providers, rates);
    tell_older(provider, first, provider->latest_layer, rates);
    note_behind(provider, clock_monotonic());
    return rates;
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
    monotime since = table != NULL ? table->fetched : now;
    struct rates *rates = table != NULL && table->rates != NULL
                              ? table->rates
                              : find_old(provider, query->when, &since);
    if (rates != NULL && rates_day_is_latest(query->when) &&
        (monotime_between(since, now).usec >
             provider->ttl.usec + provider->stale_max.usec ||
         latest_left(provider, rates).usec == 0))
        rates = NULL;
    if (rates == NULL)
        rates = provider_latest_of_day(provider, query->when);
    return rates != NULL && has_currency(rates, query) ? rates : NULL;
}

struct rates *providers_find_stale(const struct providers *providers,
                                   const struct rates_query *query) {
    monotime now = clock_monotonic();
    struct rates *behind = NULL; /* the first one that is */
    for (size_t i = 0; i < providers->count; i++) {
        struct rates *rates = stale_table(&providers->list[i], query, now);
        if (rates != NULL && !is_behind(providers, query, rates))
            return rates;
        if (behind == NULL)
            behind = rates;
    }
    return behind;
}

bool provider_knows(const struct provider *provider,
                    const struct rates_query *query, monotime now) {
    duration left;
    const struct day_table *table =
        daytables_find(&provider->tables, query->when);
    bool is_fresh = fresh_table(provider, query, now, &left) != NULL;
    if (is_fresh && query->least_left.usec > 0 && provider->behind_in_row > 0 &&
        rates_day_is_latest(query->when))
        return !monotime_reached(now, provider->ask_again);
    return is_fresh ||
           (table != NULL && table->none &&
            monotime_between(table->none_since, now).usec < provider->ttl.usec);
}

static bool is_older(const struct day_table *table, day when,
                     const struct rates *rates) {
    return rates_day_is_latest(when) && table->rates != NULL &&
           rates_as_of(rates).number < rates_as_of(table->rates).number;
}

/*
 * What the provider has is older than what it had: there is nothing newer to be
 * had now, so the one in hand is fresh until it is asked again.
 */
static void serve_on(struct provider *provider, struct day_table *table,
                     monotime now) {
    duration pause =
        duration_min(pause_after(provider->older_in_row++), provider->ttl);
    ask_again_after(provider, now, pause);
    table->more = duration_max(
        table->more, (duration){monotime_between(table->fetched, now).usec +
                                pause.usec - provider->ttl.usec});
}

bool provider_keep(struct provider *provider, day when, struct rates *rates,
                   monotime fetched, const char *layer) {
    struct day_table *table = daytables_make(&provider->tables, when);
    if (table->rates != NULL && table->fetched.usec >= fetched.usec)
        return false;
    if (table->rates == rates) { /* had again: it is fresh, and not new */
        table->fetched = fetched;
        table->more = (duration){0};
        table->none = false;
        return false;
    }
    if (is_older(table, when, rates)) {
        tell_older(provider, rates, layer, table->rates);
        if (strcmp(layer, PROVIDER_LAYER) == 0)
            serve_on(provider, table, fetched);
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
    if (!rates_day_is_latest(when))
        return true;
    provider->latest_layer = layer;
    provider->older_in_row = 0;
    provider->ask_again = (monotime){0};
    provider->older_told = (day){0};
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

static duration less_than_usual(const struct provider *provider,
                                duration fresh) {
    return duration_min((duration){fresh.usec - provider->ttl.usec},
                        (duration){0});
}

void provider_keep_none(struct provider *provider, day when, monotime now,
                        duration fresh) {
    struct day_table *table = daytables_make(&provider->tables, when);
    table->none = true;
    table->none_since =
        fresh.usec == 0 ? now
                        : monotime_add(now, less_than_usual(provider, fresh));
}

void provider_keep_briefly(struct provider *provider, day when,
                           duration fresh) {
    struct day_table *table = daytables_make(&provider->tables, when);
    table->more = less_than_usual(provider, fresh);
}
