/*
 * Provider by provider: the second half of a look-up. A provider that fails
 * gives way to the next one; while none is left, one is probed now and then.
 */
#ifndef FXWIRE_RATEFETCHER_SEARCH_H
#define FXWIRE_RATEFETCHER_SEARCH_H

#include "ratefetcher/fetch.h"
#include "ratefetcher/stock.h"

/* What all searches have in common. */
struct searches {
    struct stock *stock;
    struct fetches *fetches;
    monotime next_probe; /* not before */
    size_t probe_turn;   /* the source that is probed next, if it can be */
};

/* One search; it lies in its owner, who fills in the first four members. */
struct search {
    struct searches *searches;
    struct wish wish;
    monotime deadline;
    void (*came)(struct search *search, const struct fetch_end *end);
    struct fetch_waiter waiter;
    size_t source;    /* the one to be tried next */
    bool asked;       /* a source was called for it */
    bool had_failure; /* a source that may have had it could not be asked */
};

enum search_state {
    SEARCH_WAITS,  /* `came` will be called, later */
    SEARCH_PROBES, /* no source is left, but one is tried all the same */
    SEARCH_OVER    /* no source is left */
};

/* Begins, or goes on after `came` was called. */
enum search_state search_go_on(struct search *search);

/* After SEARCH_PROBES: `came` will be called with what that ends in. */
void search_await_probe(struct search *search);

/* To be told of each fetch's end, whoever waited for it. */
void searches_note(struct searches *searches, const struct fetch_end *end);

/*
 * After a search that is over: when it is worth to ask again, in microseconds,
 * as far as it is known.
 */
int64_t search_retry_usec(const struct search *search, monotime now);

#endif
