/*
 * The long stretches of a JSON text, passed over in steps of 16 bytes: of plain
 * bytes in a string, and of digits. No byte from `end` on is read. Without SSE2
 * (or with JSON_WITHOUT_SSE2 defined) steps are of 8 bytes, or of one.
 */
#ifndef FXWIRE_COMMON_JSON_PLAIN_H
#define FXWIRE_COMMON_JSON_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined __SSE2__ && !defined JSON_WITHOUT_SSE2
#define JSON_BY_SSE2 1
#include <emmintrin.h>
#endif

enum { JSON_STEP = 16 };

/* JSON_STEP bytes at once. */
typedef uint8_t json_bytes __attribute__((vector_size(JSON_STEP)));

/* Whether the byte means itself in a string. */
static inline bool json_is_plain(char c) {
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
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

/* The end of the plain stretch that begins at `at`. */
static inline const char *json_plain_end_by_words(const char *at,
                                                  const char *end) {
    uint64_t word;
    for (; end - at >= (ptrdiff_t)sizeof word; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        if (!json_word_is_plain(word))
            break;
    }
    while (at < end && json_is_plain(*at))
        at++;
    return at;
}

/* The end of the digits that begin at `at`. */
static inline const char *json_digits_end_by_bytes(const char *at,
                                                   const char *end) {
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

#ifdef JSON_BY_SSE2

/* Added to both sides it makes signed bytes compare as unsigned ones do. */
enum { JSON_SIGN = -128 };

/* A bit for each of the JSON_STEP bytes that is not plain, the first lowest. */
static inline unsigned json_not_plain(const char *at) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i swapped =
        _mm_xor_si128(bytes, _mm_set1_epi8(JSON_QUOTE_TO_BLANK ^ JSON_SIGN));
    __m128i low = _mm_cmplt_epi8(swapped, _mm_set1_epi8(0x21 ^ JSON_SIGN));
    __m128i escapes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, escapes));
}

/* How many of the JSON_STEP bytes are plain, up to the first that is not. */
static inline size_t json_plain_in_step(const char *at) {
    return (unsigned)__builtin_ctz(json_not_plain(at) | 1u << JSON_STEP);
}

/* The same for the bytes left, fewer than JSON_STEP, with as many before. */
static inline size_t json_plain_in_rest(const char *at, const char *end) {
    ptrdiff_t left = end - at;
    unsigned others = json_not_plain(end - JSON_STEP) >> (JSON_STEP - left);
    return (unsigned)__builtin_ctz(others | 1u << left);
}

/* A bit for each of the JSON_STEP bytes that is no digit, and all above them.
 */
static inline unsigned json_not_digits(const char *at) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i values = _mm_sub_epi8(bytes, _mm_set1_epi8('0' ^ JSON_SIGN));
    __m128i digits = _mm_cmplt_epi8(values, _mm_set1_epi8(10 ^ JSON_SIGN));
    return ~(unsigned)_mm_movemask_epi8(digits);
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
    return (unsigned)__builtin_ctz(~(unsigned)_mm_movemask_epi8(white));
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

static inline size_t json_plain_in_step(const char *at) {
    return (size_t)(json_plain_end_by_words(at, at + JSON_STEP) - at);
}

static inline size_t json_plain_in_rest(const char *at, const char *end) {
    return (size_t)(json_plain_end_by_words(at, end) - at);
}

static inline unsigned json_not_digits(const char *at) {
    unsigned others = ~0u << JSON_STEP;
    for (unsigned i = 0; i < JSON_STEP; i++)
        if (at[i] < '0' || at[i] > '9')
            others |= 1u << i;
    return others;
}

static inline size_t json_white_in_step(const char *at) {
    size_t len = 0;
    while (len < JSON_STEP && json_is_white(at[len]))
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

/* How many digits the JSON_STEP bytes begin with. */
static inline size_t json_digits_in_step(const char *at) {
    return (unsigned)__builtin_ctz(json_not_digits(at));
}

/* The end of the plain stretch at `at`, before which a step can be loaded. */
static inline const char *json_plain_end_behind_step(const char *at,
                                                     const char *end) {
    for (; end - at >= JSON_STEP; at += JSON_STEP) {
        size_t plain = json_plain_in_step(at);
        if (plain < JSON_STEP)
            return at + plain;
    }
    return at + json_plain_in_rest(at, end);
}

/* The same wherever it is. */
static inline const char *json_plain_end(const char *at, const char *end) {
    return end - at < JSON_STEP ? json_plain_end_by_words(at, end)
                                : json_plain_end_behind_step(at, end);
}

static inline const char *json_digits_end(const char *at, const char *end) {
    if (end - at >= JSON_STEP) {
        size_t digits = json_digits_in_step(at);
        if (digits < JSON_STEP)
            return at + digits;
    }
    return json_digits_end_by_bytes(at, end);
}

#endif
