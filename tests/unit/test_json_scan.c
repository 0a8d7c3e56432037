/* The scanner: by a corpus and tables, and by mutants against other parsers. */
#include <stdio.h>

#include "common/json_scan.h"
#include "common/utf8.h"
#include "tests/unit/json_corpus.h"
#include "tests/unit/json_fields.h"
#include "tests/unit/json_mutants.h"
#include "tests/unit/json_oracle.h"
#include "tests/unit/json_strings.h"
#include "tests/unit/unit.h"

static enum json_error scan(struct span padded, struct json_found *found,
                            enum json_kind *top) {
    return json_scan_padded(padded, fields, FIELDS, found, top);
}

static enum json_error verdict_of(struct span text) {
    struct span padded = padded_copy(text.data, text.len);
    struct json_found found[FIELDS];
    enum json_kind top;
    return scan(padded, found, &top);
}

/* As the service does: UTF-8 first, then the scan. */
static bool is_utf8(struct span text) {
    struct utf8 utf8 = {0};
    return utf8_feed(&utf8, text) && utf8_complete(&utf8);
}

static void judges_the_corpus(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(corpus); i++) {
        enum json_error error = verdict_of(corpus[i].text);
        if (error != corpus[i].error)
            fail_msg("row %zu `%s`: %d", i, corpus[i].text.data, error);
    }
}

static void agrees_with_python_on_the_corpus(void **state) {
    (void)state;
    struct judge *judge = judge_new();
    for (size_t i = 0; i < COUNT_OF(corpus); i++)
        if (is_utf8(corpus[i].text))
            judge_compare(judge, corpus[i].text, corpus[i].error == JSON_OK);
    judge_free(judge);
}

/* Each text of the corpus in each place where a value may stand. */
static void judges_the_corpus_within_others(void **state) {
    (void)state;
    static const char *const around[][2] = {
        {"[", "]"},
        {"[0,", "]"},
        {"[", ",0]"},
        {"{\"v\":", "}"},
        {" ", "\n"},
        {"{\"id\":", ",\"w\":0}"},
        {"{\"payload\":{\"stake\":", "}}"},
    };
    struct judge *judge = judge_new();
    for (size_t i = 0; i < COUNT_OF(corpus); i++)
        for (size_t j = 0; j < COUNT_OF(around); j++) {
            char text[512];
            struct span inner = corpus[i].text;
            size_t len = strlen(around[j][0]), tail = strlen(around[j][1]);
            memcpy(text, around[j][0], len);
            memcpy(text + len, inner.data, inner.len);
            memcpy(text + len + inner.len, around[j][1], tail);
            struct span whole = {text, len + inner.len + tail};
            enum json_error error = verdict_of(whole);
            if (corpus[i].error == JSON_OK && error != JSON_OK)
                fail_msg("`%.*s`: %d", (int)whole.len, text, error);
            /* What is refused may make sense in there: 1,2 or nothing. */
            if (is_utf8(whole))
                judge_compare(judge, whole, error == JSON_OK);
        }
    judge_free(judge);
}

/* `levels` times `open`, a value, and `levels` times `close`. */
static struct span nest(const char *open, const char *close, int levels,
                        char *out) {
    char *end = out;
    for (int i = 0; i < levels; i++)
        end += sprintf(end, "%s", open);
    *end++ = '1';
    for (int i = 0; i < levels; i++)
        end += sprintf(end, "%s", close);
    return (struct span){out, (size_t)(end - out)};
}

static void limits_the_depth(void **state) {
    (void)state;
    static const struct {
        const char *open, *close;
        int levels; /* in one piece */
    } shapes[] = {
        {"[", "]", 1},         {"{\"a\":", "}", 1},
        {"[{\"a\":", "}]", 2}, {"{\"payload\":[", "]}", 2},
        {"[0,[", "]]", 2},     {"{\"b\":0,\"a\":[\"\",", ",null]}", 2},
    };
    static char text[4 << 20];
    for (size_t i = 0; i < COUNT_OF(shapes); i++)
        for (int pieces = 1; pieces <= 40; pieces++) {
            struct span nested =
                nest(shapes[i].open, shapes[i].close, pieces, text);
            int levels = pieces * shapes[i].levels;
            enum json_error error = verdict_of(nested);
            if (error != (levels <= 32 ? JSON_OK : JSON_TOO_DEEP))
                fail_msg("shape %zu, %d levels: %d", i, levels, error);
            if (levels <= 32) /* and json-c reads what is accepted */
                json_object_put(json_c_parse(nested));
        }
    struct span unclosed = {memset(text, '[', sizeof text), sizeof text};
    assert_int_equal(verdict_of(unclosed), JSON_TOO_DEEP);
    for (size_t i = 0; i + 5 <= sizeof text; i += 5)
        memcpy(text + i, "{\"a\":", 5);
    assert_int_equal(verdict_of(unclosed), JSON_TOO_DEEP);
}

