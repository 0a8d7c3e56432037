/* The outbox: order, windows, which answer a break is laid to. */
#include <stdio.h>

#include "tests/unit/unit.h"
#include "wsclient/outbox.h"

enum { MANY = 100 };

struct desk {
    struct outbox outbox;
    struct message messages[MANY];
};

/* Messages 0 to count - 1, answered in that order, each of `len` bytes. */
static void open_desk(struct desk *d, size_t count, size_t len) {
    *d = (struct desk){.messages[0].sends = 0};
    outbox_init(&d->outbox);
    outbox_connected(&d->outbox);
    for (size_t i = 0; i < count; i++) {
        d->messages[i].sequence = i + 1;
        d->messages[i].answer.len = len;
        d->messages[i].connection = 1;
        outbox_add(&d->outbox, &d->messages[i]);
    }
}

/* Sends all that may be sent: the messages from `first` on, so many. */
static void sends(struct desk *d, size_t first, size_t count) {
    struct message *message;
    size_t sent = 0;
    while ((message = outbox_next(&d->outbox)) != NULL) {
        assert_int_equal(message - d->messages, first + sent++);
        outbox_sent(&d->outbox, message);
    }
    assert_int_equal(sent, count);
}

/* Confirms so many more; gives the last one's number. */
static void confirms(struct desk *d, size_t count) {
    uint64_t position = d->outbox.settled + count;
    for (size_t i = 0; i < count; i++)
        assert_non_null(outbox_take_confirmed(&d->outbox, position));
    assert_null(outbox_take_confirmed(&d->outbox, position));
}

static void breaks(struct desk *d) {
    assert_null(
        outbox_disconnected(&d->outbox, OUTBOX_BREAK_BY_ANSWER, (monotime){0}));
    outbox_connected(&d->outbox);
}

static void without_a_break_all_goes_out(void **state) {
    (void)state;
    struct desk d;
    open_desk(&d, MANY, 10000);
    sends(&d, 0, MANY);
    assert_false(outbox_is_resending(&d.outbox));
    assert_false(outbox_has_any(&d.outbox));
    assert_int_equal(d.messages[99].position, 100);
    confirms(&d, 100);
}

static void windows_by_answers(void **state) {
    (void)state;
    struct desk d;
    open_desk(&d, 70, 100);
    sends(&d, 0, 70);
    breaks(&d);
    outbox_add(&d.outbox, &d.messages[70]); /* a newer one has to wait */
    sends(&d, 0, 32);
    assert_true(outbox_is_resending(&d.outbox));
    assert_false(outbox_goes_alone(&d.outbox));
    confirms(&d, 32);
    assert_false(outbox_is_resending(&d.outbox));
    sends(&d, 32, 32);
    confirms(&d, 32);
    sends(&d, 64, 6);
    confirms(&d, 6);
    sends(&d, 70, 1);
    assert_false(outbox_is_resending(&d.outbox));
}

static void windows_by_bytes(void **state) {
    (void)state;
    struct desk d;
    open_desk(&d, 5, 32768);
    d.messages[4].answer.len = 100000; /* one that is larger than any window */
    sends(&d, 0, 5);
    breaks(&d);
    sends(&d, 0, 2);
    confirms(&d, 2);
    sends(&d, 2, 2);
    confirms(&d, 2);
    sends(&d, 4, 1);
}

/* What is let pass frees the way; it is unconfirmed, but not on the line. */
static void what_is_let_pass_comes_again(void **state) {
    (void)state;
    struct desk d;
    open_desk(&d, 40, 100);
    sends(&d, 0, 40);
    outbox_settled(&d.outbox, 30);
    breaks(&d);
    sends(&d, 0, 32);
    outbox_settled(&d.outbox, 32);
    outbox_settled(&d.outbox, 3); /* it never goes back */
    assert_false(outbox_is_resending(&d.outbox));
    sends(&d, 32, 8);
    breaks(&d);
    sends(&d, 0, 32);
    assert_int_equal(d.messages[31].breaks, 1);
    outbox_settled(&d.outbox, 32);
    sends(&d, 32, 1); /* the first of those on the line at both breaks */
}

