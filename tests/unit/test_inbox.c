/* The inbox: whole messages out of pieces, bounded, and UTF-8. */
#include "tests/unit/unit.h"
#include "wsclient/link/inbox.h"

enum { MAX_BYTES = 64, MIB = 1024 * 1024, SIXTEEN_MIB = 16 * MIB };

/* A piece that is gone with the next one. */
static enum inbox_verdict add(struct inbox *inbox, const char *data, size_t len,
                              bool last, struct span *message) {
    return inbox_add(inbox, exact_copy(data, len), 0, last, message);
}

static void check_message(const char *what, struct span message,
                          const char *wanted, size_t len) {
    if (message.len != len || memcmp(message.data, wanted, len) != 0)
        fail_msg("%s: `%.*s`", what, (int)message.len, message.data);
}

static const char text[] =
    "{\"\xc3\xa9\":\"\xe2\x82\xac \xf0\x9f\x98\x80\",\"x\":[1,2,3]}";

/* Two cuts at all places, empty pieces and those inside a character too. */
static void pieces_at_all_places(void **state) {
    (void)state;
    size_t len = sizeof text - 1;
    struct inbox inbox;
    inbox_init(&inbox, len);
    for (size_t a = 0; a <= len; a++)
        for (size_t b = a; b <= len; b++) {
            struct span message;
            inbox_begin(&inbox);
            assert_int_equal(add(&inbox, text, a, false, &message), INBOX_MORE);
            assert_int_equal(add(&inbox, text + a, b - a, false, &message),
                             INBOX_MORE);
            if (add(&inbox, text + b, len - b, true, &message) != INBOX_MESSAGE)
                fail_msg("cut at %zu and %zu: no message", a, b);
            check_message("cut", message, text, len);
        }
    inbox_clear(&inbox);
}

static void bytes_one_by_one(void **state) {
    (void)state;
    size_t len = sizeof text - 1;
    struct inbox inbox;
    struct span message;
    inbox_init(&inbox, MAX_BYTES);
    inbox_begin(&inbox);
    for (size_t i = 0; i + 1 < len; i++)
        assert_int_equal(add(&inbox, text + i, 1, false, &message), INBOX_MORE);
    assert_int_equal(add(&inbox, text + len - 1, 1, true, &message),
                     INBOX_MESSAGE);
    check_message("one by one", message, text, len);
    inbox_clear(&inbox);
}

static void one_piece_is_lent_not_copied(void **state) {
    (void)state;
    struct inbox inbox;
    struct span message, piece = {text, sizeof text - 1};
    inbox_init(&inbox, MAX_BYTES);
    inbox_begin(&inbox);
    assert_int_equal(inbox_add(&inbox, piece, 0, true, &message),
                     INBOX_MESSAGE);
    assert_ptr_equal(message.data, text);
    assert_int_equal(message.len, piece.len);
    assert_null(inbox.buffer);
    inbox_clear(&inbox);
}

static void empty_messages(void **state) {
    (void)state;
    struct inbox inbox;
    struct span message;
    inbox_init(&inbox, MAX_BYTES);
    for (int pieces = 1; pieces <= 3; pieces++) {
        inbox_begin(&inbox);
        for (int i = 1; i < pieces; i++)
            assert_int_equal(add(&inbox, "", 0, false, &message), INBOX_MORE);
        assert_int_equal(add(&inbox, "", 0, true, &message), INBOX_MESSAGE);
        assert_int_equal(message.len, 0);
    }
    inbox_clear(&inbox);
}

/* Adds `len` bytes of `a` in pieces of `step`. */
static enum inbox_verdict add_many(struct inbox *inbox, size_t len, size_t step,
                                   struct span *message) {
    static char block[SIXTEEN_MIB + 2];
    memset(block, 'a', sizeof block);
    inbox_begin(inbox);
    enum inbox_verdict verdict = INBOX_MORE;
    for (size_t sent = 0; verdict == INBOX_MORE; sent += step) {
        bool last = len - sent <= step;
        struct span piece = {block, last ? len - sent : step};
        verdict = inbox_add(inbox, piece, 0, last, message);
        if (last)
            break;
    }
    return verdict;
}

static const struct size_case {
    size_t max_bytes, len, step;
    enum inbox_verdict verdict;
} size_cases[] = {
    {64, 64, 64, INBOX_MESSAGE},
    {64, 64, 63, INBOX_MESSAGE},
    {64, 64, 1, INBOX_MESSAGE},
    {64, 65, 65, INBOX_TOO_LONG},
    {64, 65, 64, INBOX_TOO_LONG},
    {64, 65, 33, INBOX_TOO_LONG},
    {64, 65, 1, INBOX_TOO_LONG},
    {64, 200, 63, INBOX_TOO_LONG},
    {64, 200, 100, INBOX_TOO_LONG},
    {64, SIXTEEN_MIB, SIXTEEN_MIB, INBOX_TOO_LONG},
    {64, SIXTEEN_MIB, 65536, INBOX_TOO_LONG},
    {64, SIXTEEN_MIB + 1, SIXTEEN_MIB + 1, INBOX_TOO_BIG},
    {64, SIXTEEN_MIB + 1, SIXTEEN_MIB, INBOX_TOO_BIG},
    {64, SIXTEEN_MIB + 1, 65536, INBOX_TOO_BIG},
    {SIXTEEN_MIB, SIXTEEN_MIB, 65536, INBOX_MESSAGE},
    {SIXTEEN_MIB, SIXTEEN_MIB, SIXTEEN_MIB, INBOX_MESSAGE},
    {SIXTEEN_MIB, SIXTEEN_MIB + 1, 65536, INBOX_TOO_BIG},
};