/* What is closed does not count: wide is not deep. */
static void counts_only_open_levels(void **state) {
    (void)state;
    static char text[1 << 20];
    char *end = text;
    *end++ = '[';
    for (int i = 0; i < 1000; i++) {
        char *start = end;
        end = start + nest(i % 2 ? "[" : "{\"a\":", i % 2 ? "]" : "}",
                           JSON_MAX_DEPTH - 1, start)
                          .len;
        *end++ = ',';
    }
    end[-1] = ']';
    struct span wide = {text, (size_t)(end - text)};
    assert_int_equal(verdict_of(wide), JSON_OK);
}

/* The first fault counts, of two. */
static void tells_which_fault_comes_first(void **state) {
    (void)state;
    static char deep[128], text[256];
    nest("[", "]", 33, deep);
    sprintf(text, "{\"a\":x,\"b\":%.33s", deep);
    assert_int_equal(verdict_of(span_of(text)), JSON_SYNTAX);
    sprintf(text, "{\"b\":%.33s,x", deep);
    assert_int_equal(verdict_of(span_of(text)), JSON_TOO_DEEP);
    sprintf(text, "%.32s", deep);
    assert_int_equal(verdict_of(span_of(text)), JSON_SYNTAX);
}

static void check_field(size_t row, const struct field_case *c, int field,
                        struct span text, const struct json_found *found) {
    const struct wanted_field *wanted = &c->wanted[field];
    if (found->kind != wanted->kind || found->duplicate != wanted->duplicate)
        fail_msg("row %zu `%s`: %s is of kind %d, duplicate %d", row, c->text,
                 fields[field].name, found->kind, found->duplicate);
    if (wanted->kind == JSON_ABSENT)
        return;
    if (!span_equals(found->text, wanted->text))
        fail_msg("row %zu `%s`: %s is `%.*s`", row, c->text, fields[field].name,
                 (int)found->text.len, found->text.data);
    if (found->text.data - text.data != strstr(c->text, wanted->text) - c->text)
        fail_msg("row %zu `%s`: %s stands elsewhere", row, c->text,
                 fields[field].name);
}

static void check_case(size_t row, enum json_error error, struct span text,
                       const struct json_found *found) {
    const struct field_case *c = &field_cases[row];
    if (error != c->error)
        fail_msg("row %zu `%s`: %d", row, c->text, error);
    for (int field = 0; field < FIELDS; field++)
        check_field(row, c, field, text, &found[field]);
}

/* Padded or not. */
static void finds_fields(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(field_cases); i++) {
        const char *text = field_cases[i].text;
        struct json_found found[FIELDS];
        enum json_kind top;
        struct span padded = padded_copy(text, strlen(text));
        check_case(i, scan(padded, found, &top), padded, found);
        struct span exact = exact_copy(text, strlen(text));
        memset(found, 0xFF, sizeof found);
        check_case(i, json_scan(exact, fields, FIELDS, found, &top), exact,
                   found);
        for (int field = 0; field < FIELDS; field++)
            assert_true(found[field].kind != JSON_ABSENT ||
                        found[field].text.len == 0);
    }
}

static void tells_the_kind_of_the_top(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum json_kind kind;
    } cases[] = {
        {"{\"a\":[]}", JSON_OBJECT}, {" [{}] ", JSON_ARRAY},
        {"\"{}\"", JSON_STRING},     {"-1", JSON_NUMBER},
        {"7", JSON_NUMBER},          {"true", JSON_BOOLEAN},
        {"\tfalse", JSON_BOOLEAN},   {"null ", JSON_NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_found found[FIELDS];
        enum json_kind top = JSON_ABSENT;
        assert_int_equal(scan(padded_copy(cases[i].text, strlen(cases[i].text)),
                              found, &top),
                         JSON_OK);
        if (top != cases[i].kind)
            fail_msg("`%s`: kind %d", cases[i].text, top);
    }
}

/* Scans for other fields; `values` holds NULL for what is absent. */
static void check_values(const char *text, size_t count,
                         const struct json_field *wanted,
                         const char *const *values) {
    struct json_found found[8];
    enum json_kind top;
    assert_in_range(count, 0, COUNT_OF(found));
    assert_int_equal(json_scan(span_of(text), wanted, count, found, &top),
                     JSON_OK);
    for (size_t i = 0; i < count; i++) {
        bool right = values[i] == NULL
                         ? found[i].kind == JSON_ABSENT
                         : found[i].kind != JSON_ABSENT &&
                               span_equals(found[i].text, values[i]);
        if (!right || found[i].duplicate)
            fail_msg("field %zu: kind %d, `%.*s`", i, found[i].kind,
                     (int)found[i].text.len, found[i].text.data);
    }
}

