/* Breaks: the last one's reason, and when they are too many. */
#include "tests/unit/unit.h"
#include "wsclient/link/breaks.h"

#define SHORT SECONDS(1)

static bool at(struct breaks *breaks, int64_t second, duration stood) {
    return breaks_note(breaks, "closed", "gone", stood,
                       (monotime){second * 1000000});
}

static void five_in_ten_seconds_are_told_once(void **state) {
    (void)state;
    struct breaks breaks = {.count = 0};
    for (int64_t second = 100; second < 108; second += 2)
        assert_false(at(&breaks, second, SHORT));
    assert_true(at(&breaks, 110, SHORT));
    assert_string_equal(breaks.last, "closed: gone");
    for (int64_t second = 111; second < 200; second++)
        assert_false(at(&breaks, second, SHORT));
    /* Until one has stood for long. */
    assert_true(at(&breaks, 200, SECONDS(10)));
    assert_false(at(&breaks, 201, SHORT));
}

/* It is no break, and the next link's end takes it away. */
static void a_failed_attempt_is_told_until_a_link_has_stood(void **state) {
    (void)state;
    struct breaks breaks = {.count = 0};
    breaks_note_failure(&breaks, "failed", "refused");
    assert_string_equal(breaks.failed, "failed: refused");
    assert_string_equal(breaks.last, "");
    assert_false(at(&breaks, 100, SHORT));
    assert_string_equal(breaks.failed, "");
}

static void five_in_more_time_are_none_of_it(void **state) {
    (void)state;
    struct breaks breaks = {.count = 0};
    for (int64_t second = 100; second < 300; second += 3)
        assert_false(at(&breaks, second, SHORT));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_in_ten_seconds_are_told_once),
        cmocka_unit_test(a_failed_attempt_is_told_until_a_link_has_stood),
        cmocka_unit_test(five_in_more_time_are_none_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
