/*
 * A provider in use: how it did lately, whether it may be called now, and its
 * tables: one for each day that was asked for, with the moment at which it was
 * fetched, or the word that the provider has none.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDER_H
#define FXWIRE_RATEFETCHER_PROVIDER_H

#include <json-c/json.h>

#include "common/clock.h"
#include "common/clock_watch.h"
#include "common/rates/daytables.h"
#include "ratefetcher/breaker.h"
#include "ratefetcher/call_counts.h"
#include "ratefetcher/providers/registry.h"

enum { PROVIDER_FAILURE_SIZE = 256, LATEST_AGE_WHY_SIZE = 112 };

struct provider {
    const struct provider_class *class;
    void *state;                            /* of the class */
    const struct provider_context *context; /* lent */
    duration ttl, stale_max;
    int64_t latest_max_days; /* so old may its latest table be */
    day too_old;             /* it was of this day, and too old: */
    char why_too_old[LATEST_AGE_WHY_SIZE]; /* for people; "": it was not */
    day too_old_told;                      /* in the log; 0: none is */
    struct daytables tables;
    const char *latest_layer; /* where its latest table came from */
    struct rates *day_before; /* the last latest one of an earlier day */
    unsigned older_in_row;    /* latest tables older than the one in hand */
    day older_told;           /* the last one that was told; 0: none */
    unsigned behind_in_row;   /* times it was behind the one in hand */
    monotime ask_again;       /* for a better one than these */
    day differ_told[2];       /* the last tables that were told to differ */
    uint32_t calls_per_minute;
    struct call_counts_record *record; /* lent */
    struct breaker breaker;
    struct breaker newer; /* while its latest table is too old */
    monotime not_before;  /* it said to wait, or refused the key */
    bool used;
    enum provider_result last;
    monotime failed_at;                  /* the last time that it did */
    char failure[PROVIDER_FAILURE_SIZE]; /* what it was, for people; "": none */
    int64_t last_success_ms;             /* 0: never */
    bool has_clock;                      /* it told the time: */
    int64_t clock_ahead_ms; /* so far ours was ahead of its clock */
};

/* The providers in use, in their order. */
struct providers {
    struct call_counts *counts;
    /* What latest tables were last answered with, by the rules of the order:
     * for the rest of that day no older one takes its place. */
    struct rates *in_hand; /* NULL: none */
    size_t in_hand_place;
    day in_hand_day;
    day old_told; /* the last old table that was told, and whose it was */
    size_t old_told_place;
    monotime alert_not_before; /* that no provider is left */
    struct provider *second;   /* for cross-checks: one of the list, or the one
                                  behind its end; NULL: none */
    size_t count;
    struct provider list[];
};

/* Opens the providers that the settings name; `context` is lent. */
MUST_CHECK struct providers *
providers_new(const struct provider_context *context) NONNULL_ALL;
void providers_free(struct providers **providers) NONNULL_ALL;

/* A table that somebody asks for. */
struct rates_query {
    day when;             /* or RATES_LATEST */
    struct span currency; /* that it must have, lent; empty: any */
    duration least_left;  /* one that is fresh for no longer does not serve */
};

/*
 * The first provider's fresh table that serves, lent, its place in the list,
 * and in `left` how long it stays fresh; NULL: there is none.
 */
MUST_CHECK struct rates *providers_find(const struct providers *providers,
                                        const struct rates_query *query,
                                        size_t *place,
                                        duration *left) NONNULL_ALL;

/*
 * The same for who is answered with it: a latest table is in hand from then on,
 * and one that is older does not take its place on that day.
 */
MUST_CHECK struct rates *providers_answer(struct providers *providers,
                                          const struct rates_query *query,
                                          size_t *place,
                                          duration *left) NONNULL_ALL;

/*
 * Whether the latest table in hand only serves because what the providers have
 * is older, so that a better one is to be looked for; and in how long one that
 * had an older one is to be asked for it.
 */
MUST_CHECK bool
providers_seek_better(const struct providers *providers) NONNULL_ALL;
MUST_CHECK duration providers_ask_again(const struct providers *providers)
    NONNULL_ALL;

