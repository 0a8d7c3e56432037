/* UTF-8: by a table, and by all sequences against a plain decoder. */
#include <stdio.h>

#include "common/utf8.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

enum verdict { INVALID, INCOMPLETE, VALID };

static enum verdict feed(struct utf8 *state, struct span piece) {
    if (!utf8_feed(state, piece))
        return INVALID;
    return utf8_complete(state) ? VALID : INCOMPLETE;
}

static enum verdict verdict_of(struct span text) {
    struct utf8 state = {0};
    return feed(&state, text);
}

static enum verdict verdict_bytewise(struct span text) {
    struct utf8 state = {0};
    enum verdict verdict = VALID;
    for (size_t i = 0; i < text.len && verdict != INVALID; i++)
        verdict = feed(&state, (struct span){text.data + i, 1});
    return verdict;
}

#define T(text)                                                                \
    { text, sizeof text - 1 }

static const struct utf8_case {
    struct span text;
    enum verdict verdict;
} cases[] = {
    {T(""), VALID},
    {T("stake"), VALID},
    {T("\0"), VALID},
    {T("a\0b"), VALID},
    {T("\x7F"), VALID},
    {T("na\xC3\xAFve caf\xC3\xA9"), VALID},
    {T("\xE2\x82\xAC 253.67"), VALID},
    {T("\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5"), VALID},
    {T("\xF0\x9F\x92\xB6"), VALID},
    {T("\xEF\xBB\xBF{}"), VALID},
    /* The first and the last of each length, and around the surrogates. */
    {T("\xC2\x80"), VALID},
    {T("\xDF\xBF"), VALID},
    {T("\xE0\xA0\x80"), VALID},
    {T("\xED\x9F\xBF"), VALID},
    {T("\xEE\x80\x80"), VALID},
    {T("\xEF\xBF\xBD"), VALID},
    {T("\xEF\xBF\xBE"), VALID},
    {T("\xEF\xBF\xBF"), VALID},
    {T("\xF0\x90\x80\x80"), VALID},
    {T("\xF3\xBF\xBF\xBF"), VALID},
    {T("\xF4\x80\x80\x80"), VALID},
    {T("\xF4\x8F\xBF\xBF"), VALID},
    /* Cut off in the middle. */
    {T("\xC2"), INCOMPLETE},
    {T("\xE0"), INCOMPLETE},
    {T("\xE0\xA0"), INCOMPLETE},
    {T("\xED\x9F"), INCOMPLETE},
    {T("\xF0\x90"), INCOMPLETE},
    {T("\xF4\x8F\xBF"), INCOMPLETE},
    {T("ab\xF0\x9F\x92"), INCOMPLETE},
    /* Cut off, and then something else. */
    {T("\xC2"
       "A"),
     INVALID},
    {T("\xE2\x82"
       "A"),
     INVALID},
    {T("\xE2\x82\xE2\x82\xAC"), INVALID},
    {T("\xF0\x9F\x92"
       "A"),
     INVALID},
    {T("\xC3\xC3\xA9"), INVALID},
    {T("\xF0\x9F\xC3\xA9"), INVALID},
    /* Continuation bytes without a start. */
    {T("\x80"), INVALID},
    {T("\xBF"), INVALID},
    {T("a\x80"), INVALID},
    {T("\xC3\xA9\xA9"), INVALID},
    {T("\xE2\x82\xAC\x80"), INVALID},
    {T("\xF0\x9F\x92\xB6\xB6"), INVALID},
    {T("\x80\xC3\xA9"), INVALID},
    /* Overlong forms of NUL, slash, and the highest of each. */
    {T("\xC0\x80"), INVALID},
    {T("\xC0\xAF"), INVALID},
    {T("\xC1\xBF"), INVALID},
    {T("\xE0\x80\x80"), INVALID},
    {T("\xE0\x80\xAF"), INVALID},
    {T("\xE0\x9F\xBF"), INVALID},
    {T("\xF0\x80\x80\x80"), INVALID},
    {T("\xF0\x80\x80\xAF"), INVALID},
    {T("\xF0\x8F\xBF\xBF"), INVALID},
    /* Surrogates, alone and in pairs. */
    {T("\xED\xA0\x80"), INVALID},
    {T("\xED\xAF\xBF"), INVALID},
    {T("\xED\xB0\x80"), INVALID},
    {T("\xED\xBF\xBF"), INVALID},
    {T("\xED\xA0\xBD\xED\xB2\xB6"), INVALID},
    /* Beyond U+10FFFF, and what was UTF-8 once. */
    {T("\xF4\x90\x80\x80"), INVALID},
    {T("\xF5\x80\x80\x80"), INVALID},
    {T("\xF7\xBF\xBF\xBF"), INVALID},
    {T("\xF8\x88\x80\x80\x80"), INVALID},
    {T("\xFC\x84\x80\x80\x80\x80"), INVALID},
    {T("\xFE"), INVALID},
    {T("\xFF"), INVALID},
    {T("\xFF\xFE"
       "a\0"),
     INVALID},
    {T("caf\xE9"), INCOMPLETE}, /* Latin-1, seen only at what follows */
    {T("caf\xE9 "), INVALID},
};

