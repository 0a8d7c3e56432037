#include "stake.h"

#include <stdint.h>
#include <stdio.h>

/* A stake is below 1e15 and has at most 18 digits. */
enum { STAKE_DIGITS = 18, STAKE_WHOLE = 15 };

static unsigned stake_number(struct dice *d, unsigned low, unsigned high) {
    return (unsigned)dice_between(d, low, high);
}

/* Random digits with a point after the first `whole` ones; no point if that
 * is all of them. The first digit is not 0. */
static void stake_digits(struct dice *d, unsigned whole, unsigned all,
                         char *out) {
    for (unsigned i = 0; i < all; i++) {
        if (i == whole)
            *out++ = '.';
        *out++ = (char)('0' + dice_between(d, i == 0, 9));
    }
    *out = '\0';
}

/* Such as 1.5e3, 25E-2 and 7e+1. */
static void stake_exponent(struct dice *d, char out[STAKE_TEXT]) {
    static const char *const marks[] = {"e", "E", "e+", "E+", "e-", "E-"};
    char digits[STAKE_TEXT];
    unsigned all = stake_number(d, 1, 6);
    stake_digits(d, 1, all, digits);
    snprintf(out, STAKE_TEXT, "%.20s%s%u", digits, marks[dice_below(d, 6)],
             stake_number(d, 0, 8));
}

/* So little that the euros may come to 0 or 0.00001. */
static void stake_tiny(struct dice *d, char out[STAKE_TEXT]) {
    if (dice_below(d, 2))
        snprintf(out, STAKE_TEXT, "0.0000%u", stake_number(d, 1, 99));
    else
        snprintf(out, STAKE_TEXT, "%ue-%u", stake_number(d, 1, 9),
                 stake_number(d, 4, 12));
}

static void stake_zero(struct dice *d, char out[STAKE_TEXT]) {
    static const char *const zeros[] = {"0", "0.0", "0.00", "0e0"};
    snprintf(out, STAKE_TEXT, "%s", zeros[dice_below(d, 4)]);
}

static void stake_money(struct dice *d, char out[STAKE_TEXT]) {
    snprintf(out, STAKE_TEXT, "%u.%02u", stake_number(d, 0, 5000),
             stake_number(d, 0, 99));
}

void stake_roll(struct dice *d, char out[STAKE_TEXT]) {
    switch (dice_below(d, 16)) {
    case 0:
    case 1:
        snprintf(out, STAKE_TEXT, "%u", stake_number(d, 1, 9999));
        break;
    case 2:
        snprintf(out, STAKE_TEXT, "%u.%u0", stake_number(d, 0, 999),
                 stake_number(d, 0, 9));
        break;
    case 3:
        snprintf(out, STAKE_TEXT, "%u.00", stake_number(d, 1, 999));
        break;
    case 4:
        stake_digits(d, stake_number(d, 1, 12), STAKE_DIGITS, out);
        break;
    case 5:
        stake_digits(d, STAKE_WHOLE, STAKE_DIGITS, out);
        break;
    case 6:
    case 7:
        stake_exponent(d, out);
        break;
    case 8:
        stake_tiny(d, out);
        break;
    case 9:
        stake_digits(d, stake_number(d, 1, 4), stake_number(d, 5, 12), out);
        break;
    case 10:
        if (dice_below(d, 4) == 0)
            stake_zero(d, out);
        else
            stake_money(d, out);
        break;
    default:
        stake_money(d, out);
    }
}