/* One at a time after two breaks; widened again where there is progress. */
static void after_two_breaks_one_at_a_time(void **state) {
    (void)state;
    struct desk d;
    open_desk(&d, 40, 100);
    sends(&d, 0, 40);
    breaks(&d);
    sends(&d, 0, 32);
    breaks(&d);
    for (size_t i = 0; i < 32; i++) {
        assert_true(outbox_goes_alone(&d.outbox));
        sends(&d, i, 1);
        assert_false(outbox_goes_alone(&d.outbox));
        confirms(&d, 1);
    }
    assert_false(outbox_goes_alone(&d.outbox));
    sends(&d, 32, 8); /* these were out at one break only */
}

/* Two that were out at two breaks do not share the line with younger ones. */
static void who_goes_alone_has_no_company(void **state) {
    (void)state;
    struct desk d;
    open_desk(&d, 1, 100);
    sends(&d, 0, 1);
    breaks(&d);
    sends(&d, 0, 1);
    d.messages[1].sequence = 2;
    breaks(&d);
    d.messages[1].breaks = 1;
    outbox_add_found(&d.outbox, &d.messages[1]);
    sends(&d, 0, 1);
    confirms(&d, 1);
    sends(&d, 1, 1);
}

static struct message *break_at(struct desk *d, enum outbox_break why,
                                int64_t second) {
    struct message *refused =
        outbox_disconnected(&d->outbox, why, (monotime){second * 1000000});
    outbox_connected(&d->outbox);
    return refused;
}

/* Messages 0 to 2, of which 0 has stood alone at a break. */
static void suspect(struct desk *d, size_t count) {
    open_desk(d, count, 100);
    sends(d, 0, count);
    breaks(d);
    sends(d, 0, count);
    breaks(d);
    sends(d, 0, 1);
    assert_null(break_at(d, OUTBOX_BREAK_BY_ANSWER, 0));
}

/* The others go first; one of them shows that it is not the link. */
static void one_that_fails_while_others_pass_is_refused(void **state) {
    (void)state;
    struct desk d;
    suspect(&d, 3);
    sends(&d, 1, 1);
    confirms(&d, 1);
    sends(&d, 2, 1);
    confirms(&d, 1);
    assert_true(outbox_goes_alone(&d.outbox));
    sends(&d, 0, 1);
    assert_int_equal(d.messages[0].sends, 4);
    assert_ptr_equal(break_at(&d, OUTBOX_BREAK_BY_ANSWER, 0), &d.messages[0]);
    assert_false(outbox_has_any(&d.outbox));
}

/* New ones too: they stream until one is confirmed, then they wait for it. */
static void new_ones_show_it_as_well(void **state) {
    (void)state;
    struct desk d;
    suspect(&d, 1);
    outbox_add(&d.outbox, &d.messages[1]);
    outbox_add(&d.outbox, &d.messages[2]);
    d.messages[1].sequence = 2, d.messages[2].sequence = 3;
    sends(&d, 1, 2);
    assert_true(outbox_is_resending(&d.outbox)); /* a Ping is due at once */
    outbox_add(&d.outbox, &d.messages[3]);
    confirms(&d, 1);
    assert_null(outbox_next(&d.outbox));
    confirms(&d, 1);
    sends(&d, 0, 1);
    confirms(&d, 1); /* it was innocent */
    sends(&d, 3, 1);
    assert_false(outbox_is_resending(&d.outbox));
}

/* An upstream that takes nothing at all, for some time, blames none. */
static void where_nothing_passes_none_is_refused(void **state) {
    (void)state;
    struct desk d;
    suspect(&d, 10);
    for (int64_t second = 1; second < 9; second++) {
        sends(&d, (size_t)second, 1);
        assert_null(break_at(&d, OUTBOX_BREAK_BY_ANSWER, second));
    }
    sends(&d, 9, 1);
    confirms(&d, 1);
    for (size_t i = 0; i < 9; i++) {
        sends(&d, i, 1);
        confirms(&d, 1);
    }
    assert_false(outbox_has_any(&d.outbox));
}

/* With nothing beside it, it has some time; after that the two breaks count. */
static void one_that_is_all_there_is(void **state) {
    (void)state;
    struct desk d;
    suspect(&d, 1);
    sends(&d, 0, 1);
    assert_null(break_at(&d, OUTBOX_BREAK_BY_ANSWER, 1));
    sends(&d, 0, 1);
    assert_ptr_equal(break_at(&d, OUTBOX_BREAK_BY_ANSWER, 2), &d.messages[0]);
}

