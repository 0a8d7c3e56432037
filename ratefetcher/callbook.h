/*
 * What was called of each provider: in this calendar month, and in the last
 * minute. A small file in STATE_DIR, mapped, so that it outlives the kill of
 * all processes and costs no write; without it the counts are of this process
 * alone.
 */
#ifndef FXWIRE_RATEFETCHER_CALLBOOK_H
#define FXWIRE_RATEFETCHER_CALLBOOK_H

#include "common/day.h"
#include "ratefetcher/quota.h"

enum { CALLBOOK_RECORDS = 16, CALLBOOK_TOKEN_SIZE = 33 };

struct callbook_record {
    char provider[32]; /* "": free */
    char month[8];     /* YYYY-MM */
    uint64_t calls;    /* in that month */
    struct quota quota;
};

struct callbook;

/*
 * Opens `dir`/calls, and makes the folder if it is not there. It can not be,
 * or another process has it open: a warning, and counts in memory.
 */
struct callbook *callbook_open(const char *dir);
void callbook_close(struct callbook **book);

/* The provider's record, lent; a new one if there is none yet. */
struct callbook_record *callbook_record(struct callbook *book,
                                        const char *provider);

/* Random text that stays the same over restarts, lent. */
const char *callbook_token(const struct callbook *book);

/* Counts a call that is made at `now`, on the day `today`. */
void callbook_count(struct callbook_record *record, day today, monotime now);

/* The call that was counted then was not made. */
void callbook_uncount(struct callbook_record *record, day today,
                      monotime counted);

/* Calls in the month of `today`. */
uint64_t callbook_calls(const struct callbook_record *record, day today);

#endif
