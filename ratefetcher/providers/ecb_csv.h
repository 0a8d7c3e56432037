/* The ECB's CSV form of its euro foreign exchange reference rates. */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_ECB_CSV_H
#define FXWIRE_RATEFETCHER_PROVIDERS_ECB_CSV_H

#include "common/span.h"
#include "ratefetcher/providers/history.h"

/* What was left out of a table, and an example of it. */
struct ecb_csv_faults {
    size_t rows;      /* whose first field is no day, or that are cut */
    size_t rates;     /* that are no rate of section "Conversion" */
    char example[64]; /* the first one's text */
    size_t line;      /* and its line */
    bool cut;         /* a row is, as in a file that is just being written */
};

struct ecb_csv;

/* Begins to read a text. All is lent until the end. */
MUST_CHECK struct ecb_csv *
ecb_csv_begin(const char *provider, int64_t fetched_ms,
              struct ecb_csv_faults *faults) NONNULL_ALL;

/*
 * Reads on: a first line `Date,USD,JPY,...` and a line a day; `N/A` or nothing
 * where there is no rate; a comma at a line's end is allowed. Faults are left
 * out and counted. So is a row that has fewer fields than the first line, and a
 * last one without a line feed, whose last rate may lack digits (but if each
 * line ends with a comma, and it too, it is whole).
 */
void ecb_csv_feed(struct ecb_csv *reader, struct span piece) NONNULL_ALL;

/*
 * Ends, and frees the reader. NULL if the first line is not of that form or no
 * rate is left; else the caller frees the result.
 */
MUST_CHECK struct history *ecb_csv_end(struct ecb_csv **reader) NONNULL_ALL;

#endif