static void in_company_none_is_suspected(void **state) {
    (void)state;
    struct desk d;
    suspect(&d, 1);
    for (int64_t second = 2; second < 9; second++) {
        sends(&d, 0, 1);
        outbox_accompanied(&d.outbox); /* by a refusal */
        assert_null(break_at(&d, OUTBOX_BREAK_BY_ANSWER, second));
    }
    sends(&d, 0, 1);
    assert_ptr_equal(break_at(&d, OUTBOX_BREAK_BY_ANSWER, 10), &d.messages[0]);
}

static void breaks_of_our_own_are_laid_to_none(void **state) {
    (void)state;
    struct desk d;
    for (int why = 0; why < OUTBOX_BREAK_BY_ANSWER; why++) {
        suspect(&d, 1);
        for (int64_t second = 2; second < 9; second++) {
            sends(&d, 0, 1);
            assert_null(break_at(&d, (enum outbox_break)why, second));
        }
    }
}

/* A break that no answer can be why of makes nobody go alone. */
static void breaks_of_others_do_not_count(void **state) {
    (void)state;
    struct desk d;
    for (int why = 0; why < OUTBOX_BREAK_BY_ANSWER; why++) {
        open_desk(&d, 40, 100);
        sends(&d, 0, 40);
        for (int i = 0; i < 2; i++)
            assert_null(break_at(&d, (enum outbox_break)why, 0));
        for (int i = 0; i < 3; i++) {
            sends(&d, 0, why == OUTBOX_BREAK_UNPROVED && i > 0 ? 1 : 32);
            assert_null(break_at(&d, (enum outbox_break)why, 0));
        }
    }
}

/* Nor where it is not on the line, or is confirmed. */
static void breaks_without_an_answer_are_laid_to_none(void **state) {
    (void)state;
    struct desk d;
    suspect(&d, 1);
    for (int64_t second = 2; second < 9; second++)
        assert_null(break_at(&d, OUTBOX_BREAK_BY_ANSWER, second));
    sends(&d, 0, 1);
    confirms(&d, 1);
    assert_null(break_at(&d, OUTBOX_BREAK_BY_ANSWER, 10));
    assert_false(outbox_has_any(&d.outbox));
}

static void old_ones_of_earlier_connections(void **state) {
    (void)state;
    struct desk d;
    open_desk(&d, 3, 100);
    for (int i = 0; i < 3; i++)
        d.messages[i].arrived = (monotime){100 + i};
    assert_null(outbox_take_old(&d.outbox, (monotime){1000}));
    sends(&d, 0, 3);
    breaks(&d);
    assert_null(outbox_take_old(&d.outbox, (monotime){99}));
    assert_ptr_equal(outbox_take_old(&d.outbox, (monotime){101}),
                     &d.messages[0]);
    assert_ptr_equal(outbox_take_old(&d.outbox, (monotime){101}),
                     &d.messages[1]);
    assert_null(outbox_take_old(&d.outbox, (monotime){101}));
    sends(&d, 2, 1);
}

/* What an earlier process left goes before what is new, in windows. */
static void found_answers_go_first(void **state) {
    (void)state;
    struct desk d;
    open_desk(&d, 1, 100);
    for (size_t i = 1; i < 40; i++)
        outbox_add_found(&d.outbox, &d.messages[i]);
    sends(&d, 1, 32);
    confirms(&d, 32);
    sends(&d, 33, 7);
    confirms(&d, 7);
    sends(&d, 0, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_break_all_goes_out),
        cmocka_unit_test(windows_by_answers),
        cmocka_unit_test(windows_by_bytes),
        cmocka_unit_test(what_is_let_pass_comes_again),
        cmocka_unit_test(after_two_breaks_one_at_a_time),
        cmocka_unit_test(who_goes_alone_has_no_company),
        cmocka_unit_test(one_that_fails_while_others_pass_is_refused),
        cmocka_unit_test(new_ones_show_it_as_well),
        cmocka_unit_test(where_nothing_passes_none_is_refused),
        cmocka_unit_test(one_that_is_all_there_is),
        cmocka_unit_test(in_company_none_is_suspected),
        cmocka_unit_test(breaks_of_our_own_are_laid_to_none),
        cmocka_unit_test(breaks_of_others_do_not_count),
        cmocka_unit_test(breaks_without_an_answer_are_laid_to_none),
        cmocka_unit_test(old_ones_of_earlier_connections),
        cmocka_unit_test(found_answers_go_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
