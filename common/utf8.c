#include "common/utf8.h"

/*
 * What may follow a first byte: overlong forms, surrogates and what lies
 * beyond U+10FFFF are kept out by the bounds of the second byte alone.
 */
static bool start_sequence(struct utf8 *state, uint8_t c) {
    *state = (struct utf8){0, 0x80, 0xBF};
    if (c >= 0xC2 && c <= 0xDF) {
        state->missing = 1;
    } else if (c >= 0xE0 && c <= 0xEF) {
        state->missing = 2;
        if (c == 0xE0)
            state->lowest = 0xA0;
        if (c == 0xED)
            state->highest = 0x9F;
    } else if (c >= 0xF0 && c <= 0xF4) {
        state->missing = 3;
        if (c == 0xF0)
            state->lowest = 0x90;
        if (c == 0xF4)
            state->highest = 0x8F;
    }
    return state->missing > 0;
}

static bool is_ascii(uint8_t c) {
    return c < 0x80;
}

enum { STEP = 16 };

/* A step's bytes at once, wherever they stand, and the same as words. */
typedef uint8_t step __attribute__((vector_size(STEP), aligned(1), may_alias));
typedef uint64_t pair __attribute__((vector_size(STEP), aligned(1), may_alias));

static inline step step_at(const uint8_t *at) {
    return *(const step *)at;
}

static inline uint64_t words_of(pair words) {
    return words[0] | words[1];
}

static inline bool is_ascii_step(step bytes) {
    return (words_of((pair)bytes) & UINT64_C(0x8080808080808080)) == 0;
}

bool utf8_is_ascii(struct span text) {
    const uint8_t *at = (const uint8_t *)text.data;
    size_t left = text.len;
    uint8_t tops = 0;
    if (left < STEP) {
        while (left > 0)
            tops |= at[--left];
        return is_ascii(tops);
    }
    step all = step_at(at + left - STEP);
    for (; left >= 2 * STEP; left -= 2 * STEP, at += 2 * STEP)
        all |= step_at(at) | step_at(at + STEP);
    if (left >= STEP)
        all |= step_at(at);
    return is_ascii_step(all);
}

/* Behind the ASCII text that begins at `at`, by steps where it can. */
static const uint8_t *skip_ascii(const uint8_t *at, const uint8_t *end) {
    while (end - at >= STEP && is_ascii_step(step_at(at)))
        at += STEP;
    while (at < end && is_ascii(*at))
        at++;
    return at;
}

/*
 * Whether a step is as it has to be behind the three bytes before it: a byte
 * continues a character if, and only if, one of these begins one that is so
 * long; the bounds of second bytes are those of start_sequence().
 */
static inline bool is_good_step(const uint8_t *at) {
    step c = step_at(at), first = step_at(at - 1);
    step continues = (step)((c & 0xC0) == 0x80);
    step is_free = (step)(first < 0xC0) & (step)(step_at(at - 2) < 0xE0) &
                   (step)(step_at(at - 3) < 0xF0);
    step lowest =
        ((step)(first == 0xE0) & 0xA0) | ((step)(first == 0xF0) & 0x90);
    step highest = ~(((step)(first == 0xED) & (0xFF - 0x9F)) |
                     ((step)(first == 0xF4) & (0xFF - 0x8F)));
    step good = (continues ^ is_free) & (step)(lowest <= c) &
                (step)(c <= highest) & (step)((c & 0xFE) != 0xC0) &
                (step)(c <= 0xF4);
    return words_of((pair)~good) == 0;
}

/* How many bytes before `at` begin a character that is not whole there. */
static inline int begun_before(const uint8_t *at) {
    if (at[-1] >= 0xC0)
        return 1;
    if (at[-2] >= 0xE0)
        return 2;
    return at[-3] >= 0xF0 ? 3 : 0;
}

/*
 * Behind whole characters of any length, as long as steps have some that are
 * not ASCII. Three bytes before `at` are of this text, and are good.
 */
static const uint8_t *skip_steps(const uint8_t *at, const uint8_t *end) {
    const uint8_t *start = at;
    while (end - at >= STEP && !is_ascii_step(step_at(at)) && is_good_step(at))
        at += STEP;
    if (end - at < STEP && end - start >= STEP && is_good_step(end - STEP))
        at = end;
    return at > start ? at - begun_before(at) : at;
}

/* Takes a byte that is not ASCII, or continues a character, or should. */
static bool take_byte(struct utf8 *state, uint8_t c) {
    if (state->missing == 0)
        return start_sequence(state, c);
    bool good = c >= state->lowest && c <= state->highest;
    *state = (struct utf8){(uint8_t)(state->missing - 1), 0x80, 0xBF};
    return good;
}

bool utf8_feed(struct utf8 *state, struct span piece) {
    const uint8_t *at = (const uint8_t *)piece.data, *start = at;
    const uint8_t *end = piece.len > 0 ? at + piece.len : at;
    while (at < end) {
        if (state->missing == 0)
            at = skip_ascii(at, end);
        if (state->missing == 0 && at - start >= 3)
            at = skip_steps(at, end);
        if (at < end && (state->missing > 0 || !is_ascii(*at)) &&
            !take_byte(state, *at++))
            return false;
    }
    return true;
}

size_t utf8_char_len(struct span text) {
    struct utf8 state = {0};
    for (size_t i = 0; i < text.len; i++) {
        if (!utf8_feed(&state, (struct span){text.data + i, 1}))
            return 0;
        if (utf8_complete(&state))
            return i + 1;
    }
    return 0;
}

struct span utf8_without_mark(struct span text) {
    return span_from(text, span_begins(text, "\xef\xbb\xbf") ? 3 : 0);
}

bool utf8_is_utf16(struct span text) {
    return span_begins(text, "\xff\xfe") || span_begins(text, "\xfe\xff") ||
           memchr(text.data, '\0', text.len < 2 ? 0 : 2) != NULL;
}
