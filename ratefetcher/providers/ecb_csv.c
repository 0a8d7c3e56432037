#include "ratefetcher/providers/ecb_csv.h"

#include <csv.h>
#include <stdio.h>
#include <string.h>

#include "common/memory.h"

enum { MAX_COLUMNS = 256 };

struct csv_reader {
    const char *provider;
    int64_t fetched_ms;
    struct ecb_csv_faults *faults;
    struct history *history;
    char codes[MAX_COLUMNS][RATES_CODE_LEN]; /* NULs: not a currency */
    size_t column, line;
    size_t columns;     /* of the first line, without an empty one at its end */
    bool comma_ends;    /* the first line has an empty one at its end */
    bool last_is_empty; /* the last field that was read is */
    bool bad_header;
    struct rates *table; /* of the row being read; NULL: the row is skipped */
};

static void note_fault(struct csv_reader *r, size_t *counter,
                       struct span text) {
    if (r->faults->rows + r->faults->rates == 0) {
        snprintf(r->faults->example, sizeof r->faults->example, "%.*s",
                 (int)(text.len < 48 ? text.len : 48), text.data);
        r->faults->line = r->line;
    }
    (*counter)++;
}

static void read_header_field(struct csv_reader *r, struct span text) {
    if (r->column == 0)
        r->bad_header = !span_equals(text, "Date");
    else if (r->column < MAX_COLUMNS && rates_is_code(text))
        memcpy(r->codes[r->column], text.data, RATES_CODE_LEN);
}

static void read_day(struct csv_reader *r, struct span text) {
    day as_of;
    if (day_parse(text, &as_of) == DAY_OK)
        r->table = rates_new(r->provider, "EUR", as_of, r->fetched_ms);
    else if (text.len > 0)
        note_fault(r, &r->faults->rows, text);
}

static void read_rate(struct csv_reader *r, struct span text) {
    if (r->table == NULL || r->column >= MAX_COLUMNS || text.len == 0 ||
        span_equals(text, "N/A") || r->codes[r->column][0] == '\0')
        return;
    struct span code = {r->codes[r->column], RATES_CODE_LEN};
    enum rates_add added = rates_add(r->table, code, text);
    if (added == RATES_OTHER_BASE) {
        note_fault(r, &r->faults->rows, text);
        rates_release(&r->table);
    } else if (added != RATES_ADDED && added != RATES_BASE) {
        note_fault(r, &r->faults->rates, text);
    }
}

static void on_field(void *field, size_t len, void *arg) {
    struct csv_reader *r = arg;
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
static bool is_whole(const struct csv_reader *r, int end) {
    if (end >= 0)
        return r->column >= r->columns;
    return r->comma_ends && r->column > r->columns && r->last_is_empty;
}

static void end_header(struct csv_reader *r) {
    r->comma_ends = r->column > 0 && r->last_is_empty;
    r->columns = r->column - (r->comma_ends ? 1 : 0);
}

static void leave_out_cut(struct csv_reader *r) {
    char date[DAY_TEXT_SIZE];
    day_print(rates_as_of(r->table), date);
    note_fault(r, &r->faults->rows, span_of(date));
    r->faults->cut = true;
    rates_release(&r->table);
}

/* Also called for an empty line, and twice for one that ends in CR LF. */
static void on_row(int end, void *arg) {
    struct csv_reader *r = arg;
    if (r->line == 1 && r->column > 0)
        end_header(r);
    if (r->table != NULL && !is_whole(r, end))
        leave_out_cut(r);
    if (r->table != NULL && rates_count(r->table) > 0) {
        history_add(r->history, r->table);
        r->table = NULL;
    }
    rates_release(&r->table);
    r->column = 0;
    if (end != '\r')
        r->line++;
}

struct history *ecb_csv_read(struct span text, const char *provider,
                             int64_t fetched_ms,
                             struct ecb_csv_faults *faults) {
    *faults = (struct ecb_csv_faults){0};
    struct csv_reader r = {.provider = provider,
                           .fetched_ms = fetched_ms,
                           .faults = faults,
                           .history = history_new(),
                           .line = 1,
                           .bad_header = true};
    struct csv_parser parser;
    if (csv_init(&parser, CSV_REPALL_NL) != 0)
        return NULL;
    bool whole = csv_parse(&parser, text.data, text.len, on_field, on_row,
                           &r) == text.len &&
                 csv_fini(&parser, on_field, on_row, &r) == 0;
    csv_free(&parser);
    rates_release(&r.table);
    if (!whole || r.bad_header ||
        history_find(r.history, RATES_LATEST, RATES_LATEST) == NULL)
        history_free(&r.history);
    return r.history;
}