/* Fields of several objects; no order among those of one is asked for. */
static void finds_fields_of_two_parents(void **state) {
    (void)state;
    enum { A, B, X };
    static const struct json_field wanted[] = {
        JSON_FIELD(JSON_TOP, "aa"), JSON_FIELD(JSON_TOP, "bb"),
        JSON_FIELD(JSON_TOP, "xx"), JSON_FIELD(B, "xx"),
        JSON_FIELD(A, "xx"),        JSON_FIELDS_END,
    };
    static const char text[] = "{\"aa\":{\"xx\":1},\"xx\":2,\"bb\":{\"xx\":3},"
                               "\"cc\":{\"xx\":4,\"aa\":{\"xx\":5}}}";
    static const char *const values[] = {"{\"xx\":1}", "{\"xx\":3}", "2", "3",
                                         "1"};
    (void)X;
    check_values(text, COUNT_OF(wanted) - 1, wanted, values);
    check_values(text, 0, wanted, values);
}

/* A parent is a member of the top, whatever a deeper one is called. */
static void finds_no_field_of_a_deeper_parent(void **state) {
    (void)state;
    enum { A, B, EMPTY };
    static const struct json_field wanted[] = {
        JSON_FIELD(JSON_TOP, "aa"), JSON_FIELD(JSON_TOP, "bb"),
        JSON_FIELD(JSON_TOP, "ee"), JSON_FIELD(A, "bb"),
        JSON_FIELD(A, "aa"),        JSON_FIELD(B, "cc"),
        JSON_FIELD(EMPTY, "dd"),    JSON_FIELDS_END,
    };
    static const char text[] = "{\"aa\":{\"bb\":{\"cc\":1,\"bb\":2},"
                               "\"aa\":{\"aa\":3,\"bb\":4,\"dd\":5}},"
                               "\"ff\":{\"dd\":6,\"cc\":7},\"ee\":{\"dd\":8}}";
    static const char *const values[] = {
        "{\"bb\":{\"cc\":1,\"bb\":2},\"aa\":{\"aa\":3,\"bb\":4,\"dd\":5}}",
        NULL,
        "{\"dd\":8}",
        "{\"cc\":1,\"bb\":2}",
        "{\"aa\":3,\"bb\":4,\"dd\":5}",
        NULL,
        "8"};
    check_values(text, COUNT_OF(wanted) - 1, wanted, values);
}

static void compares_strings(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(equals_cases); i++) {
        struct span exact =
            exact_copy(equals_cases[i].string, strlen(equals_cases[i].string));
        if (json_string_equals(exact, equals_cases[i].plain) !=
            equals_cases[i].equal)
            fail_msg("row %zu: %s and `%s`", i, equals_cases[i].string,
                     equals_cases[i].plain);
    }
}

static void copies_strings(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(copy_cases); i++) {
        char out[32];
        memset(out, '#', sizeof out);
        struct span exact =
            exact_copy(copy_cases[i].string, strlen(copy_cases[i].string));
        int len = json_string_copy(exact, out, copy_cases[i].size);
        if (len != copy_cases[i].len ||
            (len > 0 && memcmp(out, copy_cases[i].bytes, (size_t)len) != 0))
            fail_msg("row %zu %s: %d `%.24s`", i, copy_cases[i].string, len,
                     out);
        for (size_t at = copy_cases[i].size; at < sizeof out; at++)
            if (out[at] != '#')
                fail_msg("row %zu: byte %zu was written", i, at);
    }
}

/* How many texts were of each kind, to see that all kinds were met. */
struct tally {
    int not_utf8, accepted, refused, found;
};

/* That a field is what json-c calls the member of that name. */
static void compare_field(struct span text, struct json_object *top, int field,
                          const struct json_found *found) {
    struct json_object *member = NULL, *parent = top, *again;
    bool there = (fields[field].parent == JSON_TOP ||
                  json_object_object_get_ex(
                      top, fields[fields[field].parent].name, &parent)) &&
                 json_object_is_type(parent, json_type_object) &&
                 json_object_object_get_ex(parent, fields[field].name, &member);
    enum json_kind kind = there ? kind_of(member) : JSON_ABSENT;
    bool same = found->kind == kind;
    if (same && there) {
        again = json_c_parse(found->text);
        same = json_object_equal(member, again);
        json_object_put(again);
    }
    if (!same)
        fail_msg("`%.*s`: %s is `%.*s` of kind %d, not %d", (int)text.len,
                 text.data, fields[field].name, (int)found->text.len,
                 found->text.data, found->kind, kind);
}

