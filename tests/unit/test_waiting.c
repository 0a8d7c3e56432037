/* Messages that wait: found by day and currency, and by how long they wait. */
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

static struct question *join(struct waiting *waiting, const struct key *key,
                             struct message *message, int64_t waits_from) {
    *message = (struct message){.waits_from = {waits_from}};
    return waiting_join(waiting, (day){key->day}, span_of(key->currency),
                        message);
}

/* Those that wait for it are these two, or none. */
static void expect_taken(struct waiting *waiting, const struct key *key,
                         const struct message *first,
                         const struct message *second) {
    struct message_queue queue;
    waiting_take(waiting, (day){key->day}, span_of(key->currency), &queue);
    assert_ptr_equal(TAILQ_FIRST(&queue), first);
    if (first != NULL)
        assert_ptr_equal(TAILQ_NEXT(first, entry), second);
    if (second != NULL)
        assert_null(TAILQ_NEXT(second, entry));
}

static void questions_are_apart(void **state) {
    (void)state;
    struct waiting waiting = TAILQ_HEAD_INITIALIZER(waiting);
    struct message first[COUNT_OF(keys)], second[COUNT_OF(keys)];
    struct question *opened[COUNT_OF(keys)];
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        expect_taken(&waiting, &keys[i], NULL, NULL);
        opened[i] = join(&waiting, &keys[i], &first[i], 1);
        assert_int_equal(opened[i]->when.number, keys[i].day);
        assert_true(
            span_equals(question_currency(opened[i]), keys[i].currency));
        assert_false(opened[i]->asked);
    }
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        assert_ptr_equal(join(&waiting, &keys[i], &second[i], 2), opened[i]);
    struct question *question = TAILQ_FIRST(&waiting);
    for (size_t i = 0; i < COUNT_OF(keys); i++) { /* oldest first */
        assert_ptr_equal(question, opened[i]);
        question = TAILQ_NEXT(question, entry);
    }
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        expect_taken(&waiting, &keys[i], &first[i], &second[i]);
        expect_taken(&waiting, &keys[i], NULL, NULL);
    }
    assert_true(TAILQ_EMPTY(&waiting));
}

static void expect_oldest(const struct waiting *waiting, int64_t wanted) {
    monotime oldest = {-1};
    assert_true(waiting_oldest(waiting, &oldest));
    assert_int_equal(oldest.usec, wanted);
}

/* An older message may join behind a younger one. */
static void who_waits_longest_is_late_first(void **state) {
    (void)state;
    struct waiting waiting = TAILQ_HEAD_INITIALIZER(waiting);
    struct message m[6];
    monotime oldest;
    assert_false(waiting_oldest(&waiting, &oldest));
    assert_null(waiting_take_late(&waiting, (monotime){INT64_MAX}));
    join(&waiting, &keys[0], &m[0], 40);
    expect_oldest(&waiting, 40);
    join(&waiting, &keys[1], &m[1], 30);
    join(&waiting, &keys[2], &m[2], 50);
    join(&waiting, &keys[2], &m[3], 20);
    join(&waiting, &keys[2], &m[4], 60);
    join(&waiting, &keys[2], &m[5], 55);
    expect_oldest(&waiting, 20);
    assert_null(waiting_take_late(&waiting, (monotime){19}));
    assert_ptr_equal(waiting_take_late(&waiting, (monotime){20}), &m[3]);
    assert_null(waiting_take_late(&waiting, (monotime){20}));
    expect_oldest(&waiting, 30);
    assert_ptr_equal(waiting_take_late(&waiting, (monotime){39}), &m[1]);
    assert_null(waiting_take_late(&waiting, (monotime){39}));
    expect_taken(&waiting, &keys[1], NULL, NULL); /* closed with its last */
    expect_oldest(&waiting, 40);
    assert_ptr_equal(waiting_take_late(&waiting, (monotime){99}), &m[0]);
    assert_ptr_equal(waiting_take_late(&waiting, (monotime){99}), &m[2]);
    expect_taken(&waiting, &keys[2], &m[5], &m[4]);
    assert_false(waiting_oldest(&waiting, &oldest));
}

static void clearing_closes_all(void **state) {
    (void)state;
    struct waiting waiting = TAILQ_HEAD_INITIALIZER(waiting);
    struct message m[COUNT_OF(keys)];
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        join(&waiting, &keys[i], &m[i], 1);
    waiting_clear(&waiting);
    assert_true(TAILQ_EMPTY(&waiting));
    waiting_clear(&waiting);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_are_apart),
        cmocka_unit_test(who_waits_longest_is_late_first),
        cmocka_unit_test(clearing_closes_all),
    };
    return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
