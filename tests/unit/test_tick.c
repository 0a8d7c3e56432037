/* A moment that the loop wakes up for, without asking the kernel in between. */
#undef _FORTIFY_SOURCE /* by which poll() is an inline function */
#include <poll.h>

#include "tests/unit/unit.h"
#include "wsclient/tick.h"

static unsigned waits;

/* In place of the C library's: what libwebsockets waits by. */
int poll(struct pollfd *fds, nfds_t count, int milliseconds) {
    struct timespec time = {milliseconds / 1000,
                            milliseconds % 1000 * 1000000L};
    waits++;
    return ppoll(fds, count, &time, NULL);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason,
                    void *user, void *in, size_t len) {
    (void)wsi, (void)reason, (void)user, (void)in, (void)len;
    return 0;
}

static struct lws_context *context_open(void) {
    static const struct lws_protocols protocols[] = {
        {.name = "test", .callback = callback},
        {.name = NULL},
    };
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .fd_limit_per_thread = 16,
    };
    lws_set_log_level(0, NULL);
    return lws_create_context(&info);
}

static struct lws_context *context;
static struct tick tick;

static int open_context(void **state) {
    (void)state;
    context = context_open();
    tick = (struct tick){.is_set = false};
    return context == NULL ? -1 : 0;
}

static int close_context(void **state) {
    (void)state;
    tick_cancel(&tick);
    lws_context_destroy(context);
    return 0;
}

static monotime turn_until_taken(void) {
    monotime now;
    do {
        assert_true(lws_service(context, 0) >= 0);
        now = clock_monotonic();
    } while (!tick_take(&tick, now));
    return now;
}

/* From any part of a millisecond: the library rounds what is left down. */
static void test_waits_without_asking(void **state) {
    (void)state;
    for (int part = 50; part < 1000; part += 100) {
        monotime due = monotime_add(clock_monotonic(), (duration){5000 + part});
        tick_set(&tick, context, due, SECONDS(0));
        assert_true(lws_service(context, -1) >= 0); /* what else it does */
        waits = 0;
        assert_true(monotime_reached(turn_until_taken(), due));
        assert_in_range(waits, 0, 3);
    }
}

static void test_is_taken_once(void **state) {
    (void)state;
    const monotime due = clock_monotonic();
    tick_set(&tick, context, due, SECONDS(0));
    assert_true(tick_is_due(&tick, due));
    assert_true(tick_take(&tick, due));
    assert_false(tick_is_due(&tick, due));
    assert_false(tick_take(&tick, due));
}

static void test_comes_early_by_its_slack_and_no_more(void **state) {
    (void)state;
    const monotime due = monotime_add(clock_monotonic(), SECONDS(60));
    tick_set(&tick, context, due, MILLISECONDS(100));
    assert_false(tick_take(&tick, (monotime){due.usec - 100001}));
    assert_false(tick_is_due(&tick, (monotime){due.usec - 1}));
    assert_true(tick_take(&tick, (monotime){due.usec - 100000}));
}

static void test_does_not_come_once_cancelled(void **state) {
    (void)state;
    const monotime due = clock_monotonic();
    tick_set(&tick, context, due, SECONDS(0));
    tick_cancel(&tick);
    assert_false(tick_is_due(&tick, due));
    assert_false(tick_take(&tick, due));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_waits_without_asking, open_context,
                                        close_context),
        cmocka_unit_test_setup_teardown(test_is_taken_once, open_context,
                                        close_context),
        cmocka_unit_test_setup_teardown(
            test_comes_early_by_its_slack_and_no_more, open_context,
            close_context),
        cmocka_unit_test_setup_teardown(test_does_not_come_once_cancelled,
                                        open_context, close_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
