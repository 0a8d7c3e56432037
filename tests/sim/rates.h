/*
 * What the world's rates are, whoever asks (rates.c), the providers that have
 * them (providers.c), and ratefetcher in between (fetcher.c).
 */
#ifndef FXWIRE_TESTS_SIM_RATES_H
#define FXWIRE_TESTS_SIM_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/day.h"
#include "common/span.h"

/* The first provider has no table with one of them, and none has another. */
enum { CURRENCIES = 6, WITHOUT_TABLE = 4, UNKNOWN = 5, DAYS = 12 };

const char *rates_currency(unsigned number);

/* Days of which requests are, all well before the present. */
day rates_day(unsigned number);

/* By a clock that is never set: today, and the last day whose rates are out. */
day rates_today(void);
day rates_published(void);

/* The day whose rates serve: no new ones are published at a weekend. */
day rates_working_day(day when);

/* Units of it for a euro, in ten thousandths, as published on that day. */
uint64_t rates_rate(day when, unsigned currency);

/* ratefetcher as wsclient sees it. */
void fetcher_prepare(const char *folder); /* where it has its file */
void fetcher_end(void);
void fetcher_begin_world(void);
int64_t fetcher_next(void);
void fetcher_turn(void);
bool fetcher_ask(day when, struct span currency);
void fetcher_forget_wsclient(void);
/* Others ask so many questions. */
void fetcher_is_asked(uint32_t questions);
/* The wall clock is being set. */
void fetcher_clock_set(void);
bool fetcher_does(void (*deed)(void *arg), void *arg);

/* The providers over HTTP. */
enum { PROVIDERS = 2 };
void providers_begin_world(void);
void providers_forget_calls(void); /* ratefetcher is no more */
void providers_clock_set(void);
int64_t providers_next(void);
void providers_turn(void);
/* Since when both of them are to be used and work; NEVER: not now. */
int64_t providers_good_since(void);
/* Whether one of them has said not long ago that it has none of the day. */
bool providers_lacked(day when);

#endif