static void check_case(size_t number, struct span text, enum verdict wanted) {
    struct span exact = exact_copy(text.data, text.len);
    if (verdict_of(exact) != wanted)
        fail_msg("row %zu (%zu bytes): %d, not %d", number, text.len,
                 verdict_of(exact), wanted);
    for (size_t at = 0; at <= text.len; at++) {
        struct utf8 state = {0};
        enum verdict verdict = feed(&state, (struct span){exact.data, at});
        if (verdict != INVALID)
            verdict = feed(&state, span_from(exact, at));
        if (verdict != wanted)
            fail_msg("row %zu, split at %zu: %d, not %d", number, at, verdict,
                     wanted);
    }
    if (verdict_bytewise(exact) != wanted)
        fail_msg("row %zu, byte by byte: not %d", number, wanted);
}

static void judges_the_table(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_case(i, cases[i].text, cases[i].verdict);
}

/* ASCII around them moves the sequences through the words read at once. */
static void judges_at_each_place(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (size_t before = 0; before < 18; before++)
            for (size_t behind = 0; behind < 18; behind++) {
                char text[64];
                size_t len = cases[i].text.len;
                enum verdict wanted = cases[i].verdict;
                memset(text, '~', sizeof text);
                memcpy(text + before, cases[i].text.data, len);
                if (wanted == INCOMPLETE && behind > 0)
                    wanted = INVALID;
                check_case(i, (struct span){text, before + len + behind},
                           wanted);
            }
}

/*
 * The oracle: what a first byte announces, what the bytes behind it add up
 * to, and whether that code point may be written so. Of an unfinished
 * sequence, whether any code point could still come out.
 */
static enum verdict oracle(const uint8_t *text, size_t len) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool incomplete = false;
    for (size_t at = 0; at < len;) {
        uint8_t first = text[at++];
        int size = first < 0x80             ? 1
                   : (first & 0xE0) == 0xC0 ? 2
                   : (first & 0xF0) == 0xE0 ? 3
                   : (first & 0xF8) == 0xF0 ? 4
                                            : 0;
        if (size == 0)
            return INVALID;
        uint32_t lowest = size == 1 ? first : first & (0xFFu >> (size + 1));
        uint32_t highest = lowest;
        for (int i = 1; i < size; i++) {
            bool there = at < len;
            if (there && (text[at] & 0xC0) != 0x80)
                return INVALID;
            lowest = lowest << 6 | (there ? text[at] & 0x3Fu : 0);
            highest = highest << 6 | (there ? text[at] & 0x3Fu : 0x3F);
            at += there;
            incomplete = incomplete || !there;
        }
        if (highest < least[size] || lowest > 0x10FFFF ||
            (lowest >= 0xD800 && highest <= 0xDFFF))
            return INVALID;
    }
    return incomplete ? INCOMPLETE : VALID;
}

static void check_bytes(const uint8_t *bytes, size_t len) {
    struct span text = {(const char *)bytes, len};
    enum verdict wanted = oracle(bytes, len);
    if (verdict_of(text) != wanted || verdict_bytewise(text) != wanted)
        fail_msg("%zu bytes %02X %02X %02X %02X: not %d", len, bytes[0],
                 bytes[1], bytes[2], bytes[3], wanted);
}

/* Each sequence of one, two and three bytes. */
static void judges_all_short_sequences(void **state) {
    (void)state;
    for (uint32_t n = 0; n < 1u << 24; n++) {
        uint8_t bytes[4] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
        check_bytes(bytes, 3);
        if ((n & 0xFF) == 0)
            check_bytes(bytes, 2);
        if ((n & 0xFFFF) == 0)
            check_bytes(bytes, 1);
    }
}

/* The same amid so many others that steps are looked at as a whole. */
static void check_amid_others(const uint8_t *bytes, size_t len, size_t at) {
    uint8_t text[64];
    for (size_t i = 0; i < sizeof text; i += 2)
        memcpy(text + i, "\xD0\xB6", 2);
    memcpy(text + at, bytes, len);
    check_bytes(text, sizeof text - len % 2);
}