/* Where json-c can tell: it keeps the last of duplicates, cuts at NUL. */
static void compare_fields(struct span text, struct json_object *top,
                           const struct json_found *found,
                           struct tally *tally) {
    if (memmem(text.data, text.len, "\\u0000", 6) != NULL)
        return;
    for (int field = 0; field < FIELDS; field++) {
        bool of_duplicate =
            fields[field].parent != JSON_TOP && found[PAYLOAD].duplicate;
        if (of_duplicate || found[field].duplicate)
            continue;
        compare_field(text, top, field, &found[field]);
        tally->found += found[field].kind != JSON_ABSENT;
    }
}

static void compare(struct span given, struct judge *judge,
                    struct tally *tally) {
    if (!is_utf8(given)) {
        tally->not_utf8++;
        return;
    }
    struct span text = padded_copy(given.data, given.len);
    struct json_found found[FIELDS];
    enum json_kind kind;
    enum json_error error = scan(text, found, &kind);
    if (error != JSON_TOO_DEEP) /* of which Python knows nothing */
        judge_compare(judge, text, error == JSON_OK);
    *(error == JSON_OK ? &tally->accepted : &tally->refused) += 1;
    if (error != JSON_OK)
        return;
    struct json_object *top = json_c_parse(text);
    assert_int_equal(kind, kind_of(top));
    if (kind == JSON_OBJECT)
        compare_fields(text, top, found, tally);
    json_object_put(top);
}

static bool is_white(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* All but numbers end by a byte that they can not do without. */
static void refuses_each_prefix(void **state) {
    (void)state;
    size_t prefixes = 0;
    for (size_t i = 0; i < COUNT_OF(corpus); i++) {
        struct span text = corpus[i].text;
        while (text.len > 0 && is_white(text.data[text.len - 1]))
            text.len--;
        if (corpus[i].error != JSON_OK ||
            strchr("}]\"el", text.data[text.len - 1]) == NULL)
            continue;
        for (size_t len = 0; len < text.len; len++, prefixes++)
            if (verdict_of((struct span){text.data, len}) != JSON_SYNTAX)
                fail_msg("the first %zu bytes of `%s`", len, text.data);
    }
    assert_in_range(prefixes, 500, 10000);
}

/* Each byte of a message replaced by each other, left out, and doubled. */
static void compares_messages_with_a_wrong_byte(void **state) {
    (void)state;
    struct tally tally = {0};
    struct judge *judge = judge_new();
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        size_t len = strlen(messages[i]);
        for (size_t at = 0; at < len; at++) {
            char text[512];
            for (int byte = 0; byte < 256; byte++) {
                memcpy(text, messages[i], len);
                text[at] = (char)byte;
                compare((struct span){text, len}, judge, &tally);
            }
            memcpy(text, messages[i], at);
            memcpy(text + at, messages[i] + at + 1, len - at - 1);
            compare((struct span){text, len - 1}, judge, &tally);
            memcpy(text, messages[i], at + 1);
            memcpy(text + at + 1, messages[i] + at, len - at);
            compare((struct span){text, len + 1}, judge, &tally);
        }
    }
    judge_free(judge);
    assert_in_range(tally.accepted, 10000, 100000);
    assert_in_range(tally.refused, 10000, 100000);
    assert_in_range(tally.not_utf8, 10000, 100000);
}

static void compares_mutants(void **state) {
    (void)state;
    struct random random = {8259};
    struct tally tally = {0};
    struct judge *judge = judge_new();
    for (int i = 0; i < 500000; i++) {
        struct mutant m = {.len = 0};
        splice(&m, 0, 0, any_text(&random));
        for (uint64_t n = 1 + random_below(&random, 4); n > 0; n--)
            mutate(&m, &random);
        compare((struct span){m.text, m.len}, judge, &tally);
    }
    judge_free(judge);
    assert_in_range(tally.accepted, 25000, 500000);
    assert_in_range(tally.refused, 25000, 500000);
    assert_in_range(tally.found, 10000, 500000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_the_corpus),
        cmocka_unit_test(agrees_with_python_on_the_corpus),
        cmocka_unit_test(judges_the_corpus_within_others),
        cmocka_unit_test(limits_the_depth),
        cmocka_unit_test(counts_only_open_levels),
        cmocka_unit_test(tells_which_fault_comes_first),
        cmocka_unit_test(finds_fields),
        cmocka_unit_test(tells_the_kind_of_the_top),
        cmocka_unit_test(finds_fields_of_two_parents),
        cmocka_unit_test(finds_no_field_of_a_deeper_parent),
        cmocka_unit_test(compares_strings),
        cmocka_unit_test(copies_strings),
        cmocka_unit_test(refuses_each_prefix),
        cmocka_unit_test(compares_messages_with_a_wrong_byte),
        cmocka_unit_test(compares_mutants),
    };
    return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}
