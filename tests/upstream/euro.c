#include "euro.h"

#include <ctype.h>
#include <gmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EURO_DECIMALS = 5 };

/* The number is digits * 10^return. */
static long euro_digits(mpz_t digits, const char *text) {
    long power = 0;
    int step = 0;
    mpz_set_ui(digits, 0);
    for (; *text && *text != 'e' && *text != 'E'; text++) {
        if (*text == '.') {
            step = 1;
        } else if (isdigit((unsigned char)*text)) {
            mpz_mul_ui(digits, digits, 10);
            mpz_add_ui(digits, digits, (unsigned long)(*text - '0'));
            power -= step;
        }
    }
    return *text ? power + strtol(text + 1, NULL, 10) : power;
}

static void euro_scale(mpz_t n, long power) {
    mpz_t ten;
    mpz_init(ten);
    mpz_ui_pow_ui(ten, 10, (unsigned long)power);
    mpz_mul(n, n, ten);
    mpz_clear(ten);
}

/* Writes n * 10^-decimals in the shortest plain form. */
static void euro_write(const mpz_t n, int decimals, char out[EURO_TEXT]) {
    char digits[EURO_TEXT];
    int len = gmp_snprintf(digits, sizeof digits, "%0*Zd", decimals + 1, n);
    int whole = len - decimals;
    int end = len;
    while (end > whole && digits[end - 1] == '0')
        end--;
    int used = snprintf(out, EURO_TEXT, "%.*s", whole, digits);
    if (end > whole)
        snprintf(out + used, (size_t)(EURO_TEXT - used), ".%.*s", end - whole,
                 digits + whole);
}

void euro_from(const char *stake, const char *rate, char out[EURO_TEXT]) {
    mpz_t up;
    mpz_t down;
    mpz_inits(up, down, NULL);
    long power = euro_digits(up, stake) + EURO_DECIMALS;
    power -= euro_digits(down, rate);
    if (power >= 0)
        euro_scale(up, power);
    else
        euro_scale(down, -power);
    /* Half up is half away from zero here, for nothing is negative:
     * floor((2 up + down) / (2 down)) = floor(up / down + 1/2). */
    mpz_mul_ui(up, up, 2);
    mpz_add(up, up, down);
    mpz_mul_ui(down, down, 2);
    mpz_fdiv_q(up, up, down);
    euro_write(up, EURO_DECIMALS, out);
    mpz_clears(up, down, NULL);
}

void euro_tie(const char *rate, unsigned long n, char out[EURO_TEXT]) {
    mpz_t stake;
    mpz_init(stake);
    long power = euro_digits(stake, rate);
    /* (n + 1/2) / 10^5 = (10 n + 5) / 10^6 */
    mpz_mul_ui(stake, stake, 10 * n + 5);
    euro_write(stake, (int)(EURO_DECIMALS + 1 - power), out);
    mpz_clear(stake);
}
