#include "ratefetcher/providers/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

struct history {
    struct rates **tables; /* by day, oldest first; they begin in the room */
    size_t count;
    struct rates **room;
    size_t size;
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
    free(h->room);
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

/* As much room again, half of it at either end. */
static void grow(struct history *h) {
    size_t size = h->size == 0 ? 64 : h->size * 2;
    struct rates **room = memory_new(size * sizeof *room);
    struct rates **tables = room + (size - h->count) / 2;
    if (h->count > 0)
        memcpy(tables, h->tables, h->count * sizeof *tables);
    free(h->room);
    h->room = room;
    h->tables = tables;
    h->size = size;
}

/*
 * Days mostly come in order, the newest or the oldest first: then there is
 * nothing to be moved, as there is room at both ends.
 */
static struct rates **make_place(struct history *h, size_t place) {
    bool to_front = place < h->count - place;
    if (h->count == 0 || (to_front ? h->tables == h->room
                                   : h->tables + h->count == h->room + h->size))
        grow(h);
    if (to_front) {
        memmove(h->tables - 1, h->tables, place * sizeof *h->tables);
        h->tables--;
    } else {
        memmove(h->tables + place + 1, h->tables + place,
                (h->count - place) * sizeof *h->tables);
    }
    h->count++;
    return &h->tables[place];
}

void history_add(struct history *history, struct rates *rates) {
    size_t place = count_until(history, rates_as_of(rates));
    if (place > 0 && rates_as_of(history->tables[place - 1]).number ==
                         rates_as_of(rates).number) {
        rates_release(&history->tables[place - 1]);
        history->tables[place - 1] = rates;
        return;
    }
    *make_place(history, place) = rates;
}

void history_swap(struct history *one, struct history *other) {
    struct history kept = *one;
    *one = *other;
    *other = kept;
}

/* Others may hold the earlier ones. */
void history_renew(struct history *history, int64_t fetched_ms) {
    for (size_t i = 0; i < history->count; i++) {
        struct rates *renewed = rates_copy(history->tables[i], fetched_ms);
        rates_release(&history->tables[i]);
        history->tables[i] = renewed;
    }
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
