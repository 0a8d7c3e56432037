#include "ratefetcher/providers/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

struct history {
    struct rates **tables; /* by day, oldest first */
    size_t count, size;
};

struct history *history_new(void) {
    return memory_new(sizeof(struct history));
}

void history_free(struct history **history) {
    struct history *h = *history;
    *history = NULL;
    if (h == NULL)
        return;
    for (size_t i = 0; i < h->count; i++)
        rates_release(&h->tables[i]);
    free(h->tables);
    free(h);
}

/* How many tables are of a day up to and including `last`. */
static size_t count_until(const struct history *h, day last) {
    size_t low = 0, high = h->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (rates_as_of(h->tables[middle]).number <= last.number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void history_add(struct history *history, struct rates *rates) {
    size_t place = count_until(history, rates_as_of(rates));
    if (place > 0 && rates_as_of(history->tables[place - 1]).number ==
                         rates_as_of(rates).number) {
        rates_release(&history->tables[place - 1]);
        history->tables[place - 1] = rates;
        return;
    }
    if (history->count == history->size) {
        history->size = history->size == 0 ? 64 : history->size * 2;
        history->tables = memory_resize(
            history->tables, history->size * sizeof *history->tables);
    }
    memmove(history->tables + place + 1, history->tables + place,
            (history->count - place) * sizeof *history->tables);
    history->tables[place] = rates;
    history->count++;
}

size_t history_count(const struct history *history) {
    return history->count;
}

/* The table of the day after `today`, if that is the first there is. */
static struct rates *next_day(const struct history *h, day today) {
    return h->count > 0 && rates_as_of(h->tables[0]).number == today.number + 1
               ? h->tables[0]
               : NULL;
}

bool history_is_ahead(const struct history *history, day today,
                      char why[static HISTORY_WHY_SIZE]) {
    char theirs[DAY_TEXT_SIZE], ours[DAY_TEXT_SIZE];
    if (history->count == 0 ||
        history_find(history, RATES_LATEST, today) != NULL)
        return false;
    day_print(rates_as_of(history->tables[0]), theirs);
    day_print(today, ours);
    snprintf(why, HISTORY_WHY_SIZE,
             "its latest table is of %s, our today is %s: our clock or theirs "
             "is wrong",
             theirs, ours);
    return true;
}

struct rates *history_find(const struct history *history, day when, day today) {
    day last = when.number < today.number ? when : today;
    size_t place = count_until(history, last);
    if (place == 0 && rates_day_is_latest(when))
        return next_day(history, today);
    if (place == 0)
        return NULL;
    struct rates *found = history->tables[place - 1];
    bool near = rates_as_of(found).number >=
                day_add(last, -RATES_MAX_LOOK_BACK_DAYS).number;
    return near || rates_day_is_latest(when) ? found : NULL;
}
