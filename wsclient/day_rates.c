#include "wsclient/day_rates.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/older_table.h"
#include "common/rates/euro_fixed.h"

/* More providers than there are; more unknown codes are simply asked again. */
enum { MAX_TABLES = 8, MAX_UNKNOWN = 64 };

struct known_day {
    size_t tables, unknowns;
    struct {
        struct rates *rates;
        monotime expires;
        day last;        /* the day on which it expires */
    } table[MAX_TABLES]; /* in the order they came: the first is preferred */
    char unknown[MAX_UNKNOWN][RATES_CODE_LEN];
};

void day_rates_init(struct day_rates *rates) {
    *rates = (struct day_rates){.days.entry_size = sizeof(struct known_day *)};
}

static void clear_day(void *entry) {
    struct known_day *known = *(struct known_day **)entry;
    for (size_t i = 0; known != NULL && i < known->tables; i++)
        rates_release(&known->table[i].rates);
    free(known);
}

static void forget_found(struct day_rates *rates) {
    memset(rates->found, 0, sizeof rates->found);
}

void day_rates_clear(struct day_rates *rates) {
    daytables_clear(&rates->days, clear_day);
    forget_found(rates);
}

/* A day and a currency as one number, which is not 0. */
static inline uint64_t key_of(day when, const char *code) {
    const unsigned char *c = (const unsigned char *)code;
    return (uint64_t)(uint32_t)when.number << 32 | (uint64_t)c[0] << 16 |
           (uint64_t)c[1] << 8 | c[2];
}

/* By the top bits of a product in which all of the key's have a part. */
static inline size_t place_of_key(uint64_t key) {
    return key * UINT64_C(0x9E3779B97F4A7C15) >> (64 - DAY_RATES_FOUND_BITS);
}

static NOINLINE void look_at_clock(struct day_rates *rates, int64_t wall_ms,
                                   monotime now) {
    if (!clock_watch_look(&rates->clock, wall_ms, now).another_day)
        return;
    struct known_day **latest = daytables_find(&rates->days, RATES_LATEST);
    if (latest == NULL)
        return;
    clear_day(latest);
    *latest = NULL;
    forget_found(rates);
}

void day_rates_look_at_clock(struct day_rates *rates, int64_t wall_ms,
                             monotime now) {
    const struct clock_watch *last = &rates->clock;
    bool other_moment = last->wall_ms != wall_ms ||
                        last->monotonic.usec != now.usec || !last->looked;
    if (other_moment) /* of one turn's messages the first looks */
        look_at_clock(rates, wall_ms, now);
}

static bool is_unknown(const struct known_day *known, struct span currency) {
    for (size_t i = 0; i < known->unknowns; i++)
        if (memcmp(known->unknown[i], currency.data, RATES_CODE_LEN) == 0)
            return true;
    return false;
}

const struct rates *day_rates_table(const struct day_rates *rates, day when,
                                    struct span currency, monotime now) {
    struct known_day *const *entry = daytables_find(&rates->days, when);
    const struct known_day *known = entry != NULL ? *entry : NULL;
    for (size_t i = 0; known != NULL && i < known->tables; i++)
        if (!monotime_reached(now, known->table[i].expires) &&
            rates_find(known->table[i].rates, currency) != NULL)
            return known->table[i].rates;
    return NULL;
}

static inline struct found_rates *place_of_pair(struct day_rates *rates,
                                                day when, const char *code) {
    return &rates->found[place_of_key(key_of(when, code))];
}

/* Looks through the tables of the day; what is found is kept in `found`. */
static enum day_rates_result find_in_tables(struct day_rates *rates, day when,
                                            struct span currency, monotime now,
                                            struct rate_pair *pair) {
    struct known_day *const *entry = daytables_find(&rates->days, when);
    const struct known_day *known = entry != NULL ? *entry : NULL;
    bool any_holds = false;
    for (size_t i = 0; known != NULL && i < known->tables; i++) {
        if (monotime_reached(now, known->table[i].expires))
            continue;
        any_holds = true;
        if (rates_find_pair(known->table[i].rates, currency, pair)) {
            *place_of_pair(rates, when, currency.data) = (struct found_rates){
                key_of(when, currency.data), known->table[i].expires, *pair};
            return DAY_RATES_FOUND;
        }
    }
    if (!any_holds)
        return DAY_RATES_NO_TABLE;
    return is_unknown(known, currency) ? DAY_RATES_UNKNOWN_CURRENCY
                                       : DAY_RATES_NOT_IN_TABLE;
}