/*
 * When providers fail, an old table may serve: of a past day any, as such
 * tables do not change, of today as far as STALE_MAX_SECONDS allows; or the
 * latest table that was fetched on a day that is just over. Lent; NULL: there
 * is none.
 */
MUST_CHECK struct rates *
providers_find_stale(const struct providers *providers,
                     const struct rates_query *query) NONNULL_ALL;

/*
 * In how long it is worth to ask again for what no provider gave, as far as
 * that is known; 0: it is not. No provider is probed before `probe_not_before`.
 */
duration providers_retry(const struct providers *providers,
                         const struct rates_query *query,
                         monotime probe_not_before) NONNULL_ALL;

/* Alerts that no provider can be asked for the day: once a minute for all. */
void providers_alert_none_left(struct providers *providers,
                               const struct provider_context *context,
                               day when) NONNULL_ALL;

/*
 * The wall clock was set. Failures are forgotten, as they may have come of it;
 * with `another_day` what is known of today too.
 */
void providers_clock_stepped(struct providers *providers,
                             const struct clock_step *step) NONNULL_ALL;

/* Adds "providers", a row for each, and "latest", where today's table came
 * from, to a report. */
void providers_report(const struct providers *providers,
                      struct json_object *report) NONNULL_ALL;

/*
 * Whether it is known what the provider has of the day: a fresh table, whatever
 * its currencies, or none.
 */
bool provider_knows(const struct provider *provider,
                    const struct rates_query *query, monotime now) NONNULL_ALL;

/*
 * Keeps a table for the day, with a reference of its own, that was fetched then
 * and came from that layer (a constant). False: the same one, one fetched
 * later or a latest one of a later day is kept already; that one is then fresh
 * for a while more, unless Redis had the older one.
 */
bool provider_keep(struct provider *provider, day when, struct rates *rates,
                   monotime fetched, const char *layer) NONNULL_ALL;

/*
 * How long the provider may not be asked for the day; 0: it may be now. What
 * costs no call may always be asked.
 */
duration provider_wait(const struct provider *provider, day when,
                       monotime now) NONNULL_ALL;

/* Whether it is only skipped for its failures, so that it may be probed. */
bool provider_may_be_probed(const struct provider *provider, day when,
                            monotime now) NONNULL_ALL;

/* What is noted of a fetch when it begins; it lies with who waits for it. */
struct provider_call {
    bool counted; /* as a call */
    bool trial;   /* that shows whether the provider works again */
    day today;
    monotime begun;
};

/*
 * Whether the provider may be called once more for what it was called for, by
 * its quota; that call is counted then.
 */
MUST_CHECK bool provider_call_again(struct provider *provider) NONNULL_ALL;

/*
 * Begins to fetch the table of a day: counts the call, if it makes one, and
 * then does as provider_class.fetch. provider_end() is due with its answer.
 */
MUST_CHECK bool provider_fetch(struct provider *provider, day when,
                               duration timeout, struct provider_call *call,
                               struct provider_answer *answer,
                               provider_done *done, void *arg) NONNULL(1, 4, 5);

/*
 * A table of it that was fetched then has come, though not to who waited for
 * it, or to another machine: a failure before that is over.
 */
void provider_works_again(struct provider *provider,
                          monotime fetched) NONNULL_ALL;

/* By how many seconds our clock is ahead of its own; it was read in whole ones.
 */
int64_t provider_clock_ahead(const struct provider *provider) NONNULL_ALL;

/* To be called first with what a fetch ended in: too old a table is none. */
void provider_check_age(struct provider *provider, day when,
                        struct provider_answer *answer) NONNULL_ALL;

/*
 * Notes what the fetch ended in: logs it if the provider began or ceased to
 * fail, takes the call back if it was not made after all, and keeps the table,
 * or that there is none. True: it is a table that was not kept before.
 */
bool provider_end(struct provider *provider, day when,
                  const struct provider_call *call,
                  const struct provider_answer *answer) NONNULL_ALL;

#endif
