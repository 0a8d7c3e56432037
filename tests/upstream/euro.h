/* Exact amounts of money, by the arithmetic of GMP. */
#ifndef UPSTREAM_EURO_H
#define UPSTREAM_EURO_H

enum { EURO_TEXT = 128 };

/* stake / rate rounded once, half away from zero, to five decimals and written
 * without exponent or trailing zeros. `stake` is a JSON number that is not
 * negative, with an exponent of at most two digits; `rate` is digits with at
 * most one point, more than zero. */
void euro_from(const char *stake, const char *rate, char out[EURO_TEXT]);

/* Writes the stake that comes to exactly n + 0.5 hundred-thousandths of a euro
 * at this rate: the case which tells the ways of rounding apart. */
void euro_tie(const char *rate, unsigned long n, char out[EURO_TEXT]);

#endif