/* By law, whatever is in the tables; else from these. */
static NOINLINE enum day_rates_result find_anew(struct day_rates *rates,
                                                day when, struct span currency,
                                                monotime now,
                                                struct rate_pair *pair) {
    return euro_fixed_pair(currency.data, when, day_of_ms(rates->clock.wall_ms),
                           pair)
               ? DAY_RATES_FOUND
               : find_in_tables(rates, when, currency, now, pair);
}

enum day_rates_result day_rates_find(struct day_rates *rates, day when,
                                     struct span currency, monotime now,
                                     struct rate_pair *pair) {
    const struct found_rates *found = place_of_pair(rates, when, currency.data);
    if (euro_fixed_may_be(currency.data) ||
        found->key != key_of(when, currency.data) ||
        monotime_reached(now, found->expires))
        return find_anew(rates, when, currency, now, pair);
    *pair = found->pair;
    return DAY_RATES_FOUND;
}

static struct known_day *make_day(struct day_rates *rates, day when) {
    struct known_day **entry = daytables_make(&rates->days, when);
    if (*entry == NULL)
        *entry = memory_new(sizeof **entry);
    return *entry;
}

/* The place of this provider's table: its old one's, or a new one. */
static size_t place_of(const struct known_day *known,
                       const struct rates *table) {
    size_t i = 0;
    while (i < known->tables && strcmp(rates_provider(known->table[i].rates),
                                       rates_provider(table)) != 0)
        i++;
    return i < MAX_TABLES ? i : MAX_TABLES - 1;
}

/*
 * The place of a latest table that is preferred to the one at `place` and of a
 * later day, and serves or served today: answers of one day do not go back in
 * time. `known->tables`: there is none.
 */
static size_t find_newer(const struct known_day *known, size_t place,
                         const struct rates *table, day today) {
    for (size_t i = 0; i <= place && i < known->tables; i++)
        if (rates_as_of(known->table[i].rates).number >
                rates_as_of(table).number &&
            known->table[i].last.number >= today.number)
            return i;
    return known->tables;
}

static void enter_at(struct known_day *known, size_t i, struct rates *table,
                     monotime expires, const struct now *now) {
    duration left = monotime_between(now->monotonic, expires);
    if (i == known->tables)
        known->tables++;
    rates_hold(table);
    rates_release(&known->table[i].rates);
    known->table[i].rates = table;
    known->table[i].expires = expires;
    known->table[i].last = day_of_ms(now->wall_ms + left.usec / USEC_PER_MSEC);
}

struct rates *day_rates_enter(struct day_rates *rates, day when,
                              struct rates *table, monotime expires,
                              const struct now *now) {
    struct known_day *known = make_day(rates, when);
    forget_found(rates);
    size_t i = place_of(known, table);
    size_t newer = rates_day_is_latest(when)
                       ? find_newer(known, i, table, day_of_ms(now->wall_ms))
                       : known->tables;
    if (newer < known->tables) {
        monotime soon = monotime_add(now->monotonic, OLDER_TABLE_PAUSE);
        monotime until = expires.usec < soon.usec ? expires : soon;
        if (known->table[newer].expires.usec < until.usec)
            known->table[newer].expires = until;
        if (i != newer)
            enter_at(known, i, table, expires, now);
        return known->table[newer].rates;
    }
    if (i == 0)
        known->unknowns = 0; /* they hold no longer than the day's tables */
    enter_at(known, i, table, expires, now);
    return table;
}

void day_rates_enter_unknown(struct day_rates *rates, day when,
                             struct span currency) {
    struct known_day *known = make_day(rates, when);
    if (known->unknowns < MAX_UNKNOWN && !is_unknown(known, currency))
        memcpy(known->unknown[known->unknowns++], currency.data,
               RATES_CODE_LEN);
}
