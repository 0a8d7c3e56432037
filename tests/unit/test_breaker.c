/* The breaker: when a provider that fails is left alone, and for how long. */
#include "ratefetcher/breaker.h"
#include "tests/unit/unit.h"

#define START INT64_C(777777777)

/*
 * A step: what happens at that second (`f` a call fails, `s` one succeeds, `b`
 * one begins, `c` it is not made, `.` nothing), and for how many seconds the
 * provider is then skipped.
 */
struct step {
    double at;
    char what;
    double wait;
};

static const struct breaker_case {
    const char *name;
    struct step steps[32];
} cases[] = {
    {"it works", {{0, '.', 0}, {1, 's', 0}, {2, 's', 0}}},
    {"four failures are not enough",
     {{0, 'f', 0}, {0, 'f', 0}, {0, 'f', 0}, {0, 'f', 0}, {100, '.', 0}}},
    {"the fifth in a row is",
     {{0, 'f', 0},
      {1, 'f', 0},
      {2, 'f', 0},
      {3, 'f', 0},
      {4, 'f', 30},
      {5, '.', 29},
      {33.5, '.', 0.5},
      {34, '.', 0}}},
    {"in a row",
     {{0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 's', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 30}}},
    {"one call decides, others wait for it",
     {{0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 30},
      {30, '.', 0},
      {30, 'b', 1},
      {31, '.', 1},
      {32, 's', 0},
      {32, 'f', 0},
      {32, '.', 0}}},
    {"it doubles up to ten minutes",
     {{0, 'f', 0},      {0, 'f', 0},        {0, 'f', 0},     {0, 'f', 0},
      {0, 'f', 30},     {30, 'b', 1},       {31, 'f', 60},   {91, 'b', 1},
      {91, 'f', 120},   {211, 'b', 1},      {212, 'f', 240}, {452, 'b', 1},
      {452, 'f', 480},  {932, 'b', 1},      {932, 'f', 600}, {1532, 'b', 1},
      {1533, 'f', 600}, {2132.5, '.', 0.5}, {2133, 'b', 1},  {2133, 's', 0},
      {2133, 'f', 0},   {2133, 'f', 0},     {2133, 'f', 0},  {2133, 'f', 0},
      {2133, 'f', 30}}},
    {"calls that began before it was skipped tell nothing new",
     {{0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 30},
      {1, 'f', 29},
      {2, 'f', 28},
      {3, 'f', 27},
      {30, '.', 0}}},
    {"a trial that is not made leaves the next one to be it",
     {{0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 30},
      {30, 'b', 1},
      {31, 'c', 0},
      {32, 'b', 1},
      {32, 'f', 60}}},
    {"a probe that fails changes nothing, one that succeeds all",
     {{0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 0},
      {0, 'f', 30},
      {5, 'b', 25},
      {6, 'f', 24},
      {10, 'b', 20},
      {11, 's', 0},
      {12, 'f', 0}}},
};

static monotime at(double seconds) {
    return (monotime){START + (int64_t)(seconds * 1e6)};
}

static void happen(struct breaker *breaker, const struct step *step) {
    bool ignored;
    if (step->what == 'f')
        breaker_fail(breaker, at(step->at));
    else if (step->what == 's')
        breaker_succeed(breaker);
    else if (step->what == 'b')
        ignored = breaker_begin(breaker, at(step->at));
    else if (step->what == 'c')
        breaker_cancel(breaker);
    (void)ignored;
}

static void follows_the_table(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct breaker breaker = {0};
        for (const struct step *s = cases[i].steps; s->what != '\0'; s++) {
            happen(&breaker, s);
            int64_t wait = breaker_wait(&breaker, at(s->at)).usec;
            if (wait != (int64_t)(s->wait * 1e6))
                fail_msg("%s: step %d: skipped for %.3f s, not %.3f s",
                         cases[i].name, (int)(s - cases[i].steps),
                         (double)wait / 1e6, s->wait);
        }
    }
}

/* Only one call is the trial, and none while the provider works. */
static void says_which_call_is_the_trial(void **state) {
    (void)state;
    struct breaker breaker = {0};
    assert_false(breaker_begin(&breaker, at(0)));
    for (int i = 0; i < BREAKER_FAILURES; i++)
        breaker_fail(&breaker, at(0));
    assert_false(breaker_begin(&breaker, at(29))); /* a probe */
    assert_true(breaker_begin(&breaker, at(30)));
    assert_false(breaker_begin(&breaker, at(30)));
    breaker_cancel(&breaker);
    assert_true(breaker_begin(&breaker, at(31)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_table),
        cmocka_unit_test(says_which_call_is_the_trial)};
    return cmocka_run_group_tests_name("breaker", tests, NULL, NULL);
}
