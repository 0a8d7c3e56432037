/* Stretches of JSON text: by steps, by words and by bytes they end alike. */
#include "common/json_plain.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

enum { LONGEST = 70 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static size_t run_of(struct span text, bool (*counts)(char)) {
    size_t len = 0;
    while (len < text.len && counts(text.data[len]))
        len++;
    return len;
}

static bool is_blank(char c) {
    return c == ' ';
}

static size_t in_a_step(size_t len) {
    return len < JSON_STEP ? len : JSON_STEP;
}

static void check(struct span text) {
    size_t plain = run_of(text, json_is_plain);
    size_t digits = run_of(text, is_digit);
    size_t white = run_of(text, json_is_white);
    size_t blanks = run_of(text, is_blank);
    assert_ptr_equal(json_plain_end(text.data), text.data + plain);
    assert_ptr_equal(json_digits_end(text.data), text.data + digits);
    unsigned others = json_not_plain(text.data);
    assert_int_equal(others == 0 ? JSON_STEP : json_lowest(others),
                     in_a_step(plain));
    assert_int_equal(json_lowest(json_not_digits(text.data)),
                     in_a_step(digits));
    assert_int_equal(json_white_in_step(text.data), in_a_step(white));
    assert_int_equal(json_blanks_in_step(text.data), in_a_step(blanks));
}

/* Each byte at each place of a run of each length, with a wall behind it. */
static void each_byte_ends_what_it_has_to(void **state) {
    (void)state;
    for (size_t len = 1; len <= 2 * JSON_STEP + 3; len++)
        for (size_t at = 0; at < len; at++)
            for (int byte = 0; byte < 256; byte++)
                for (const char *around = "7a \n"; *around != '\0'; around++) {
                    char text[LONGEST];
                    memset(text, *around, sizeof text);
                    text[at] = (char)byte;
                    check(padded_copy(text, len));
                }
}

/* Those next to each other that a borrow or a sign could mix up. */
static void neighbours_are_not_mixed_up(void **state) {
    (void)state;
    static const unsigned char bytes[] = {0x00, 0x01, 0x1F, 0x20, 0x21, 0x22,
                                          0x23, 0x2F, 0x30, 0x39, 0x3A, 0x5B,
                                          0x5C, 0x5D, 0x7F, 0x80, 0xA2, 0xFF};
    for (size_t first = 0; first < COUNT_OF(bytes); first++)
        for (size_t second = 0; second < COUNT_OF(bytes); second++)
            for (size_t at = 0; at + 1 < JSON_STEP; at++) {
                char text[JSON_STEP];
                memset(text, '5', sizeof text);
                text[at] = (char)bytes[first];
                text[at + 1] = (char)bytes[second];
                check(padded_copy(text, sizeof text));
            }
}

static void random_text_ends_alike(void **state) {
    (void)state;
    static const char likely[] = "0123456789abc \xC3\xA9\"\\\n";
    struct random random = {5150};
    for (int i = 0; i < 300000; i++) {
        char text[LONGEST];
        size_t len = (size_t)random_below(&random, sizeof text + 1);
        uint64_t known = 1 + random_below(&random, sizeof likely - 1);
        for (size_t at = 0; at < len; at++)
            text[at] = likely[random_below(&random, known)];
        check(padded_copy(text, len));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_ends_what_it_has_to),
        cmocka_unit_test(neighbours_are_not_mixed_up),
        cmocka_unit_test(random_text_ends_alike),
    };
    return cmocka_run_group_tests_name("json_plain", tests, NULL, NULL);
}
