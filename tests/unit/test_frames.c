/* Frames of a client, as RFC 6455 has them. */
#include "wsclient/link/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The bytes of `mask` in the order in which they go out. */
static uint32_t mask_of(const char bytes[static 4]) {
    uint32_t mask;
    memcpy(&mask, bytes, sizeof mask);
    return mask;
}

static void assert_bytes(const struct frames *frames, const char *bytes,
                         size_t len) {
    assert_int_equal(frames->len, len);
    assert_memory_equal(frames->bytes, bytes, len);
}

/* RFC 6455, 5.7 gives the masked text; the Ping is masked alike. */
static void the_examples_of_the_rfc(void **state) {
    (void)state;
    static const char expected[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51"
                                   "\x58"
                                   "\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51"
                                   "\x58";
    struct frames frames = {0};
    uint32_t mask = mask_of("\x37\xfa\x21\x3d");
    frames_add(&frames, FRAME_TEXT, span_of("Hello"), mask);
    assert_bytes(&frames, expected, 11);
    frames_add(&frames, FRAME_PING, span_of("Hello"), mask);
    assert_bytes(&frames, expected, 22);
    frames_free(&frames);
    assert_null(frames.bytes);
}

/* Where the length is written in 0, 2 and 8 bytes more, RFC 6455, 5.2. */
static void lengths(void **state) {
    (void)state;
    static const struct {
        size_t len;
        const char *header;
        size_t header_len;
    } cases[] = {
        {0, "\x81\x80", 2},
        {1, "\x81\x81", 2},
        {125, "\x81\xfd", 2},
        {126, "\x81\xfe\x00\x7e", 4},
        {65535, "\x81\xfe\xff\xff", 4},
        {65536, "\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00", 10},
    };
    struct frames frames = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = cases[i].len, at = cases[i].header_len;
        char *payload = calloc(1, len + 1);
        frames.len = 0;
        frames_add(&frames, FRAME_TEXT, (struct span){payload, len},
                   mask_of("abcd"));
        assert_int_equal(frames.len, at + 4 + len);
        assert_memory_equal(frames.bytes, cases[i].header, at);
        for (size_t k = 0; k < 4 + len; k++) /* zeros show the mask */
            assert_int_equal(frames.bytes[at + k], "abcd"[k % 4]);
        free(payload);
    }
    frames_free(&frames);
}

/* Of each length up to some words, from each place in one; unmasked bytewise.
 */
static void what_is_masked_can_be_read(void **state) {
    (void)state;
    enum { LONGEST = 70, PLACES = 8 };
    char text[LONGEST + PLACES];
    struct frames frames = {0};
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(31 * i + 7);
    for (size_t place = 0; place < PLACES; place++)
        for (size_t len = 0; len <= LONGEST; len++) {
            frames.len = 0;
            frames_add(&frames, FRAME_TEXT, (struct span){text + place, len},
                       mask_of("\xde\xad\xbe\xef"));
            assert_int_equal(frames.len, 6 + len);
            for (size_t k = 0; k < len; k++)
                assert_int_equal(
                    (char)(frames.bytes[6 + k] ^ frames.bytes[2 + k % 4]),
                    text[place + k]);
        }
    frames_free(&frames);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc),
        cmocka_unit_test(lengths),
        cmocka_unit_test(what_is_masked_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
