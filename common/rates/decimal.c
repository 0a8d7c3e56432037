#include "common/rates/decimal.h"

#include <endian.h>
#include <limits.h>

enum { LARGEST_POWER = 18, EURO_UNITS = 100000 };

static const uint64_t power_of_ten[LARGEST_POWER + 1] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
};

/* For exponents up to twice LARGEST_POWER. */
static decimal_uint128 wide_power_of_ten(int exponent) {
    if (exponent <= LARGEST_POWER)
        return power_of_ten[exponent];
    return (decimal_uint128)power_of_ten[LARGEST_POWER] *
           power_of_ten[exponent - LARGEST_POWER];
}

/* The digits of a number, without the zeros around them. */
struct digits {
    uint64_t coefficient;
    int significant;     /* digits in the coefficient */
    int64_t zeros;       /* zeros seen since the last digit other than 0 */
    int64_t after_point; /* all digits after the point */
    bool too_many;
};

static void digits_add(struct digits *d, char c) {
    if (c == '0') {
        d->zeros++;
        return;
    }
    /* Zeros count only between other digits, or as decimals at the front. */
    int64_t more = d->significant == 0 ? 1 : d->zeros + 1;
    d->zeros = 0;
    if (d->too_many || d->significant + more > DECIMAL_MAX_DIGITS) {
        d->too_many = true;
        return;
    }
    d->coefficient = d->coefficient * power_of_ten[more] + (uint64_t)(c - '0');
    d->significant += (int)more;
}

static bool is_digit(struct span text, size_t at) {
    return at < text.len && text.data[at] >= '0' && text.data[at] <= '9';
}

static bool take_integer(struct span *text, struct digits *d) {
    if (!is_digit(*text, 0))
        return false;
    bool zero_first = text->data[0] == '0';
    size_t n = 0;
    for (; is_digit(*text, n); n++)
        digits_add(d, text->data[n]);
    *text = span_from(*text, n);
    return n == 1 || !zero_first;
}

static bool take_fraction(struct span *text, struct digits *d) {
    if (text->len == 0 || text->data[0] != '.')
        return true;
    size_t n = 1;
    for (; is_digit(*text, n); n++)
        digits_add(d, text->data[n]);
    d->after_point = (int64_t)n - 1;
    *text = span_from(*text, n);
    return n > 1;
}

/* An exponent beyond any message's length is as good as INT_MAX. */
static bool take_exponent(struct span *text, int64_t *exponent) {
    *exponent = 0;
    if (text->len == 0 || (text->data[0] != 'e' && text->data[0] != 'E'))
        return true;
    size_t n = 1;
    bool negative = n < text->len && text->data[n] == '-';
    if (n < text->len && (text->data[n] == '-' || text->data[n] == '+'))
        n++;
    if (!is_digit(*text, n))
        return false;
    for (; is_digit(*text, n); n++)
        if (*exponent < INT_MAX)
            *exponent = *exponent * 10 + (text->data[n] - '0');
    if (negative)
        *exponent = -*exponent;
    *text = span_from(*text, n);
    return true;
}

/* Any number. */
static NOINLINE enum decimal_error parse_any(struct span text,
                                             struct decimal *out) {
    bool negative = text.len > 0 && text.data[0] == '-';
    if (negative)
        text = span_from(text, 1);
    struct digits d = {0};
    int64_t exponent;
    if (!take_integer(&text, &d) || !take_fraction(&text, &d) ||
        !take_exponent(&text, &exponent) || text.len > 0)
        return DECIMAL_SYNTAX;
    if (negative)
        return DECIMAL_NEGATIVE;
    *out = (struct decimal){0};
    if (d.significant == 0 && !d.too_many)
        return DECIMAL_OK;
    /* The power of ten of the last digit that is not 0. */
    int64_t last = exponent + d.zeros - d.after_point;
    if (d.too_many || last < -DECIMAL_MAX_DIGITS)
        return DECIMAL_TOO_PRECISE;
    if (last + d.significant > DECIMAL_MAX_DIGITS)
        return DECIMAL_TOO_LARGE;
    if (last >= 0) {
        out->coefficient = d.coefficient * power_of_ten[last];
    } else {
        out->coefficient = d.coefficient;
        out->scale = (uint8_t)-last;
    }
    return DECIMAL_OK;
}

/* Reads digits behind those that make `value`; gives where they end. */
static inline const char *read_digits(const char *at, const char *end,
                                      uint64_t *value) {
    for (; at < end; at++) {
        uint64_t digit = (uint64_t)(unsigned char)*at - '0';
        if (digit > 9)
            break;
        *value = *value * 10 + digit;
    }
    return at;
}

/*
 * Most numbers: a few digits, perhaps with a point among them, and nothing that
 * would have to be taken off them. False: it is another one.
 */
