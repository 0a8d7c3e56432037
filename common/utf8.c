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

static bool is_continuation(uint8_t c) {
    return (c & 0xC0) == 0x80;
}

static uint64_t tops_of_word(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word & UINT64_C(0x8080808080808080);
}

/* Two words at once, wherever they stand. */
typedef uint64_t pair __attribute__((vector_size(16), aligned(1), may_alias));

static uint64_t tops_of_64(const uint8_t *at) {
    const pair *pairs = (const pair *)at;
    pair all = pairs[0] | pairs[1] | pairs[2] | pairs[3];
    return (all[0] | all[1]) & UINT64_C(0x8080808080808080);
}

/* Behind the ASCII text that begins at `at`, by words where it can. */
static const uint8_t *skip_ascii(const uint8_t *at, const uint8_t *end) {
    const uint8_t *start = at;
    while (end - at >= 64 && tops_of_64(at) == 0)
        at += 64;
    while (end - at >= 8 && tops_of_word(at) == 0)
        at += 8;
    if (end - start >= 8 && end - at < 8 && tops_of_word(end - 8) == 0)
        return end;
    while (at < end && is_ascii(*at))
        at++;
    return at;
}

/*
 * Behind whole characters of two and three bytes, which most text beyond ASCII
 * is made of. What else there is, and what is cut off, is looked at by bytes.
 */
static const uint8_t *skip_common(const uint8_t *at, const uint8_t *end) {
    while (end - at >= 3) {
        if (at[0] >= 0xC2 && at[0] <= 0xDF && is_continuation(at[1]))
            at += 2;
        else if (at[0] > 0xE0 && at[0] < 0xED && is_continuation(at[1]) &&
                 is_continuation(at[2]))
            at += 3;
        else if (is_ascii(at[0]) && !is_ascii(at[1]))
            at++; /* a blank between words */
        else
            break;
    }
    return at;
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
    const uint8_t *at = (const uint8_t *)piece.data;
    const uint8_t *end = piece.len > 0 ? at + piece.len : at;
    for (;;) {
        if (state->missing == 0)
            at = skip_common(skip_ascii(at, end), end);
        if (at == end)
            return true;
        if (state->missing == 0 && is_ascii(*at))
            continue;
        if (!take_byte(state, *at++))
            return false;
    }
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
