#include "ratefetcher/providers/ecb_csv.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "ratefetcher/providers/day_rows.h"

enum { MAX_COLUMNS = 256 };

/* In the place of a column of the tables: it is not a currency's. */
enum { NO_CURRENCY = RATES_MAX_CURRENCIES };

struct ecb_csv {
    struct csv_parser parser;
    struct ecb_csv_faults *faults;
    struct history *history;
    struct day_rows *rows;         /* none is begun: the row is skipped */
    size_t column_of[MAX_COLUMNS]; /* of the tables, for one of the text */
    size_t column, line;
    size_t columns;     /* of the first line, without an empty one at its end */
    bool comma_ends;    /* the first line has an empty one at its end */
    bool last_is_empty; /* the last field that was read is */
    bool bad_header, bad;
};

static void note_fault(struct ecb_csv *r, size_t *counter, struct span text) {
    if (r->faults->rows + r->faults->rates == 0) {
        snprintf(r->faults->example, sizeof r->faults->example, "%.*s",
                 (int)(text.len < 48 ? text.len : 48), text.data);
        r->faults->line = r->line;
    }
    (*counter)++;
}

static void read_header_field(struct ecb_csv *r, struct span text) {
    if (r->column == 0)
        r->bad_header = !span_equals(text, "Date");
    else if (r->column < MAX_COLUMNS &&
             (!rates_is_code(text) ||
              !day_rows_column(r->rows, text.data, &r->column_of[r->column])))
        r->column_of[r->column] = NO_CURRENCY;
}

static void read_day(struct ecb_csv *r, struct span text) {
    day as_of;
    if (day_parse(text, &as_of) == DAY_OK)
        day_rows_begin(r->rows, as_of);
    else if (text.len > 0)
        note_fault(r, &r->faults->rows, text);
}

static void read_rate(struct ecb_csv *r, struct span text) {
    if (!day_rows_is_begun(r->rows) || r->column >= r->columns ||
        r->column >= MAX_COLUMNS || text.len == 0 || span_equals(text, "N/A") ||
        r->column_of[r->column] == NO_CURRENCY)
        return;
    enum rates_add added = day_rows_add(r->rows, r->column_of[r->column], text);
    if (added == RATES_OTHER_BASE) {
        note_fault(r, &r->faults->rows, text);
        day_rows_drop(r->rows);
    } else if (added != RATES_ADDED && added != RATES_BASE) {
        note_fault(r, &r->faults->rates, text);
    }
}

static void on_field(void *field, size_t len, void *arg) {
    struct ecb_csv *r = arg;
    struct span text = {len > 0 ? field : "", len};
    r->last_is_empty = len == 0;
    if (r->line == 1)
        read_header_field(r, text);
    else if (r->column == 0)
        read_day(r, text);
    else
        read_rate(r, text);
    r->column++;
}

/* `end` is the byte that ended the row, or negative: it is the text's end. */
static bool is_whole(const struct ecb_csv *r, int end) {
    if (end >= 0)
        return r->column >= r->columns;
    return r->comma_ends && r->column > r->columns && r->last_is_empty;
}

static void end_header(struct ecb_csv *r) {
    r->comma_ends = r->column > 0 && r->last_is_empty;
    r->columns = r->column - (r->comma_ends ? 1 : 0);
}

static void leave_out_cut(struct ecb_csv *r) {
    char date[DAY_TEXT_SIZE];
    day_print(day_rows_as_of(r->rows), date);
    note_fault(r, &r->faults->rows, span_of(date));
    r->faults->cut = true;
    day_rows_drop(r->rows);
}

/* Also called for an empty line, and twice for one that ends in CR LF. */
static void on_row(int end, void *arg) {
    struct ecb_csv *r = arg;
    if (r->line == 1 && r->column > 0)
        end_header(r);
    if (day_rows_is_begun(r->rows) && !is_whole(r, end))
        leave_out_cut(r);
    day_rows_end(r->rows);
    r->column = 0;
    if (end != '\r')
        r->line++;
}

struct ecb_csv *ecb_csv_begin(const char *provider, int64_t fetched_ms,
                              struct ecb_csv_faults *faults) {
    struct ecb_csv *r = memory_new(sizeof *r);
    *faults = (struct ecb_csv_faults){0};
    r->faults = faults;
    r->history = history_new();
    r->rows = day_rows_new(r->history, provider, "EUR", fetched_ms);
    r->line = 1;
    r->bad_header = true;
    r->bad = csv_init(&r->parser, CSV_REPALL_NL) != 0;
    return r;
}

void ecb_csv_feed(struct ecb_csv *reader, struct span piece) {
    if (!reader->bad)
        reader->bad = csv_parse(&reader->parser, piece.data, piece.len,
                                on_field, on_row, reader) != piece.len;
}

struct history *ecb_csv_end(struct ecb_csv **reader) {
    struct ecb_csv *r = *reader;
    *reader = NULL;
    bool good = !r->bad && csv_fini(&r->parser, on_field, on_row, r) == 0 &&
                !r->bad_header && history_count(r->history) > 0;
    struct history *history = r->history;
    csv_free(&r->parser);
    day_rows_free(&r->rows);
    free(r);
    if (!good)
        history_free(&history);
    return history;
}
