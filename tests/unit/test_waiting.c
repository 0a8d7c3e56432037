/* Open questions: found by day and currency, and who waits longest. */
#include <stdio.h>

#include "tests/unit/unit.h"
#include "wsclient/waiting.h"

static const struct key {
    int32_t day;
    const char *currency;
} keys[] = {
    {18765, ""},    {18765, "USD"}, {18765, "USE"},  {18764, "USD"},
    {18764, ""},    {0, ""},        {INT32_MAX, ""}, {INT32_MAX, "USD"},
    {18765, "ASD"}, {18765, "UAD"},
};

static struct question *find(struct waiting *waiting, const struct key *key) {
    return waiting_find(waiting, (day){key->day}, span_of(key->currency));
}

static void finds_what_was_opened(void **state) {
    (void)state;
    struct waiting waiting = TAILQ_HEAD_INITIALIZER(waiting);
    struct question *opened[COUNT_OF(keys)];
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (find(&waiting, &keys[i]) != NULL)
            fail_msg("day %d `%s` is found before it is opened", keys[i].day,
                     keys[i].currency);
        opened[i] = waiting_open(&waiting, (day){keys[i].day},
                                 span_of(keys[i].currency));
        assert_int_equal(opened[i]->when.number, keys[i].day);
        assert_true(
            span_equals(question_currency(opened[i]), keys[i].currency));
        assert_true(TAILQ_EMPTY(&opened[i]->messages));
    }
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        assert_ptr_equal(find(&waiting, &keys[i]), opened[i]);
        waiting_close(&waiting, opened[i]);
        assert_null(find(&waiting, &keys[i]));
    }
    assert_true(TAILQ_EMPTY(&waiting));
}

static void join(struct question *question, struct message *message,
                 int64_t waits_from) {
    *message = (struct message){.waits_from = {waits_from}};
    TAILQ_INSERT_TAIL(&question->messages, message, entry);
}

static void expect_oldest(const struct waiting *waiting, int64_t wanted) {
    monotime oldest = {-1};
    assert_true(waiting_oldest(waiting, &oldest));
    assert_int_equal(oldest.usec, wanted);
}

static void tells_who_waits_longest(void **state) {
    (void)state;
    struct waiting waiting = TAILQ_HEAD_INITIALIZER(waiting);
    struct message m[5];
    monotime oldest = {42};
    assert_false(waiting_oldest(&waiting, &oldest));
    struct question *a = waiting_open(&waiting, (day){1}, span_of(""));
    assert_false(waiting_oldest(&waiting, &oldest)); /* nobody in it */
    struct question *b = waiting_open(&waiting, (day){2}, span_of(""));
    struct question *c = waiting_open(&waiting, (day){3}, span_of(""));
    join(b, &m[0], 30);
    expect_oldest(&waiting, 30);
    join(a, &m[1], 40);
    expect_oldest(&waiting, 30);
    join(c, &m[2], 20);
    join(c, &m[3], 50);
    expect_oldest(&waiting, 20);
    TAILQ_REMOVE(&c->messages, &m[2], entry);
    expect_oldest(&waiting, 30);
    TAILQ_REMOVE(&b->messages, &m[0], entry);
    waiting_close(&waiting, b);
    expect_oldest(&waiting, 40);
    join(c, &m[4], 60);
    TAILQ_REMOVE(&a->messages, &m[1], entry);
    expect_oldest(&waiting, 50);
    waiting_close(&waiting, a);
    waiting_close(&waiting, c);
    assert_false(waiting_oldest(&waiting, &oldest));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_opened),
        cmocka_unit_test(tells_who_waits_longest),
    };
    return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
