/*
 * The long stretches of a JSON text, passed over in steps of 16 bytes: of plain
 * bytes in a string, of digits, of white space. Without SSE2 (or with
 * JSON_WITHOUT_SSE2 defined) steps are of 8 bytes, or of one.
 *
 * All of it reads a step from where it begins, be it at the text's end: so a
 * text is to be padded. The NUL there ends each stretch.
 */
#ifndef FXWIRE_COMMON_JSON_PLAIN_H
#define FXWIRE_COMMON_JSON_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/attributes.h"

#if defined __SSE2__ && !defined JSON_WITHOUT_SSE2
#define JSON_BY_SSE2 1
#include <emmintrin.h>
#endif

enum {
    JSON_STEP = 16,
    /* So many bytes behind a text can be read, and the first is a NUL. */
    JSON_PADDING = JSON_STEP,
};

/* The place of the lowest bit; there is one. */
static inline size_t json_lowest(unsigned bits) {
    return (unsigned)__builtin_ctz(bits);
}

/* JSON_STEP bytes at once. */
typedef uint8_t json_bytes __attribute__((vector_size(JSON_STEP)));

/* Whether the byte means itself in a string. */
static inline bool json_is_plain(char c) {
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

static inline bool json_is_digit(char c) {
    return (unsigned char)(c - '0') < 10;
}

static inline bool json_is_white(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/*
 * Changing this bit swaps the quote (0x22) and the blank (0x20), and controls
 * among themselves: then all up to 0x20 is what is not plain, but for the
 * backslash.
 */
enum { JSON_QUOTE_TO_BLANK = 0x02 };

/* Whether all of the 8 bytes are plain. */
static inline bool json_word_is_plain(uint64_t word) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = UINT64_C(0x8080808080808080);
    uint64_t swapped = word ^ ones * JSON_QUOTE_TO_BLANK;
    uint64_t escapes = word ^ ones * '\\';
    /*
     * x - n borrows into the top bit of each byte below n, where x itself has
     * none. Bytes above such a one may be found wrongly; one is found rightly.
     */
    uint64_t found =
        ((swapped - ones * 0x21) & ~swapped) | ((escapes - ones) & ~escapes);
    return (found & tops) == 0;
}

#ifdef JSON_BY_SSE2

/* A bit for each of the JSON_STEP bytes that is not plain, the first lowest. */
static inline unsigned json_not_plain(const char *at) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i swapped = _mm_xor_si128(bytes, _mm_set1_epi8(JSON_QUOTE_TO_BLANK));
    __m128i high = _mm_adds_epu8(swapped, _mm_set1_epi8(0x80 - 0x21));
    __m128i escapes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_andnot_si128(escapes, high)) ^
           0xFFFF;
}

/* A bit for each of the JSON_STEP bytes that is no digit, and two above them.
 */
static inline unsigned json_not_digits(const char *at) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i values = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    __m128i others = _mm_adds_epu8(values, _mm_set1_epi8(0x80 - 10));
    return (unsigned)_mm_movemask_epi8(others) | 3u << JSON_STEP;
}

/* How many of the JSON_STEP bytes are white space, up to the first that is not.
 */
static inline size_t json_white_in_step(const char *at) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i white =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')),
                                  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'))),
                     _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')),
                                  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'))));
    return json_lowest(~(unsigned)_mm_movemask_epi8(white));
}

/* The same of blanks alone. */
static inline size_t json_blanks_in_step(const char *at) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i blanks = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '));
    return json_lowest(~(unsigned)_mm_movemask_epi8(blanks));
}

static inline bool json_is_all_ones(json_bytes bytes) {
    return _mm_movemask_epi8((__m128i)bytes) == 0xFFFF;
}

/* A bit for each byte that is the same, the first lowest; `aligned` is. */
static inline unsigned json_same_in_step(const char *at, const char *aligned) {
    __m128i same =
        _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)at),
                       *(const __m128i *)(const void *)aligned);
    return (unsigned)_mm_movemask_epi8(same);
}

#else

static inline unsigned json_not_plain(const char *at) {
    size_t len = 0;
    for (uint64_t word; len < JSON_STEP; len += sizeof word) {
        memcpy(&word, at + len, sizeof word);
        if (!json_word_is_plain(word))
            break;
    }
    while (len < JSON_STEP && json_is_plain(at[len]))
        len++;
    return len < JSON_STEP ? 1u << len : 0;
}

static inline unsigned json_not_digits(const char *at) {
    unsigned others = 3u << JSON_STEP;
    for (unsigned i = 0; i < JSON_STEP; i++)
        if (!json_is_digit(at[i]))
            others |= 1u << i;
    return others;
}

static inline size_t json_white_in_step(const char *at) {
    size_t len = 0;
    while (len < JSON_STEP && json_is_white(at[len]))
        len++;
    return len;
}

static inline size_t json_blanks_in_step(const char *at) {
    size_t len = 0;
    while (len < JSON_STEP && at[len] == ' ')
        len++;
    return len;
}

static inline bool json_is_all_ones(json_bytes bytes) {
    uint64_t words[2];
    memcpy(words, &bytes, sizeof words);
    return (words[0] & words[1]) == UINT64_MAX;
}

static inline unsigned json_same_in_step(const char *at, const char *aligned) {
    unsigned same = 0;
    for (unsigned i = 0; i < JSON_STEP; i++)
        if (at[i] == aligned[i])
            same |= 1u << i;
    return same;
}

#endif

/* The end of the plain stretch that goes on at `at`. */
static inline const char *json_plain_end(const char *at) {
    unsigned others;
    while ((others = json_not_plain(at)) == 0)
        at += JSON_STEP;
    return at + json_lowest(others);
}

/* The end of the digits that begin at `at`. */
static inline const char *json_digits_end(const char *at) {
    while (json_is_digit(*at))
        at++;
    return at;
}

#endif
