/*
 * The currencies that the euro has replaced (euro_fixed.def). From the day on
 * which that began each has one lawful rate, which needs no table and no
 * look-up, whatever a provider says: here, and nowhere else, is decided when
 * that is so. Before that day they are currencies like others.
 */
#ifndef FXWIRE_COMMON_RATES_EURO_FIXED_H
#define FXWIRE_COMMON_RATES_EURO_FIXED_H

#include <json-c/json.h>

#include "common/attributes.h"
#include "common/rates/rates.h"

/* What stands in the place of a provider and a layer. */
#define EURO_FIXED_WORD "fixed"

struct euro_fixed {
    const char *code;       /* three letters */
    const char *rate;       /* units for one euro, as the regulation has it */
    const char *from;       /* the first day, YYYY-MM-DD */
    const char *regulation; /* "(EU) 2022/1208" */
};

/* One of 64 numbers of a code: no much used currency has one of those here. */
static inline unsigned euro_fixed_number(const char *code) {
    return ((unsigned)code[0] + (unsigned)code[1] * 46 + (unsigned)code[2]) %
           64;
}

/*
 * Whether a code (three letters) may be the euro's own or one that it has
 * replaced: no, for most, at the cost of a few instructions.
 */
static inline bool euro_fixed_may_be(const char *code) {
    const uint64_t numbers = UINT64_C(1) << euro_fixed_number("EUR")
#define EURO_FIXED(code, rate, from, regulation)                               \
    | UINT64_C(1) << euro_fixed_number(#code)
#include "common/rates/euro_fixed.def"
#undef EURO_FIXED
        ;
    return (numbers >> euro_fixed_number(code) & 1) != 0;
}

/*
 * The row of a currency (three letters) if its rate is fixed on `when`, a day
 * or RATES_LATEST, which is `today`; else NULL.
 */
MUST_CHECK const struct euro_fixed *euro_fixed_find(const char *code, day when,
                                                    day today) NONNULL_ALL;

/*
 * The rates that need no table: of the euro itself, or of a currency that is
 * fixed on that day. False: another currency.
 */
MUST_CHECK bool euro_fixed_pair(const char *code, day when, day today,
                                struct rate_pair *pair) NONNULL_ALL;

/* A table of this one rate, of the day it began. The caller holds a reference.
 */
MUST_CHECK struct rates *
euro_fixed_table(const struct euro_fixed *fixed) NONNULL_ALL;

/*
 * In a message that has the table of `when`: takes those that are fixed then
 * out of "rates" and adds "fixed", {code: rate as text}.
 */
void euro_fixed_to_message(struct json_object *message, day when,
                           day today) NONNULL_ALL;

#endif