static bool parse_plain(struct span text, struct decimal *out) {
    const char *start = text.data, *end = start + text.len;
    uint64_t value = 0;
    if (text.len == 0 || text.len > DECIMAL_MAX_DIGITS)
        return false;
    const char *point = read_digits(start, end, &value);
    if (point == start || (*start == '0' && point != start + 1))
        return false;
    uint8_t scale = 0;
    if (point < end) {
        if (*point != '.' || end[-1] <= '0' ||
            read_digits(point + 1, end, &value) != end)
            return false;
        scale = (uint8_t)(end - point - 1);
    }
    *out = (struct decimal){value, scale};
    return true;
}

enum decimal_error decimal_parse(struct span text, struct decimal *out) {
    return parse_plain(text, out) ? DECIMAL_OK : parse_any(text, out);
}

uint8_t decimal_places(struct span text) {
    size_t end = 0;
    while (end < text.len && text.data[end] != 'e' && text.data[end] != 'E')
        end++;
    const char *point = end > 0 ? memchr(text.data, '.', end) : NULL;
    int64_t exponent, places = point != NULL ? text.data + end - point - 1 : 0;
    text = span_from(text, end);
    if (take_exponent(&text, &exponent))
        places -= exponent;
    if (places > DECIMAL_MAX_DIGITS)
        places = DECIMAL_MAX_DIGITS;
    return places > 0 ? (uint8_t)places : 0;
}

int decimal_compare(struct decimal a, struct decimal b) {
    decimal_uint128 left =
        (decimal_uint128)a.coefficient * power_of_ten[b.scale];
    decimal_uint128 right =
        (decimal_uint128)b.coefficient * power_of_ten[a.scale];
    return (left > right) - (left < right);
}

/* Writes an integer below 10^19; returns the end. */
static char *put_integer(char *out, uint64_t value) {
    int len = 1;
    while (len <= LARGEST_POWER && value >= power_of_ten[len])
        len++;
    for (int place = len - 1; place >= 0; place--) {
        out[place] = (char)('0' + (int)(value % 10));
        value /= 10;
    }
    return out + len;
}

/* Writes fraction / 10^scale behind a point, without the zeros at the end. */
static char *put_fraction(char *out, uint64_t fraction, int scale) {
    for (; fraction % 10 == 0; scale--)
        fraction /= 10;
    out[0] = '.';
    for (int place = scale; place > 0; place--) {
        out[place] = (char)('0' + (int)(fraction % 10));
        fraction /= 10;
    }
    return out + 1 + scale;
}

static inline size_t put_end(char *out, char *end, uint64_t fraction,
                             int scale) {
    if (fraction > 0)
        end = put_fraction(end, fraction, scale);
    *end = '\0';
    return (size_t)(end - out);
}

/* The same as put_scaled(); what is before the point is below 10^36. */
static NOINLINE size_t put_wide(decimal_uint128 units, int scale, char *out) {
    const uint64_t half = power_of_ten[LARGEST_POWER];
    decimal_uint128 whole = units / power_of_ten[scale];
    char *end = out;
    if (whole >= half) {
        end = put_integer(end, (uint64_t)(whole / half));
        uint64_t low = (uint64_t)(whole % half);
        for (int place = LARGEST_POWER - 1; place >= 0; place--)
            *end++ = (char)('0' + (int)(low / power_of_ten[place] % 10));
    } else {
        end = put_integer(end, (uint64_t)whole);
    }
    return put_end(out, end, (uint64_t)(units % power_of_ten[scale]), scale);
}

/* Writes units / 10^scale plainly and a NUL; returns the length. */
static inline size_t put_scaled(decimal_uint128 units, int scale, char *out) {
    if (units > UINT64_MAX)
        return put_wide(units, scale, out);
    uint64_t one = power_of_ten[scale];
    char *end = put_integer(out, (uint64_t)units / one);
    return put_end(out, end, (uint64_t)units % one, scale);
}

size_t decimal_print(struct decimal value, char out[static DECIMAL_TEXT_SIZE]) {
    return put_scaled(value.coefficient, value.scale, out);
}

size_t decimal_print_places(struct decimal value, unsigned places,
                            char out[static DECIMAL_PLACES_TEXT_SIZE]) {
    size_t len = decimal_print(value, out);
    if (places <= value.scale)
        return len;
    if (value.scale == 0)
        out[len++] = '.';
    for (unsigned place = value.scale; place < places; place++)
        out[len++] = '0';
    out[len] = '\0';
    return len;
}

/*
 * units = stake * 10^5 / rate, both sides made whole. The bounds on stake and
 * rate keep both below 2^128: the numerator is at most 10^15 * 10^(5 + 18), the
 * divisor 10^10 * 10^(18 - 5).
 */
