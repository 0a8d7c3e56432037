/*
 * The unit of rates: one provider's table of one day. Rates are units of a
 * currency for one unit of the table's base, which is not among them. A table
 * is built, checked and from then on never changed; who keeps it holds a
 * reference.
 */
#ifndef FXWIRE_COMMON_RATES_RATES_H
#define FXWIRE_COMMON_RATES_RATES_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/day.h"
#include "common/rates/decimal.h"
#include "common/span.h"

enum {
    RATES_CODE_LEN = 3,
    RATES_MAX_CURRENCIES = 1000,
    /* A day without rates takes those published at most so long before. */
    RATES_MAX_LOOK_BACK_DAYS = 7,
};

struct rates;

/* A rate of a table: units of that currency for one of the base. */
struct rate {
    char code[RATES_CODE_LEN];
    uint8_t places; /* decimals as they were published, zeros at the end too */
    struct decimal value;
};

/* A rate's text, as it was published, and a NUL. */
enum { RATE_TEXT_SIZE = DECIMAL_PLACES_TEXT_SIZE };

/* Asked for in the place of a day: the newest table there is. */
#define RATES_LATEST ((day){INT32_MAX})

static inline bool rates_day_is_latest(day d) {
    return d.number == RATES_LATEST.number;
}

/* Reads a day as it is asked for: `YYYY-MM-DD` or `latest`. */
MUST_CHECK bool rates_day_parse(struct span text, day *out);
void rates_day_print(day d, char out[static DAY_TEXT_SIZE]);

/* Whether it is three upper-case letters (the form of ISO 4217). */
bool rates_is_code(struct span text);

/* An empty table; `provider` is copied. The caller holds a reference. */
MUST_CHECK struct rates *rates_new(const char *provider, const char *base,
                                   day as_of, int64_t fetched_ms);

enum rates_add {
    RATES_ADDED,
    RATES_NO_CODE,   /* no code of three letters: not ours to convert */
    RATES_BAD_RATE,  /* no decimal, or out of 1e-9 to 1e10 */
    RATES_DUPLICATE, /* the currency is there already */
    RATES_TOO_MANY,
    RATES_BASE,      /* the base itself, and its rate is 1: nothing to add */
    RATES_OTHER_BASE /* the base's rate is not 1: the table is not to be used */
};

/* Adds one rate, checked. Only while nobody else holds the table. */
MUST_CHECK enum rates_add rates_add(struct rates *rates, struct span code,
                                    struct span rate);

/*
 * Reads a rate of a currency (three letters) in a table with that base, as
 * rates_add() does: what it would be, as far as one rate alone tells. All of
 * `rate` but its code is written.
 */
MUST_CHECK enum rates_add rates_read(const char *base, const char *code,
                                     struct span text, struct rate *rate);

/*
 * Puts all rates of a table that has none at once: what rates_read() takes, in
 * the order of their codes, each once, one to RATES_MAX_CURRENCIES of them.
 */
void rates_fill(struct rates *rates, const struct rate *sorted, size_t count);

/*
 * What makes a whole table of no use, as a constant, or NULL: it has no rates,
 * or has another base than the euro and no rate of the euro.
 */
MUST_CHECK const char *rates_fault(const struct rates *rates);

/* The same rates, fetched at another moment. The caller holds a reference. */
MUST_CHECK struct rates *rates_copy(const struct rates *rates,
                                    int64_t fetched_ms);

struct rates *rates_hold(struct rates *rates);
void rates_release(struct rates **rates);

/*
 * The rate of a currency (three letters), lent; NULL if there is none. The
 * base itself has the rate 1.
 */
const struct decimal *rates_find(const struct rates *rates,
                                 struct span currency);

/* The rates to convert a currency with; false if there are none. */
MUST_CHECK bool rates_find_pair(const struct rates *rates, struct span currency,
                                struct rate_pair *pair);

/*
 * Writes the rate of a currency (three letters) plainly, with the digits it was
 * published with, zeros at its end too: so that it can be held against the
 * publication. The base's is "1"; false, and "": there is none.
 */
bool rates_print(const struct rates *rates, struct span currency,
                 char out[static RATE_TEXT_SIZE]);

day rates_as_of(const struct rates *rates);
int64_t rates_fetched_ms(const struct rates *rates);
const char *rates_provider(const struct rates *rates);
const char *rates_base(const struct rates *rates);
size_t rates_count(const struct rates *rates);

/* The code at that place in the order, and a NUL; at rates_count() the base. */
void rates_code(const struct rates *rates, size_t place,
                char code[static RATES_CODE_LEN + 1]);

/*
 * A new message of the table that serves `when`, as rates.sock and Redis have
 * it; the caller releases it. `layer`: where it came from, `expires_ms`: when
 * it is no longer fresh.
 */
MUST_CHECK struct json_object *rates_message_new(day when,
                                                 const struct rates *rates,
                                                 const char *layer,
                                                 int64_t expires_ms);

/* Adds as_of, base, provider, fetched_at and rates to a message. */
void rates_to_message(const struct rates *rates, struct json_object *message);

/*
 * The table in such a message, checked anew; what is no rate is left out. NULL
 * and one line in `*why` (a constant) if it is none. The caller holds a
 * reference.
 */
MUST_CHECK struct rates *rates_from_message(const struct json_object *message,
                                            const char **why);

#endif
