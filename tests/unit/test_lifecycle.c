/* The life-cycle table, cell by cell, and the delays before a start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "supervisor/lifecycle.h"

static const monotime now = {1000 * USEC_PER_SEC};

/* What is done and what comes of it: D down, R running, S stopping, A aborting,
 * F refused; with the action before it. */
struct outcome {
    enum lifecycle_action action;
    enum lifecycle_state next;
};

#define CELL(action, next)                                                     \
    { LIFECYCLE_##action, LIFECYCLE_##next }

/* For a helper that is wanted and was not ready; the rows are the states, the
 * columns the events in their order. */
static const struct outcome wanted[LIFECYCLE_STATES][LIFECYCLE_EVENTS] = {
    [LIFECYCLE_DOWN] = {CELL(START, RUNNING), CELL(NOTHING, DOWN),
                        CELL(NOTHING, DOWN), CELL(NOTHING, DOWN),
                        CELL(NOTHING, DOWN), CELL(NOTHING, DOWN),
                        CELL(NOTHING, DOWN), CELL(FORGET_START, DOWN),
                        CELL(START, RUNNING)},
    [LIFECYCLE_RUNNING] = {CELL(NOTHING, RUNNING), CELL(START_LATER, DOWN),
                           CELL(NOTHING, RUNNING), CELL(ABORT, ABORTING),
                           CELL(NOTHING, RUNNING), CELL(START_LATER, DOWN),
                           CELL(NOTHING, REFUSED), CELL(STOP, STOPPING),
                           CELL(STOP, STOPPING)},
    [LIFECYCLE_STOPPING] = {CELL(NOTHING, STOPPING), CELL(NOTHING, STOPPING),
                            CELL(NOTHING, STOPPING), CELL(NOTHING, STOPPING),
                            CELL(KILL, STOPPING), CELL(START, RUNNING),
                            CELL(START, RUNNING), CELL(NOTHING, STOPPING),
                            CELL(NOTHING, STOPPING)},
    [LIFECYCLE_ABORTING] = {CELL(NOTHING, ABORTING), CELL(NOTHING, ABORTING),
                            CELL(NOTHING, ABORTING), CELL(NOTHING, ABORTING),
                            CELL(KILL, ABORTING), CELL(START_LATER, DOWN),
                            CELL(START_LATER, DOWN), CELL(KILL, STOPPING),
                            CELL(NOTHING, ABORTING)},
    [LIFECYCLE_REFUSED] = {CELL(NOTHING, REFUSED), CELL(NOTHING, REFUSED),
                           CELL(NOTHING, REFUSED), CELL(NOTHING, REFUSED),
                           CELL(NOTHING, REFUSED), CELL(NOTHING, REFUSED),
                           CELL(NOTHING, REFUSED), CELL(NOTHING, DOWN),
                           CELL(START, RUNNING)},
};

static struct lifecycle life_in(enum lifecycle_state state, bool is_wanted) {
    struct lifecycle life;
    lifecycle_init(&life);
    life.state = state;
    life.wanted = is_wanted;
    return life;
}

static void expect(struct lifecycle *life, enum lifecycle_event event,
                   monotime when, struct outcome expected) {
    enum lifecycle_state before = life->state;
    enum lifecycle_action action =
        lifecycle_step(life, event, when, UINT32_MAX);
    if (action != expected.action || life->state != expected.next)
        fail_msg("state %d, event %d: action %d and state %d, not %d and %d",
                 before, event, action, life->state, expected.action,
                 expected.next);
}

static void does_what_each_cell_says(void **state) {
    (void)state;
    for (int s = 0; s < LIFECYCLE_STATES; s++)
        for (int e = 0; e < LIFECYCLE_EVENTS; e++) {
            struct lifecycle life = life_in((enum lifecycle_state)s, true);
            expect(&life, (enum lifecycle_event)e, now, wanted[s][e]);
        }
}

/* Only deaths differ for one that is not wanted any more. */
static void leaves_an_unwanted_one_dead(void **state) {
    (void)state;
    static const enum lifecycle_state with_process[] = {
        LIFECYCLE_RUNNING, LIFECYCLE_STOPPING, LIFECYCLE_ABORTING};
    static const struct outcome stays_down = CELL(NOTHING, DOWN);
    for (size_t i = 0; i < 3; i++) {
        struct lifecycle life = life_in(with_process[i], false);
        expect(&life, LIFECYCLE_DIED, now, stays_down);
    }
}

/* An event, whatever has to be done because of it. */
static void happens(struct lifecycle *life, enum lifecycle_event event,
                    monotime when, uint32_t chance) {
    enum lifecycle_action ignored = lifecycle_step(life, event, when, chance);
    (void)ignored;
}

static void keeps_what_is_wanted_apart(void **state) {
    (void)state;
    for (int s = 0; s < LIFECYCLE_STATES; s++) {
        struct lifecycle life = life_in((enum lifecycle_state)s, true);
        happens(&life, LIFECYCLE_WANT_DOWN, now, 0);
        assert_false(life.wanted);
        happens(&life, LIFECYCLE_WANT_RESTART, now, 0);
        assert_true(life.wanted);
    }
}

/* A stop that is turned into a restart ends in a new process, and the other
 * way round in none. */
static void takes_back_an_order(void **state) {
    (void)state;
    static const struct outcome starts = CELL(START, RUNNING);
    static const struct outcome stays_down = CELL(NOTHING, DOWN);
    struct lifecycle life = life_in(LIFECYCLE_RUNNING, true);
    happens(&life, LIFECYCLE_WANT_DOWN, now, 0);
    happens(&life, LIFECYCLE_WANT_RESTART, now, 0);
    expect(&life, LIFECYCLE_DIED, now, starts);
    happens(&life, LIFECYCLE_WANT_RESTART, now, 0);
    happens(&life, LIFECYCLE_WANT_DOWN, now, 0);
    expect(&life, LIFECYCLE_DIED, now, stays_down);
}

static void is_ready_only_with_a_process(void **state) {
    (void)state;
    struct lifecycle life = life_in(LIFECYCLE_RUNNING, true);
    assert_string_equal(lifecycle_name(&life), "starting");
    happens(&life, LIFECYCLE_SAID_READY, now, 0);
    assert_true(life.ready);
    assert_string_equal(lifecycle_name(&life), "ready");
    happens(&life, LIFECYCLE_DIED, now, 0);
    assert_false(life.ready);
    assert_string_equal(lifecycle_name(&life), "waiting");
    life = life_in(LIFECYCLE_DOWN, true);
    happens(&life, LIFECYCLE_SAID_READY, now, 0);
    assert_false(life.ready);
}

/* Ready for a second: at once. A microsecond less: it waits. */
static void starts_a_healthy_one_at_once(void **state) {
    (void)state;
    static const struct outcome at_once = CELL(START, RUNNING);
    static const struct outcome later = CELL(START_LATER, DOWN);
    for (int64_t lived = 999999; lived <= 1000000; lived++) {
        struct lifecycle life = life_in(LIFECYCLE_RUNNING, true);
        happens(&life, LIFECYCLE_SAID_READY, now, 0);
        expect(&life, LIFECYCLE_DIED, monotime_add(now, (duration){lived}),
               lived == 1000000 ? at_once : later);
    }
}

/* 0.1 s, doubling to 5 s; by chance down to half of that. */
static void waits_longer_each_time(void **state) {
    (void)state;
    static const int64_t most_ms[] = {100,  200,  400,  800,
                                      1600, 3200, 5000, 5000};
    struct lifecycle high = life_in(LIFECYCLE_RUNNING, true);
    struct lifecycle low = life_in(LIFECYCLE_RUNNING, true);
    for (size_t i = 0; i < sizeof most_ms / sizeof *most_ms; i++) {
        high.state = low.state = LIFECYCLE_RUNNING;
        happens(&high, LIFECYCLE_DIED, now, UINT32_MAX);
        happens(&low, LIFECYCLE_DIED, now, 0);
        assert_int_equal(high.delay.usec, most_ms[i] * 1000);
        assert_int_equal(low.delay.usec, most_ms[i] * 500);
    }
    /* A healthy life forgets all that. */
    high.state = LIFECYCLE_RUNNING;
    happens(&high, LIFECYCLE_SAID_READY, now, 0);
    happens(&high, LIFECYCLE_DIED, monotime_add(now, (duration){2000000}), 0);
    happens(&high, LIFECYCLE_DIED, now, UINT32_MAX);
    assert_int_equal(high.delay.usec, 100000);
}

static void names_every_state(void **state) {
    (void)state;
    static const char *const names[LIFECYCLE_STATES] = {
        [LIFECYCLE_DOWN] = "waiting",
        [LIFECYCLE_RUNNING] = "starting",
        [LIFECYCLE_STOPPING] = "stopping",
        [LIFECYCLE_ABORTING] = "hanging",
        [LIFECYCLE_REFUSED] = "refused"};
    for (int s = 0; s < LIFECYCLE_STATES; s++) {
        struct lifecycle life = life_in((enum lifecycle_state)s, true);
        assert_string_equal(lifecycle_name(&life), names[s]);
        assert_int_equal(lifecycle_has_process(&life),
                         s == LIFECYCLE_RUNNING || s == LIFECYCLE_STOPPING ||
                             s == LIFECYCLE_ABORTING);
    }
    struct lifecycle stopped = life_in(LIFECYCLE_DOWN, false);
    assert_string_equal(lifecycle_name(&stopped), "stopped");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_what_each_cell_says),
        cmocka_unit_test(leaves_an_unwanted_one_dead),
        cmocka_unit_test(keeps_what_is_wanted_apart),
        cmocka_unit_test(takes_back_an_order),
        cmocka_unit_test(is_ready_only_with_a_process),
        cmocka_unit_test(starts_a_healthy_one_at_once),
        cmocka_unit_test(waits_longer_each_time),
        cmocka_unit_test(names_every_state),
    };
    return cmocka_run_group_tests_name("lifecycle", tests, NULL, NULL);
}
