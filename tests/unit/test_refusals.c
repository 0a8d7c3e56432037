/* Refusals: their queue and its bound; the bound on errors without an id. */
#include <stdio.h>

#include "tests/unit/unit.h"
#include "wsclient/refusals.h"

static const char form[] = "{\"type\":\"error\",\"id\":%s,\"message\":\"Unable "
                           "to convert stake. Error: too many messages are in "
                           "hand\"}";

static void add(struct refusals *refusals, const char *id) {
    refusals_add(refusals, exact_copy(id, strlen(id)), REFUSAL_FULL);
}

static void expect_next(struct refusals *refusals, const char *id) {
    char wanted[256];
    struct span answer;
    sprintf(wanted, form, id);
    assert_true(refusals_next(refusals, &answer));
    if (!span_equals(answer, wanted))
        fail_msg("%.*s is not %s", (int)answer.len, answer.data, wanted);
    refusals_sent(refusals);
}

static void first_in_first_out(void **state) {
    (void)state;
    struct refusals refusals;
    struct span answer;
    refusals_init(&refusals);
    assert_false(refusals_next(&refusals, &answer));
    add(&refusals, "1");
    add(&refusals, "\"two\"");
    assert_int_equal(refusals_count(&refusals), 2);
    expect_next(&refusals, "1");
    add(&refusals, "");
    expect_next(&refusals, "\"two\"");
    expect_next(&refusals, "null");
    assert_int_equal(refusals_count(&refusals), 0);
    assert_false(refusals_next(&refusals, &answer));
}

static void clearing_drops_all(void **state) {
    (void)state;
    struct refusals refusals;
    struct span answer;
    refusals_init(&refusals);
    refusals_clear(&refusals);
    for (int i = 0; i < 100; i++)
        add(&refusals, "1");
    refusals_clear(&refusals);
    assert_int_equal(refusals_count(&refusals), 0);
    assert_false(refusals_next(&refusals, &answer));
    add(&refusals, "7");
    expect_next(&refusals, "7");
}

/* Up to 1 MiB, and no byte more. */
static void overflows_beyond_a_mebibyte(void **state) {
    (void)state;
    struct refusals refusals;
    char id[1024 + 1];
    size_t without_id = sizeof form - 1 - 2;
    refusals_init(&refusals);
    /* Each is 1024 bytes long. */
    memset(id, '1', sizeof id);
    id[1024 - without_id] = '\0';
    for (int i = 0; i < 1024; i++) {
        add(&refusals, id);
        assert_false(refusals_overflowed(&refusals));
    }
    refusals_sent(&refusals);
    id[1024 - without_id] = '1';
    id[1024 - without_id + 1] = '\0';
    add(&refusals, id); /* one byte longer */
    assert_true(refusals_overflowed(&refusals));
    refusals_sent(&refusals);
    assert_false(refusals_overflowed(&refusals));
    add(&refusals, "1");
    assert_false(refusals_overflowed(&refusals));
    refusals_clear(&refusals);
    assert_false(refusals_overflowed(&refusals));
}

/* When an error without an id wants to go out, and whether it may. */
static const struct nameless_case {
    int64_t usec;
    int count; /* so many at that moment */
    int allowed;
} nameless_cases[] = {
    {0, 4, 4},          {500000, 3, 3},   {900000, 2, 2},
    {999999, 3, 1},                      /* ten within a second */
    {999999, 5, 0},     {1000000, 5, 4}, /* the first four are a second old */
    {1499999, 5, 0},    {1500000, 5, 3},  {1899999, 1, 0},
    {1900000, 9, 2},    {1999998, 1, 0},  {1999999, 2, 1},
    {60000000, 25, 10}, {60999999, 1, 0}, {61000000, 25, 10},
};

static void errors_without_an_id_are_bounded(void **state) {
    (void)state;
    struct refusals refusals;
    refusals_init(&refusals);
    for (size_t i = 0; i < COUNT_OF(nameless_cases); i++) {
        const struct nameless_case *c = &nameless_cases[i];
        int allowed = 0;
        for (int k = 0; k < c->count; k++)
            allowed += refusals_allow_nameless(
                &refusals, (monotime){INT64_C(5000000) + c->usec});
        if (allowed != c->allowed)
            fail_msg("at %lld us (row %zu): %d of %d, not %d",
                     (long long)c->usec, i, allowed, c->count, c->allowed);
    }
}

/* The monotonic clock may stand near zero when we start. */
static void the_first_are_allowed_at_any_moment(void **state) {
    (void)state;
    struct refusals refusals;
    refusals_init(&refusals);
    for (int i = 0; i < 10; i++)
        assert_true(refusals_allow_nameless(&refusals, (monotime){0}));
    assert_false(refusals_allow_nameless(&refusals, (monotime){0}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out),
        cmocka_unit_test(clearing_drops_all),
        cmocka_unit_test(overflows_beyond_a_mebibyte),
        cmocka_unit_test(errors_without_an_id_are_bounded),
        cmocka_unit_test(the_first_are_allowed_at_any_moment),
    };
    return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
