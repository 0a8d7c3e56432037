/* Tables of rates, written as text. */
#ifndef FXWIRE_TESTS_UNIT_TABLES_H
#define FXWIRE_TESTS_UNIT_TABLES_H

#include "common/rates/rates.h"
#include "tests/unit/unit.h"

static inline day day_of_text(const char *text) {
    day when;
    assert_true(rates_day_parse(span_of(text), &when));
    return when;
}

/* A table of that day and base; `list` is "USD 1.2 JPY 130". */
static inline struct rates *table_with_base(const char *provider,
                                            const char *base, const char *as_of,
                                            const char *list) {
    struct rates *rates = rates_new(provider, base, day_of_text(as_of), 0);
    while (*list != '\0') {
        struct span code = {list, strcspn(list, " ")};
        list += code.len + 1;
        struct span rate = {list, strcspn(list, " ")};
        list += rate.len;
        list += *list == ' ';
        assert_int_equal(rates_add(rates, code, rate), RATES_ADDED);
    }
    return rates;
}

/* The same to the euro. */
static inline struct rates *table_of(const char *provider, const char *as_of,
                                     const char *list) {
    return table_with_base(provider, "EUR", as_of, list);
}

/* The rate as text, or "none". */
static inline const char *rate_text(const struct decimal *rate) {
    static char text[DECIMAL_TEXT_SIZE];
    if (rate == NULL)
        return "none";
    decimal_print(*rate, text);
    return text;
}

#endif
