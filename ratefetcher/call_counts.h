/*
 * What was called of each provider: in this calendar month, and in the last
 * minute. A small file in STATE_DIR, mapped, so that it outlives the kill of
 * all processes and costs no write; without it the counts are of this process
 * alone.
 */
#ifndef FXWIRE_RATEFETCHER_CALL_COUNTS_H
#define FXWIRE_RATEFETCHER_CALL_COUNTS_H

#include "common/day.h"
#include "ratefetcher/quota.h"

enum { CALL_COUNTS_RECORDS = 16, CALL_COUNTS_TOKEN_SIZE = 33 };

struct call_counts_record {
    char provider[32]; /* "": free */
    char month[8];     /* YYYY-MM */
    uint64_t calls;    /* in that month */
    struct quota quota;
};

struct call_counts;

/*
 * Opens `dir`/calls, and makes the folder if it is not there. It can not be,
 * or another process has it open: a warning, and counts in memory.
 */
struct call_counts *call_counts_open(const char *dir);
void call_counts_close(struct call_counts **book);

/*
 * To be called each second or so: where somebody removed the file, it is made
 * anew with all that was counted, and that is logged. Records stay where they
 * are.
 */
void call_counts_restore(struct call_counts *book);

/* The provider's record, lent; a new one if there is none yet. */
struct call_counts_record *call_counts_record(struct call_counts *book,
                                              const char *provider);

/* Random text that stays the same over restarts, lent. */
const char *call_counts_token(const struct call_counts *book);

/* Counts a call that is made at `now`, on the day `today`. */
void call_counts_add(struct call_counts_record *record, day today,
                     monotime now);

/* The call that was counted then was not made. */
void call_counts_take_back(struct call_counts_record *record, day today,
                           monotime counted);

/* Calls in the month of `today`. */
uint64_t call_counts_of_month(const struct call_counts_record *record,
                              day today);

#endif
