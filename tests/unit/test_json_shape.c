/* Shapes: what matches one is found as the scanner finds it. */
#include <stdio.h>

#include "common/json_shape.h"
#include "tests/unit/json_fields.h"
#include "tests/unit/json_mutants.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

/* Learns the shape of a text that the scanner takes. */
static bool learn(struct json_shape *shape, struct span text) {
    struct json_found found[FIELDS];
    enum json_kind top;
    if (json_scan(text, fields, FIELDS, found, &top) != JSON_OK ||
        top != JSON_OBJECT)
        return false;
    json_shape_learn(shape, text, found, FIELDS, NULL);
    return true;
}

static void check_found(struct span text, const struct json_found *ours,
                        const struct json_found *right) {
    for (int i = 0; i < FIELDS; i++) {
        bool same = ours[i].kind == right[i].kind &&
                    ours[i].duplicate == right[i].duplicate;
        if (right[i].kind != JSON_ABSENT)
            same &= ours[i].text.data == right[i].text.data &&
                    ours[i].text.len == right[i].text.len;
        if (!same)
            fail_msg("`%.*s`: field %d is another", (int)text.len, text.data,
                     i);
    }
}

/* Whether it matches; then the scanner has to say and find the same. */
static bool matches(struct json_shape *shape, struct span given) {
    struct span text = padded_copy(given.data, given.len);
    struct json_found ours[FIELDS], right[FIELDS];
    enum json_kind top;
    memset(ours, 0xFF, sizeof ours);
    if (!json_shape_match(shape, text, ours))
        return false;
    if (json_scan(text, fields, FIELDS, right, &top) != JSON_OK ||
        top != JSON_OBJECT)
        fail_msg("`%.*s` matches", (int)text.len, text.data);
    check_found(text, ours, right);
    return true;
}

static bool text_matches(struct json_shape *shape, const char *text) {
    return matches(shape, span_of(text));
}

#define REQUEST(type, id, stake, currency)                                     \
    "{\"type\":" type ",\"id\":" id ",\"payload\":{\"odds\":2.2,"              \
    "\"a b\": \"x\" ,\"ok\":true,\"stake\":" stake ",\"currency\":" currency   \
    "}, \"z\":[1, \"y\"]}"

static void other_values_match(void **state) {
    (void)state;
    struct json_shape shape;
    assert_true(learn(
        &shape, span_of(REQUEST("\"message\"", "456", "253.67", "\"USD\""))));
    static const char *const same[] = {
        REQUEST("\"message\"", "456", "253.67", "\"USD\""),
        REQUEST("\"\"", "0", "-1.5e-7", "\"\""),
        REQUEST("\"a much longer text than there was before\"",
                "123456789012345678901234567890", "0.1", "\"\xE2\x82\xAC\""),
    };
    for (size_t i = 0; i < COUNT_OF(same); i++)
        assert_true(text_matches(&shape, same[i]));
    static const char *const others[] = {
        "",
        "{}",
        REQUEST("\"message\"", "\"456\"", "253.67", "\"USD\""),
        REQUEST("7", "456", "253.67", "\"USD\""),
        REQUEST("\"message\"", "456", "null", "\"USD\""),
        REQUEST("\"message\"", "456", "01", "\"USD\""),
        REQUEST("\"message\"", "456", "1.", "\"USD\""),
        REQUEST("\"message\"", "-", "1", "\"USD\""),
        REQUEST("\"message\"", "456", "1e", "\"USD\""),
        REQUEST("\"message\"", "456", "", "\"USD\""),
        REQUEST("\"message\"", "456", "1", "\"U\\u0053D\""),
        REQUEST("\"message\"", "456", "1", "\"US\nD\""),
        REQUEST("\"message\"", "456", "1", "\"USD\",\"stake\":2"),
        REQUEST("\"message\"", "456,\"id\":7", "1", "\"USD\""),
        REQUEST("\"message\"", "456", "1", "\"USD\"") " ",
    };
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (text_matches(&shape, others[i]))
            fail_msg("`%s` matches", others[i]);
}

/* Only what has been seen in another form is looked at alone from then on. */
static void values_of_one_form_are_part_of_the_rest(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t differing;
    } texts[] = {
        {REQUEST("\"message\"", "456", "253.67", "\"USD\""), 0},
        {REQUEST("\"keeping\"", "999", "100.00", "\"A+0\""), 0},
        {REQUEST("\"message\"", "456", "253.6", "\"USD\""), 1},
        {REQUEST("\"message\"", "456", "12", "\"USD\""), 1},
        {REQUEST("\"message\"", "056", "253.67", "\"USD\""), 1},
        {REQUEST("\"message\"", "456", "253.67", "\"USd\""), 2},
        {REQUEST("\"message\"", "1.6", "253.67", "\"USD\""), 3},
        {REQUEST("\"mess age\"", "1.6", "253.67", "\"USD\""), 4},
    };
    struct json_shape shape;
    assert_true(learn(&shape, span_of(texts[0].text)));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        bool is_json = strstr(texts[i].text, ":056") == NULL;
        assert_int_equal(text_matches(&shape, texts[i].text), is_json);
        assert_int_equal(shape.usual.count, 1 + texts[i].differing);
        assert_true(text_matches(&shape, texts[0].text));
    }
}

