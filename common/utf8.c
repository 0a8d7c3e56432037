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

/* The length of the ASCII text at the front, by whole words where it can. */
static size_t ascii_prefix(struct span text) {
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= text.len; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text.data + at, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    while (at < text.len && (uint8_t)text.data[at] < 0x80)
        at++;
    return at;
}

bool utf8_feed(struct utf8 *state, struct span piece) {
    size_t at = 0;
    for (;;) {
        if (state->missing == 0)
            at += ascii_prefix(span_from(piece, at));
        if (at == piece.len)
            return true;
        uint8_t c = (uint8_t)piece.data[at++];
        if (state->missing == 0) {
            if (!start_sequence(state, c))
                return false;
        } else {
            if (c < state->lowest || c > state->highest)
                return false;
            *state = (struct utf8){(uint8_t)(state->missing - 1), 0x80, 0xBF};
        }
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

static bool begins_with(struct span text, const char *mark) {
    size_t len = strlen(mark);
    return text.len >= len && memcmp(text.data, mark, len) == 0;
}

struct span utf8_without_mark(struct span text) {
    return span_from(text, begins_with(text, "\xef\xbb\xbf") ? 3 : 0);
}

bool utf8_is_utf16(struct span text) {
    return begins_with(text, "\xff\xfe") || begins_with(text, "\xfe\xff");
}