/* All that may begin like four bytes, with the last two at their limits. */
static void judges_sequences_of_four(void **state) {
    (void)state;
    static const uint8_t limits[] = {0x00, 0x7F, 0x80, 0x8F, 0x90,
                                     0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    for (int first = 0xBF; first < 0x100; first++)
        for (int second = 0; second < 0x100; second++)
            for (size_t i = 0; i < COUNT_OF(limits); i++)
                for (size_t j = 0; j < COUNT_OF(limits); j++) {
                    const uint8_t bytes[] = {(uint8_t)first, (uint8_t)second,
                                             limits[i], limits[j]};
                    size_t at = 2 * (size_t)((first + second) % 12);
                    check_bytes(bytes, 4);
                    check_amid_others(bytes, 4, at);
                    if (i == j)
                        check_amid_others(bytes, 3, 64 - 3);
                }
}

/* Puts one code point; the caller asks for none that may not be written. */
static size_t encode(uint32_t point, char *out) {
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    out[0] = (char)((0xFF00u >> (more + 1) & 0xFF) | point >> (6 * more));
    for (int i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (point >> (6 * (more - i)) & 0x3F));
    return (size_t)more + 1;
}

static void takes_each_code_point(void **state) {
    (void)state;
    for (uint32_t point = 0; point <= 0x10FFFF; point++) {
        if (point == 0xD800)
            point = 0xE000;
        char text[4];
        size_t len = encode(point, text);
        if (verdict_of((struct span){text, len}) != VALID)
            fail_msg("U+%04X is refused", point);
    }
}

/* Long texts in pieces of any length, whole and with one byte changed. */
static void judges_long_texts(void **state) {
    (void)state;
    struct random random = {3629};
    int invalid = 0;
    for (int round = 0; round < 20000; round++) {
        char text[512];
        size_t len = 0;
        while (len < 400) {
            static const uint32_t ranges[] = {0x80, 0x80, 0x800, 0xD800};
            uint32_t range = ranges[random_below(&random, round % 5 + 1) % 4];
            uint32_t point = (uint32_t)random_below(&random, range);
            if (random_below(&random, 8) == 0)
                point += 0xE000; /* some of these are of four bytes */
            len += encode(point, text + len);
        }
        if (round % 2 == 1)
            text[random_below(&random, len)] = (char)random_next(&random);
        enum verdict wanted = oracle((const uint8_t *)text, len);
        struct utf8 utf8 = {0};
        enum verdict verdict = VALID;
        for (size_t at = 0, n; at < len && verdict != INVALID; at += n) {
            n = 1 + (size_t)random_below(&random, 40);
            n = n > len - at ? len - at : n;
            verdict = feed(&utf8, (struct span){text + at, n});
        }
        if (verdict != wanted || verdict_of((struct span){text, len}) != wanted)
            fail_msg("round %d: %d, not %d", round, verdict, wanted);
        invalid += wanted == INVALID;
    }
    assert_in_range(invalid, 5000, 10000);
}

/* Each byte at each place of a text of each length. */
static void tells_ascii(void **state) {
    (void)state;
    char text[100];
    assert_true(utf8_is_ascii((struct span){NULL, 0}));
    for (size_t len = 1; len <= sizeof text; len++) {
        memset(text, 'a', sizeof text);
        assert_true(utf8_is_ascii(exact_copy(text, len)));
        for (size_t at = 0; at < len; at++) {
            text[at] = '\x7F';
            assert_true(utf8_is_ascii(exact_copy(text, len)));
            text[at] = '\x80';
            assert_false(utf8_is_ascii(exact_copy(text, len)));
            text[at] = 'a';
        }
    }
}

/* No memory at all is an empty piece like any other. */
static void takes_empty_pieces(void **state) {
    (void)state;
    struct utf8 utf8 = {0};
    assert_int_equal(feed(&utf8, (struct span){"\xE2\x82", 2}), INCOMPLETE);
    assert_int_equal(feed(&utf8, (struct span){"", 0}), INCOMPLETE);
    assert_int_equal(feed(&utf8, (struct span){"\xAC", 1}), VALID);
    assert_int_equal(feed(&utf8, (struct span){"", 0}), VALID);
}

static void marks(void **state) {
    (void)state;
    assert_true(span_equals(utf8_without_mark(span_of("\xef\xbb\xbf"
                                                      "A=1")),
                            "A=1"));
    assert_true(span_equals(utf8_without_mark(span_of("A=1")), "A=1"));
    assert_true(
        span_equals(utf8_without_mark(exact_copy("\xef\xbb", 2)), "\xef\xbb"));
    assert_true(utf8_is_utf16(exact_copy("\xff\xfe"
                                         "A\0",
                                         4)));
    assert_true(utf8_is_utf16(exact_copy("\xfe\xff", 2)));
    assert_false(utf8_is_utf16(exact_copy("\xff", 1)));
    assert_true(utf8_is_utf16(exact_copy("\0A", 2)));
    assert_true(utf8_is_utf16(exact_copy("A\0=\0", 4)));
    assert_false(utf8_is_utf16(exact_copy("", 1)));
    assert_false(utf8_is_utf16(exact_copy("", 0)));
    assert_false(utf8_is_utf16(span_of("A=1")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks),
        cmocka_unit_test(judges_the_table),
        cmocka_unit_test(judges_at_each_place),
        cmocka_unit_test(judges_all_short_sequences),
        cmocka_unit_test(judges_sequences_of_four),
        cmocka_unit_test(takes_each_code_point),
        cmocka_unit_test(judges_long_texts),
        cmocka_unit_test(tells_ascii),
        cmocka_unit_test(takes_empty_pieces),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
