#include "ratefetcher/rates_differ.h"

/* value / 10^scale, not in normal form. */
struct wide {
    decimal_uint128 value;
    int scale;
};

/*
 * Less than, equal to or greater than zero as `a` is to `b`. What would not fit
 * into 128 bits is more than what does.
 */
static int compare(struct wide a, struct wide b) {
    for (; a.scale < b.scale; a.scale++)
        if (__builtin_mul_overflow(a.value, (decimal_uint128)10, &a.value))
            return 1;
    for (; b.scale < a.scale; b.scale++)
        if (__builtin_mul_overflow(b.value, (decimal_uint128)10, &b.value))
            return -1;
    return (a.value > b.value) - (a.value < b.value);
}

/* a * b * factor: both are below 10^18, the factor up to 200, so that it fits.
 */
static struct wide product(struct decimal a, struct decimal b,
                           unsigned factor) {
    return (struct wide){(decimal_uint128)a.coefficient * b.coefficient *
                             factor,
                         a.scale + b.scale};
}

/*
 * The rates for one euro are currency / euro of each; they are compared as
 * products, so that nothing is divided.
 */
bool rates_differ(struct rate_pair rates, struct rate_pair other,
                  unsigned percent) {
    struct wide hundred = product(rates.currency, other.euro, 100);
    return compare(hundred,
                   product(other.currency, rates.euro, 100 + percent)) > 0 ||
           compare(hundred,
                   product(other.currency, rates.euro, 100 - percent)) < 0;
}
