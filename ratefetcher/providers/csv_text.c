/* The ECB's CSV form as a text that comes piece by piece, in a ZIP or not. */
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "ratefetcher/providers/ecb_csv.h"
#include "ratefetcher/providers/texts.h"
#include "ratefetcher/providers/zipped.h"

struct csv_reader {
    struct ecb_csv *csv;
    struct ecb_csv_faults left_out;
    struct history *tables;
    struct web_faults *faults;
    bool begun, is_zip, bad;
    char *archive; /* what has come of it */
    size_t len, size;
    struct zipped *zipped; /* NULL: it is not all there, or read */
};

static void *reader_begin(const char *provider, struct history *tables,
                          int64_t fetched_ms, struct web_faults *faults) {
    struct csv_reader *r = memory_new(sizeof *r);
    r->csv = ecb_csv_begin(provider, fetched_ms, &r->left_out);
    r->tables = tables;
    r->faults = faults;
    return r;
}

static void collect(struct csv_reader *r, struct span piece) {
    if (r->len + piece.len > r->size) {
        r->size = (r->len + piece.len) * 2;
        r->archive = memory_resize(r->archive, r->size);
    }
    memcpy(r->archive + r->len, piece.data, piece.len);
    r->len += piece.len;
}

/* A ZIP's list of what is in it stands at its end. */
static void reader_feed(void *reader, struct span piece) {
    struct csv_reader *r = reader;
    if (!r->begun && piece.len > 0)
        r->is_zip = piece.data[0] == 'P'; /* a CSV begins with its Date */
    r->begun = r->begun || piece.len > 0;
    if (r->is_zip)
        collect(r, piece);
    else
        ecb_csv_feed(r->csv, piece);
}

static bool reader_more(void *reader) {
    struct csv_reader *r = reader;
    char piece[ZIPPED_PIECE_BYTES];
    if (!r->is_zip || r->bad)
        return false;
    if (r->zipped == NULL)
        r->zipped = zipped_open((struct span){r->archive, r->len});
    long n = r->zipped != NULL ? zipped_read(r->zipped, piece) : -1;
    r->bad = n < 0;
    if (n > 0)
        ecb_csv_feed(r->csv, (struct span){piece, (size_t)n});
    return n > 0;
}

/* Of what is left out, the first one's text is told. */
static const char *reader_end(void *reader) {
    struct csv_reader *r = reader;
    struct history *read = ecb_csv_end(&r->csv);
    size_t left_out = r->left_out.rows + r->left_out.rates;
    const char *why = r->bad         ? "not a ZIP with one CSV in it"
                      : read == NULL ? "not the CSV of the ECB, or no rates"
                                     : NULL;
    for (size_t i = 0; i < left_out; i++)
        web_note_fault(r->faults, r->left_out.example);
    if (why == NULL)
        history_swap(r->tables, read);
    history_free(&read);
    if (r->zipped != NULL)
        zipped_close(&r->zipped);
    free(r->archive);
    free(r);
    return why;
}

const struct web_text_reader csv_text = {.begin = reader_begin,
                                         .feed = reader_feed,
                                         .more = reader_more,
                                         .end = reader_end};