/* Texts with duplicates, escapes in names and empty containers. */
static void every_text_matches_itself(void **state) {
    (void)state;
    size_t learned = 0;
    for (size_t i = 0; i < COUNT_OF(field_cases); i++) {
        struct json_shape shape;
        struct span text = span_of(field_cases[i].text);
        if (!learn(&shape, text))
            continue;
        learned++;
        bool escaped = strchr(text.data, '\\') != NULL;
        if (!matches(&shape, text) && !escaped)
            fail_msg("`%s` does not match itself", text.data);
    }
    assert_in_range(learned, 40, COUNT_OF(field_cases));
}

static void nothing_matches_what_is_not_known(void **state) {
    (void)state;
    static struct json_shape none;
    struct json_shape shape;
    char text[2 * JSON_SHAPE_BYTES];
    assert_false(text_matches(&none, ""));
    assert_false(text_matches(&none, "{}"));
    for (int values = 1; values <= 2 * JSON_SHAPE_VALUES; values++) {
        int len = sprintf(text, "{\"id\":[0");
        for (int i = 1; i < values; i++)
            len += sprintf(text + len, ",%d", i);
        sprintf(text + len, "]}");
        assert_true(learn(&shape, span_of(text)));
        assert_int_equal(text_matches(&shape, text),
                         values <= JSON_SHAPE_VALUES);
    }
    for (int len = JSON_SHAPE_BYTES - 20; len <= JSON_SHAPE_BYTES; len++) {
        sprintf(text, "{\"id\":\"%*s\"}", len, "");
        assert_true(learn(&shape, span_of(text)));
        assert_int_equal(text_matches(&shape, text),
                         strlen(text) <= JSON_SHAPE_BYTES);
    }
}

/* Whether it matches, whatever the shape has seen of other texts before. */
static bool always_matches(const struct json_shape *learned,
                           struct json_shape *used, struct span text) {
    static struct json_shape fresh;
    fresh = *learned;
    bool is_match = matches(&fresh, text);
    assert_int_equal(matches(used, text), is_match);
    return is_match;
}

/* Each byte of a message replaced by each other, left out, and doubled. */
static void a_wrong_byte_is_found(void **state) {
    (void)state;
    static struct json_shape shape, used;
    int matched = 0;
    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(messages[i]);
        assert_true(learn(&shape, span_of(messages[i])));
        used = shape;
        for (size_t at = 0; at < len; at++) {
            char text[512];
            for (int byte = 0; byte < 256; byte++) {
                memcpy(text, messages[i], len);
                text[at] = (char)byte;
                matched +=
                    always_matches(&shape, &used, (struct span){text, len});
            }
            memmove(text + at, messages[i] + at + 1, len - at - 1);
            matched +=
                always_matches(&shape, &used, (struct span){text, len - 1});
            memcpy(text, messages[i], at + 1);
            memcpy(text + at + 1, messages[i] + at, len - at);
            matched +=
                always_matches(&shape, &used, (struct span){text, len + 1});
        }
    }
    assert_in_range(matched, 5000, 20000);
}

static void mutants_are_found_alike(void **state) {
    (void)state;
    struct random random = {4711};
    struct json_shape shape = {0};
    int matched = 0;
    for (int i = 0; i < 300000; i++) {
        struct mutant m = {.len = 0};
        splice(&m, 0, 0, span_of(messages[random_below(&random, 2)]));
        for (uint64_t n = random_below(&random, 3); n > 0; n--)
            mutate(&m, &random);
        struct span text = {m.text, m.len};
        matched += matches(&shape, text);
        if (i % 16 == 0 && !learn(&shape, text))
            learn(&shape, span_of(messages[0]));
    }
    assert_in_range(matched, 10000, 300000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_values_match),
        cmocka_unit_test(values_of_one_form_are_part_of_the_rest),
        cmocka_unit_test(every_text_matches_itself),
        cmocka_unit_test(nothing_matches_what_is_not_known),
        cmocka_unit_test(a_wrong_byte_is_found),
        cmocka_unit_test(mutants_are_found_alike),
    };
    return cmocka_run_group_tests_name("json_shape", tests, NULL, NULL);
}
