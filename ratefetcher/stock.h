/*
 * The providers in use, in their order, and what is at hand of their tables:
 * the first layer of a look-up.
 */
#ifndef FXWIRE_RATEFETCHER_STOCK_H
#define FXWIRE_RATEFETCHER_STOCK_H

#include "ratefetcher/cache_memory.h"
#include "ratefetcher/provider.h"

struct stock {
    struct cache_memory *memory;
    struct call_counts *call_counts;
    int64_t ttl_usec;
    int64_t stale_max_usec;
    size_t count;
    struct source sources[];
};

/* What somebody asks for. */
struct wish {
    day when;                 /* or RATES_LATEST */
    struct span currency;     /* lent; empty: any */
    int64_t least_fresh_usec; /* a table fresh for less does not serve */
};

/* Opens the providers that the settings name; `context` is lent. */
struct stock *stock_new(const struct provider_context *context);
void stock_free(struct stock **stock);

/*
 * The first provider's table that serves, lent, its place among the sources
 * and how long it stays fresh; NULL: there is none.
 */
struct rates *stock_find(const struct stock *stock, const struct wish *wish,
                         monotime now, size_t *source, int64_t *fresh_usec);

/*
 * When providers fail, an old table may serve: of a past day any, as such
 * tables do not change, of today as far as STALE_MAX_SECONDS allows. Lent;
 * NULL: there is none.
 */
struct rates *stock_find_stale(const struct stock *stock,
                               const struct wish *wish, monotime now);

/* Whether it is known what the source has of the day: a table, or none. */
bool stock_knows(const struct stock *stock, size_t source,
                 const struct wish *wish, monotime now);

/* Whether there is any table of the day, whatever its currencies. */
bool stock_has_table(const struct stock *stock, const struct wish *wish,
                     monotime now);

/* Keeps a source's table that was fetched then and came from that layer
 * (lent for ever). */
void stock_keep(struct stock *stock, size_t source, day when,
                struct rates *rates, monotime fetched, const char *layer);

#endif