static void sizes(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(size_cases); i++) {
        const struct size_case *c = &size_cases[i];
        struct inbox inbox;
        struct span message = {NULL, 0};
        inbox_init(&inbox, c->max_bytes);
        enum inbox_verdict verdict =
            add_many(&inbox, c->len, c->step, &message);
        if (verdict != c->verdict)
            fail_msg("%zu bytes by %zu: verdict %d, not %d", c->len, c->step,
                     (int)verdict, (int)c->verdict);
        if (verdict == INBOX_MESSAGE)
            assert_int_equal(message.len, c->len);
        /* The next message is not touched by it. */
        inbox_begin(&inbox);
        assert_int_equal(add(&inbox, "[1", 2, false, &message), INBOX_MORE);
        assert_int_equal(add(&inbox, "]", 1, true, &message), INBOX_MESSAGE);
        check_message("the next", message, "[1]", 3);
        inbox_clear(&inbox);
    }
}

/* What a frame's head announces counts before it is there. */
static const struct announced_case {
    size_t before, piece, announced;
    enum inbox_verdict verdict;
} announced_cases[] = {
    {0, 0, SIXTEEN_MIB, INBOX_MORE},
    {0, 0, SIXTEEN_MIB + 1, INBOX_TOO_BIG},
    {0, 10, SIXTEEN_MIB - 10, INBOX_MORE},
    {0, 10, SIXTEEN_MIB - 9, INBOX_TOO_BIG},
    {20, 10, SIXTEEN_MIB - 30, INBOX_MORE},
    {20, 10, SIXTEEN_MIB - 29, INBOX_TOO_BIG},
    {20, 0, SIXTEEN_MIB, INBOX_TOO_BIG},
    {0, 0, SIZE_MAX, INBOX_TOO_BIG},
    {20, 10, SIZE_MAX, INBOX_TOO_BIG},
    {20, 10, SIZE_MAX - 29, INBOX_TOO_BIG},
};

static void announced_sizes(void **state) {
    (void)state;
    static const char block[32] = "";
    for (size_t i = 0; i < COUNT_OF(announced_cases); i++) {
        const struct announced_case *c = &announced_cases[i];
        struct inbox inbox;
        struct span message;
        inbox_init(&inbox, MAX_BYTES);
        inbox_begin(&inbox);
        assert_int_equal(add(&inbox, block, c->before, false, &message),
                         INBOX_MORE);
        enum inbox_verdict verdict =
            inbox_add(&inbox, (struct span){block, c->piece}, c->announced,
                      false, &message);
        if (verdict != c->verdict)
            fail_msg("%zu + %zu, %zu announced: verdict %d", c->before,
                     c->piece, c->announced, (int)verdict);
        inbox_clear(&inbox);
    }
}

/* Text as pieces, "|" between them; the verdict after the last of them. */
static const struct utf8_case {
    const char *pieces;
    enum inbox_verdict verdict;
} utf8_cases[] = {
    {"\xe2|\x82|\xac", INBOX_MESSAGE},
    {"a\xf0\x9f|\x98\x80"
     "b",
     INBOX_MESSAGE},
    {"\xc3", INBOX_NOT_UTF8},
    {"a|\xe2\x82", INBOX_NOT_UTF8},
    {"\xe2\x82||", INBOX_NOT_UTF8},
    {"\x80", INBOX_NOT_UTF8},
    {"\xc3|a", INBOX_NOT_UTF8},
    {"\xed|\xa0\x80", INBOX_NOT_UTF8},
    {"\xe0|\x80\x80", INBOX_NOT_UTF8},
    {"\xf4|\x90\x80\x80", INBOX_NOT_UTF8},
    {"ok|\xff", INBOX_NOT_UTF8},
    /* Also in what is too long to be kept. */
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|"
     "a\xff",
     INBOX_NOT_UTF8},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|"
     "\xc3",
     INBOX_NOT_UTF8},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3|"
     "\xa9",
     INBOX_TOO_LONG},
};

static void utf8(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(utf8_cases); i++) {
        struct inbox inbox;
        struct span message;
        enum inbox_verdict verdict = INBOX_MORE;
        inbox_init(&inbox, MAX_BYTES);
        /* An unfinished message before it is dropped with its state. */
        inbox_begin(&inbox);
        assert_int_equal(add(&inbox, "x\xe2\x82", 3, false, &message),
                         INBOX_MORE);
        inbox_begin(&inbox);
        const char *at = utf8_cases[i].pieces;
        for (bool last = false; !last && verdict == INBOX_MORE;) {
            const char *end = strchrnul(at, '|');
            last = *end == '\0';
            verdict = add(&inbox, at, (size_t)(end - at), last, &message);
            at = end + 1;
        }
        if (verdict != utf8_cases[i].verdict)
            fail_msg("row %zu (%s): verdict %d", i, utf8_cases[i].pieces,
                     (int)verdict);
        inbox_clear(&inbox);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_at_all_places),
        cmocka_unit_test(bytes_one_by_one),
        cmocka_unit_test(one_piece_is_lent_not_copied),
        cmocka_unit_test(empty_messages),
        cmocka_unit_test(sizes),
        cmocka_unit_test(announced_sizes),
        cmocka_unit_test(utf8),
    };
    return cmocka_run_group_tests_name("inbox", tests, NULL, NULL);
}
