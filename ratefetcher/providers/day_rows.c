#include "ratefetcher/providers/day_rows.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

struct day_rows {
    struct history *history;
    const char *provider, *base;
    int64_t fetched_ms;
    size_t count;                              /* of columns */
    struct rate columns[RATES_MAX_CURRENCIES]; /* as they came, with the last
                                                  rate that was put there */
    uint32_t row_of[RATES_MAX_CURRENCIES];     /* the row of that rate */
    uint16_t sorted[RATES_MAX_CURRENCIES];     /* columns, by their codes */
    size_t next;                               /* column, if all goes on so */
    struct rate of_day[RATES_MAX_CURRENCIES];  /* the row, by codes */
    uint32_t row;                              /* counts from 1 */
    bool begun;
    day as_of;
};

struct day_rows *day_rows_new(struct history *history, const char *provider,
                              const char *base, int64_t fetched_ms) {
    struct day_rows *rows = memory_new(sizeof *rows);
    rows->history = history;
    rows->provider = provider;
    rows->base = base;
    rows->fetched_ms = fetched_ms;
    return rows;
}

void day_rows_free(struct day_rows **rows) {
    free(*rows);
    *rows = NULL;
}

/* Below 0, 0 or above: as the column's code is to `code`. */
static int compare(const struct day_rows *rows, size_t column,
                   const char *code) {
    return memcmp(rows->columns[column].code, code, RATES_CODE_LEN);
}

/* The place of the code in the order, whether it is there or not. */
static size_t place_of(const struct day_rows *rows, const char *code) {
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(rows, rows->sorted[middle], code) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t make_column(struct day_rows *rows, size_t place,
                          const char *code) {
    uint16_t *at = &rows->sorted[place];
    memmove(at + 1, at, (rows->count - place) * sizeof *at);
    *at = (uint16_t)rows->count;
    memcpy(rows->columns[rows->count].code, code, RATES_CODE_LEN);
    return rows->count++;
}

bool day_rows_column(struct day_rows *rows, const char *code, size_t *column) {
    *column = rows->next;
    if (*column >= rows->count || compare(rows, *column, code) != 0) {
        size_t place = place_of(rows, code);
        bool is_there = place < rows->count &&
                        compare(rows, rows->sorted[place], code) == 0;
        if (!is_there && rows->count == RATES_MAX_CURRENCIES)
            return false;
        *column =
            is_there ? rows->sorted[place] : make_column(rows, place, code);
    }
    rows->next = *column + 1;
    return true;
}

void day_rows_begin(struct day_rows *rows, day as_of) {
    day_rows_end(rows);
    rows->begun = true;
    rows->row++;
    rows->as_of = as_of;
    rows->next = 0;
}

bool day_rows_is_begun(const struct day_rows *rows) {
    return rows->begun;
}

day day_rows_as_of(const struct day_rows *rows) {
    return rows->as_of;
}

enum rates_add day_rows_add(struct day_rows *rows, size_t column,
                            struct span rate) {
    struct rate value, *slot = &rows->columns[column];
    enum rates_add read = rates_read(rows->base, slot->code, rate, &value);
    if (read != RATES_ADDED)
        return read;
    if (rows->row_of[column] == rows->row)
        return RATES_DUPLICATE;
    rows->row_of[column] = rows->row;
    slot->places = value.places;
    slot->value = value.value;
    return RATES_ADDED;
}

void day_rows_end(struct day_rows *rows) {
    size_t count = 0;
    for (size_t i = 0; rows->begun && i < rows->count; i++) {
        size_t column = rows->sorted[i];
        if (rows->row_of[column] == rows->row)
            rows->of_day[count++] = rows->columns[column];
    }
    rows->begun = false;
    if (count == 0)
        return;
    struct rates *rates =
        rates_new(rows->provider, rows->base, rows->as_of, rows->fetched_ms);
    rates_fill(rates, rows->of_day, count);
    history_add(rows->history, rates);
}

void day_rows_drop(struct day_rows *rows) {
    rows->begun = false;
}
