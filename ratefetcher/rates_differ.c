#include "ratefetcher/rates_differ.h"

/* (low + high * 2^128) / 10^scale, not in normal form. */
struct wide {
    decimal_uint128 low;
    uint64_t high;
    int scale;
};

/* False: the product does not fit, so that it is more than what does. */
static bool multiply(struct wide *a, uint64_t factor) {
    decimal_uint128 first = (decimal_uint128)(uint64_t)a->low * factor;
    decimal_uint128 second = (a->low >> 64) * factor + (first >> 64);
    decimal_uint128 third = (decimal_uint128)a->high * factor + (second >> 64);
    a->low = second << 64 | (uint64_t)first;
    a->high = (uint64_t)third;
    return third <= UINT64_MAX;
}

/* Less than, equal to or greater than zero as `a` is to `b`. */
static int compare(struct wide a, struct wide b) {
    for (; a.scale < b.scale; a.scale++)
        if (!multiply(&a, 10))
            return 1;
    for (; b.scale < a.scale; b.scale++)
        if (!multiply(&b, 10))
            return -1;
    return a.high != b.high ? (a.high > b.high) - (a.high < b.high)
                            : (a.low > b.low) - (a.low < b.low);
}

/* a * b * factor: a and b are below 10^18, so that it fits. */
static struct wide product(struct decimal a, struct decimal b,
                           uint64_t factor) {
    struct wide wide = {.low = (decimal_uint128)a.coefficient * b.coefficient,
                        .scale = a.scale + b.scale};
    (void)multiply(&wide, factor);
    return wide;
}

/*
 * The rates for one euro are currency / euro of each; they are compared as
 * products, so that nothing is divided.
 */
bool rates_differ(struct rate_pair rates, struct rate_pair other,
                  uint64_t percent) {
    const uint64_t all = 100 * RATES_DIFFER_PERCENT;
    struct wide whole = product(rates.currency, other.euro, all);
    return compare(whole, product(other.currency, rates.euro, all + percent)) >
               0 ||
           compare(whole, product(other.currency, rates.euro, all - percent)) <
               0;
}
