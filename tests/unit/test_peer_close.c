/* The peer's close frame, and what is said of it. */
#include "tests/unit/unit.h"
#include "wsclient/link/peer_close.h"

static const struct {
    const char *payload;
    size_t len;
    bool codes_are_kept;
    const char *wanted;
} cases[] = {
    {"", 0, true, "a close frame without a code"},
    {"\x03", 1, true, "a close frame without a code"},
    {"\x03\xe8", 2, true, "close code 1000"},
    {"\x03\xf1message too big", 17, false, "close code 1009: message too big"},
    {"\x03\xf3"
     "a\n\"\\\x7f\xc3\xa4",
     9, true, "close code 1011: a\\x0a\"\\x5c\\x7f\\xc3\\xa4"},
    {"\x03\xea"
     "why",
     5, true, "close code 1002: why"},
    {"\x03\xea"
     "why",
     5, false,
     "a close code that libwebsockets does not tell (1002, or 1012 to 1014: it "
     "restarts): why"},
    {"\x03\xf4", 2, true, "close code 1012 (service restart)"},
    {"\x03\xf5"
     "full",
     6, true, "close code 1013 (try again later): full"},
    {"\x03\xf6", 2, true, "close code 1014 (bad gateway)"},
};

static void what_people_are_told(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct peer_close close = {.came = false};
        char detail[PEER_CLOSE_DETAIL_SIZE];
        peer_close_read(&close, exact_copy(cases[i].payload, cases[i].len));
        assert_true(close.came);
        peer_close_describe(&close, cases[i].codes_are_kept, detail);
        assert_string_equal(detail, cases[i].wanted);
    }
}

/* The longest that is allowed, and one that is longer all the same. */
static void long_texts(void **state) {
    (void)state;
    for (size_t len = 125; len <= 200; len += 75) {
        unsigned char payload[200] = {0x0f, 0xa0};
        char detail[PEER_CLOSE_DETAIL_SIZE];
        struct peer_close close = {.came = false};
        peer_close_read(&close, (struct span){(char *)payload, len});
        assert_int_equal(close.text_len, 123);
        peer_close_describe(&close, true, detail);
        assert_int_equal(strlen(detail),
                         strlen("close code 4000: ") + 123 * strlen("\\x00"));
    }
}

/* Netty sends another one behind it. */
static void the_first_one_counts(void **state) {
    (void)state;
    struct peer_close close = {.came = false};
    peer_close_read(&close, span_of("\x03\xf1too long"));
    peer_close_read(&close, span_of("\x03\xe8"
                                    "Bye"));
    assert_int_equal(close.code, 1009);
    assert_memory_equal(close.text, "too long", close.text_len);
}

#define CLOSE  "\x88\x04\x03\xf3hi"
#define SHORT  "\x81\x02{}"
#define MEDIUM "\x81\x7e\0\3xyz"
#define LARGE  "\x82\x7f\0\0\0\0\0\0\0\x01x"

/* What may stand before a close frame, or in its place. */
static const struct {
    const char *bytes;
    size_t len, skip;
    bool found;
} streams[] = {
    {CLOSE, 6, 0, true},
    {"rest" CLOSE, 10, 4, true},
    {SHORT MEDIUM LARGE CLOSE, 4 + 7 + 11 + 6, 0, true},
    {"", 0, 0, false},
    {CLOSE, 6, 7, false},
    {CLOSE, 5, 0, false},
    {"\x88", 1, 0, false},
    {SHORT "\x81\x7e\x00", 7, 0, false},
    {"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff" CLOSE, 16, 0, false},
    {SHORT MEDIUM, 11, 0, false},
    /* What is no frame is no reason to believe what follows. */
    {"\xc1\x02{}" CLOSE, 10, 0, false},
    {"\x81\x82...." CLOSE, 12, 0, false},
    {"\x08\x04\x03\xf3hi", 6, 0, false},
    {"\x89\x7e\0\3xyz" CLOSE, 13, 0, false},
};

static void found_in_what_was_not_read(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(streams); i++) {
        struct peer_close close = {.came = false};
        peer_close_find(&close, exact_copy(streams[i].bytes, streams[i].len),
                        streams[i].skip);
        if (close.came != streams[i].found)
            fail_msg("stream %zu", i);
        if (close.came)
            assert_int_equal(close.code, 1011);
    }
}

/* Codes that say nothing against what was sent. */
static void leaves(void **state) {
    (void)state;
    static const unsigned codes[] = {1001, 1012, 1013, 1014};
    for (unsigned code = 999; code < 1020; code++) {
        bool wanted = false;
        for (size_t i = 0; i < COUNT_OF(codes); i++)
            wanted = wanted || codes[i] == code;
        struct peer_close close = {.came = true, .code = code};
        assert_int_equal(peer_close_is_leave(&close), wanted);
    }
    assert_false(peer_close_is_leave(&(struct peer_close){.came = true}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_are_told),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(the_first_one_counts),
        cmocka_unit_test(leaves),
        cmocka_unit_test(found_in_what_was_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