static NOINLINE euro divide_wide(struct decimal stake, struct decimal rate) {
    int shift = EURO_DECIMALS + rate.scale - stake.scale;
    decimal_uint128 numerator = stake.coefficient, divisor = rate.coefficient;
    if (shift >= 0)
        numerator *= wide_power_of_ten(shift);
    else
        divisor *= wide_power_of_ten(-shift);
    decimal_uint128 rest = numerator % divisor;
    return (euro){numerator / divisor + (rest >= divisor - rest)};
}

/* Most stakes and rates have so few digits that 64 bits hold both sides. */
euro decimal_divide(struct decimal stake, struct decimal rate) {
    int shift = EURO_DECIMALS + rate.scale - stake.scale;
    uint64_t numerator, divisor = rate.coefficient;
    if (shift < 0 || shift > LARGEST_POWER ||
        __builtin_mul_overflow(stake.coefficient, power_of_ten[shift],
                               &numerator))
        return divide_wide(stake, rate);
    uint64_t rest = numerator % divisor;
    return (euro){numerator / divisor + (rest >= divisor - rest)};
}

/*
 * units = product / divisor * 10^shift, by long division: the product of two
 * coefficients is below 10^36, and what comes of the digits is the result's,
 * below 10^(15 + 9 + 9 + 5), so that 128 bits hold both.
 */
static NOINLINE euro convert_by_pair(struct decimal stake,
                                     const struct rate_pair *rates) {
    decimal_uint128 product =
        (decimal_uint128)stake.coefficient * rates->euro.coefficient;
    uint64_t divisor = rates->currency.coefficient;
    decimal_uint128 units = product / divisor;
    uint64_t rest = (uint64_t)(product % divisor);
    int shift =
        EURO_DECIMALS + rates->currency.scale - stake.scale - rates->euro.scale;
    if (shift < 0) {
        /* Half of a power of ten is whole: the rest can not reach it. */
        decimal_uint128 one = wide_power_of_ten(-shift);
        return (euro){units / one + (units % one >= one / 2)};
    }
    for (; shift > 0; shift--) {
        uint64_t next = rest * 10; /* below 10^19 */
        units = units * 10 + next / divisor;
        rest = next % divisor;
    }
    return (euro){units + (rest >= divisor - rest)};
}

euro decimal_convert(struct decimal stake, struct rate_pair rates) {
    if (rates.euro.coefficient == 1 && rates.euro.scale == 0)
        return decimal_divide(stake, rates.currency);
    return convert_by_pair(stake, &rates);
}

/*
 * The eight digits of a number below 10^8, in the order of their bytes in
 * memory: it is cut in halves, these in halves again, and so on, all at once.
 * The factors are 1/100 and 1/10, exact for such small numbers.
 */
static inline uint64_t eight_digits(uint32_t value) {
    uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x7F0000007F);
    uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
    uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x0F000F000F000F);
    return tens | (twos - tens * 10) << 8;
}

static inline void put_word(char *out, uint64_t digits) {
    digits = htole64(digits | UINT64_C(0x3030303030303030));
    memcpy(out, &digits, sizeof digits);
}

/*
 * Digits before and behind a point, by words, of which more is written than
 * counts: without the zeros in front of the first `places` ones (at least one
 * digit is there), and without those at the end.
 */
static inline size_t print_words(uint64_t whole, unsigned places,
                                 uint64_t fraction, char *out) {
    const uint64_t last = UINT64_C(1) << 8 * (places - 1);
    unsigned zeros = (unsigned)__builtin_ctzll(whole | last) / 8;
    put_word(out, whole >> 8 * zeros);
    size_t len = places - zeros;
    if (fraction > 0) {
        out[len] = '.';
        put_word(out + len + 1, fraction);
        len += 9 - (unsigned)__builtin_clzll(fraction) / 8;
    }
    out[len] = '\0';
    return len;
}

/* Below these there are eight digits at most: of euros, and of all. */
#define USUAL_UNITS UINT64_C(10000000000000)
#define FEW_UNITS   UINT64_C(100000000)

/* The same as put_scaled(). */
static inline size_t print_usual(uint64_t units, char *out) {
    uint64_t digits = eight_digits((uint32_t)(units / EURO_UNITS));
    uint32_t fraction = (uint32_t)(units % EURO_UNITS) * 1000;
    return print_words(digits, 8, eight_digits(fraction), out);
}

static inline size_t print_few(uint64_t units, char *out) {
    uint64_t digits = eight_digits((uint32_t)units);
    return print_words(digits, 3, digits >> 24, out);
}

size_t euro_print(euro amount, char out[static EURO_TEXT_SIZE]) {
    if (amount.units < FEW_UNITS)
        return print_few((uint64_t)amount.units, out);
    if (amount.units < USUAL_UNITS)
        return print_usual((uint64_t)amount.units, out);
    return put_scaled(amount.units, EURO_DECIMALS, out);
}
