/* How many lines of a flood go out, and when the rest is told. */
#include <errno.h>

#include "common/log_limit.h"
#include "tests/unit/log_pipe.h"

static const monotime start = {INT64_C(123456789)};

/* One line each `step` for some time; gives how many went out and were told. */
static uint64_t flood(struct log_limit *limit, monotime *now, duration step,
                      duration time, uint64_t *told) {
    monotime end = monotime_add(*now, time);
    uint64_t taken = 0;
    for (; !monotime_reached(*now, end); *now = monotime_add(*now, step)) {
        *told += log_limit_due(limit, *now);
        taken += log_limit_take(limit, *now);
    }
    return taken;
}

static void an_event_now_and_then(void **state) {
    (void)state;
    struct log_limit limit = {0};
    monotime now = start;
    uint64_t told = 0;
    assert_int_equal(
        flood(&limit, &now, LOG_LIMIT_EACH, SECONDS(100000), &told), 20000);
    assert_int_equal(told + limit.more, 0);
}

static void at_once(void **state) {
    (void)state;
    struct log_limit limit = {0};
    for (int i = 0; i < LOG_LIMIT_LINES; i++)
        assert_true(log_limit_take(&limit, start));
    for (int i = 0; i < 7; i++)
        assert_false(log_limit_take(&limit, start));
    monotime due = monotime_add(start, LOG_LIMIT_PERIOD);
    assert_int_equal(log_limit_due(&limit, monotime_add(due, (duration){-1})),
                     0);
    assert_int_equal(log_limit_due(&limit, due), 7);
    assert_int_equal(log_limit_due(&limit, due), 0);
    /* Later there is room again, as much as has passed. */
    assert_true(log_limit_take(&limit, monotime_add(start, LOG_LIMIT_EACH)));
    assert_false(log_limit_take(&limit, monotime_add(start, LOG_LIMIT_EACH)));
    monotime later = monotime_add(start, SECONDS(100000));
    for (int i = 0; i < LOG_LIMIT_LINES; i++)
        assert_true(log_limit_take(&limit, later));
    assert_false(log_limit_take(&limit, later));
}

/* A day of 1,000 a second is some thousand lines, and none is forgotten. */
static void for_a_day(void **state) {
    (void)state;
    struct log_limit limit = {0};
    monotime now = start;
    uint64_t told = 0;
    uint64_t taken =
        flood(&limit, &now, MILLISECONDS(1), SECONDS(86400), &told);
    assert_in_range(taken, 86400 / 5, 86400 / 5 + LOG_LIMIT_LINES);
    assert_int_equal(taken + told + limit.more, 86400 * 1000);
}

static size_t count_lines(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

/* What a person is to know of stands there each time. */
static void deaths_and_alerts(void **state) {
    (void)state;
    open_log("info", "text");
    for (int i = 0; i < 2 * LOG_LIMIT_LINES; i++) {
        log_error(EVENT_DIED, NULL);
        log_error(EVENT_ALERT, NULL);
    }
    assert_int_equal(count_lines(logged()), 4 * LOG_LIMIT_LINES);
    close_log();
}

/* Lines of one event beyond the limit are counted, and the count is told. */
static void floods(void **state) {
    (void)state;
    open_log("info", "text");
    for (int i = 0; i < 1000; i++)
        log_warn(EVENT_MESSAGE_IGNORED, NULL);
    log_info(EVENT_CONNECTED, NULL); /* another event is none of this one's */
    for (int i = 0; i < 1000; i++)
        log_show(EVENT_REQUEST, span_of("x")); /* nor is what was asked for */
    log_look();
    assert_int_equal(count_lines(logged()), LOG_LIMIT_LINES + 1 + 1000);
    fake_monotonic_usec += LOG_LIMIT_PERIOD.usec;
    errno = EXDEV;
    log_look();
    assert_int_equal(errno, EXDEV);
    expect_logged("2026-11-21T12:00:00.000Z WARN proc[PID] message_ignored "
                  "more=950\n");
    log_look();
    expect_logged("");
    for (int i = 0; i < 5; i++)
        log_warn(EVENT_MESSAGE_IGNORED, NULL);
    assert_int_equal(count_lines(logged()),
                     LOG_LIMIT_PERIOD.usec / LOG_LIMIT_EACH.usec);
    log_close(); /* what is left is told at the end */
    expect_logged("2026-11-21T12:00:00.000Z WARN proc[PID] message_ignored "
                  "more=3\n");
    close_log();
}

/* Who asks for everything gets it. */
static void no_limit_at_debug(void **state) {
    (void)state;
    open_log("debug", "text");
    for (int i = 0; i < 1000; i++)
        log_warn(EVENT_MESSAGE_IGNORED, NULL);
    assert_int_equal(count_lines(logged()), 1000);
    close_log();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_now_and_then),
        cmocka_unit_test(at_once),
        cmocka_unit_test(for_a_day),
        cmocka_unit_test(deaths_and_alerts),
        cmocka_unit_test(floods),
        cmocka_unit_test(no_limit_at_debug),
    };
    return cmocka_run_group_tests_name("log_limit", tests, NULL, NULL);
}
