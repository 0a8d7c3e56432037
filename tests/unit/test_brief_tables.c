/* A file that has only just changed: what it has holds for a moment only, and
 * so does that it has nothing yet. */
#include "tests/unit/lookup_bench.h"
#include "tests/unit/unit.h"

static int begin_with_a_file(void **state) {
    (void)state;
    begin("file");
    pass(0);
    return 0;
}

static void answer_briefly(enum provider_result result, struct rates *rates) {
    fake_answer(FILE_PROVIDER, &(struct provider_answer){.result = result,
                                                         .rates = rates,
                                                         .detail = "",
                                                         .fresh = SECONDS(1)});
}

/* It is looked at again before the moment is over, not after a failure's
 * pause, so that there is a latest table all the time. */
static void a_table_for_a_moment(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct rates *rates = table_of("file", "2021-05-18", "USD 1.2");
        answer_briefly(PROVIDER_OK, rates);
        rates_release(&rates);
        assert_null(ask("latest", "USD"));
        assert_told("file", "memory");
        pass(0.95);
        assert_true(lookup_has_latest(lookup));
        assert_int_equal(fakes[FILE_PROVIDER].count, 1);
    }
    fake_give(FILE_PROVIDER, "USD 1.3");
    pass(1.5);
    assert_int_equal(fakes[FILE_PROVIDER].count, 0);
    assert_true(lookup_has_latest(lookup));
    assert_int_equal(alerts, 0);
}

/* Nobody is called for what is over in a moment; for what stays, one is. */
static void no_table_for_a_moment(void **state) {
    (void)state;
    answer_briefly(PROVIDER_BAD_TABLE, NULL);
    assert_non_null(ask("latest", "USD"));
    answer_briefly(PROVIDER_BAD_TABLE, NULL);
    assert_refused(LOOKUP_UNAVAILABLE);
    assert_int_equal(alerts, 0);
    assert_non_null(ask("latest", "USD"));
    fake_fail(FILE_PROVIDER, PROVIDER_BAD_TABLE);
    assert_refused(LOOKUP_UNAVAILABLE);
    assert_int_equal(alerts, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_table_for_a_moment, begin_with_a_file,
                                        end),
        cmocka_unit_test_setup_teardown(no_table_for_a_moment,
                                        begin_with_a_file, end),
    };
    return cmocka_run_group_tests_name("brief_tables", tests, NULL, NULL);
}
