/*
 * An array by days: one entry for the latest table, then one for each day from
 * 1999-01-04 on. It grows as days are asked for, up to one entry for each day
 * that there is. What an entry holds, and how large it is, is its owner's.
 */
#ifndef FXWIRE_COMMON_RATES_DAYTABLES_H
#define FXWIRE_COMMON_RATES_DAYTABLES_H

#include <stddef.h>

#include "common/attributes.h"
#include "common/rates/rates.h"

struct daytables {
    size_t entry_size; /* bytes; set by the owner, the rest is zero */
    size_t count;
    unsigned char *entries;
};

/* The place of an entry in the array, whether it is there or not. */
static inline size_t daytables_place(day when) {
    return rates_day_is_latest(when)
               ? 0
               : (size_t)(when.number - DAY_FIRST_RATES.number) + 1;
}

/*
 * The entry of `when` (or RATES_LATEST), lent until the next daytables_make();
 * NULL or all zero: nothing was put there.
 */
NONNULL_ALL static inline void *daytables_find(const struct daytables *tables,
                                               day when) {
    size_t place = daytables_place(when);
    return place < tables->count ? tables->entries + place * tables->entry_size
                                 : NULL;
}

/* The same, made if it is not there yet: then it is all zero. */
NONNULL_ALL void *daytables_make(struct daytables *tables, day when);

/* Calls `visit` with each entry that was made, also with those all zero. */
NONNULL_ALL void daytables_each(struct daytables *tables,
                                void (*visit)(void *entry));

/*
 * Frees the array after `clear` has let go of what each entry holds, also of
 * those that are all zero.
 */
NONNULL_ALL void daytables_clear(struct daytables *tables,
                                 void (*clear)(void *entry));

#endif
