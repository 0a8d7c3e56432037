/* The pipeline's third part: answers that the upstream refuses or never takes.
 */
#ifndef FXWIRE_TESTS_UNIT_PIPELINE_REFUSED_H
#define FXWIRE_TESTS_UNIT_PIPELINE_REFUSED_H

#include "tests/unit/pipeline_sending.h"

#define TOO_BIG   1009
#define NOT_TAKEN "the answer was refused as too long (close code 1009)"

/*
 * Answers one request, and has it refused by breaks with that code: the fourth
 * would do if it were not alone in hand, so that it has two seconds to pass.
 */
static void have_refused(struct bench *b, unsigned code,
                         char text[BENCH_TEXT_SIZE]) {
    log_open("test", "error", "text", open("/dev/null", O_WRONLY | O_CLOEXEC));
    bench_request(b, 1, "EUR", PAST, 0);
    send_next(b, 0, text);
    for (int i = 1; i < 4; i++) {
        assert_false(bench_break(b, code));
        assert_int_equal(pipeline_goes_alone(b->pipeline), i >= 2);
        bench_expect_sent(b, i, text);
        assert_true(pipeline_is_resending(b->pipeline));
    }
    assert_false(bench_break_at(b, code, 2 * SECOND - 1));
    bench_expect_sent(b, 4, text);
    assert_string_equal(b->alerts, "");
    assert_true(bench_break_at(b, code, 2 * SECOND));
    assert_string_equal(b->alerts, "answer_refused;");
    assert_non_null(strstr(b->detail, "id 1, "));
    assert_non_null(strstr(b->detail, "sent 5 times: as it said"));
    assert_int_equal(strncmp(b->quarantined, text, strlen(text)), 0);
    bench_expect_metric(b, METRIC_ANSWERS_REFUSED, 1);
}

static void a_refused_answer_is_set_aside(void **state) {
    (void)state;
    struct bench b;
    char text[BENCH_TEXT_SIZE];
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    have_refused(&b, 1011, text);
    bench_expect_nothing(&b, 5);
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    bench_request(&b, 2, "EUR", PAST, 6);
    bench_expect_euro(&b, 2, "12", PAST, 6);
    bench_close(&b);
}

/* An alert shows a part of a long id, and no half of a character. */
static void a_long_id_is_cut_between_characters(void **state) {
    (void)state;
    struct bench b;
    char request[BENCH_TEXT_SIZE], id[BENCH_TEXT_SIZE] = "\"x";
    for (int i = 0; i < 40; i++)
        strcat(id, "\xe2\x82\xac");
    strcat(id, "\"");
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    log_open("test", "error", "text", open("/dev/null", O_WRONLY | O_CLOEXEC));
    sprintf(request, REQUEST("%s"), id);
    memcpy(strstr(request, "USD"), "EUR", 3);
    bench_receive(&b, request, 0);
    for (int i = 0; i < 4; i++) {
        send_next(&b, 0, request);
        assert_false(bench_break_at(&b, 0, 0));
    }
    send_next(&b, 0, request);
    assert_true(bench_break_at(&b, 0, 5 * SECOND));
    /* `"x` and twenty characters of three bytes, of 64 bytes that may be. */
    assert_non_null(strstr(b.detail, "\xac, "));
    const char *cut = strstr(b.detail, ", ");
    assert_int_equal(cut - strstr(b.detail, "\"x"), 62);
    bench_close(&b);
}

/* In its place a short error, once, whatever becomes of that. */
static void one_that_is_too_big_is_replaced(void **state) {
    (void)state;
    struct bench b;
    char text[BENCH_TEXT_SIZE];
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    have_refused(&b, TOO_BIG, text);
    send_next(&b, 5, text);
    assert_non_null(strstr(text, "\"id\":1,"));
    assert_non_null(strstr(text, NOT_TAKEN));
    for (int i = 0; i < 3; i++) {
        assert_false(bench_break(&b, TOO_BIG));
        bench_expect_sent(&b, 6, text);
    }
    assert_true(bench_break_at(&b, TOO_BIG, 2 * SECOND));
    bench_expect_nothing(&b, 7);
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    bench_expect_metric(&b, METRIC_ANSWERS_REFUSED, 2);
    bench_close(&b);
}

/* Each that is dropped says what was done with it, the first to a person. */
static void what_is_said_of_answers_that_expire(void **state) {
    (void)state;
    struct bench b;
    char text[BENCH_TEXT_SIZE];
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    log_open("test", "error", "text", STDERR_FILENO);
    bench_request(&b, 1, "EUR", PAST, 0);
    send_next(&b, 0, text);
    bench_reconnect(&b);
    bench_expect_sent(&b, 1, text);
    bench_request(&b, 2, "EUR", PAST, 2);
    bench_reconnect(&b);
    bench_expect_nothing(&b, 61 * SECOND);
    assert_string_equal(b.alerts, "answers_dropped;");
    assert_string_equal(b.detail, "sent 2 times, never confirmed");
    bench_request(&b, 3, "EUR", PAST, 62 * SECOND);
    bench_reconnect(&b);
    bench_expect_nothing(&b, 200 * SECOND);
    assert_string_equal(b.detail, "never sent: its turn did not come in time");
    bench_expect_metric(&b, METRIC_EXPIRED, 3);
    bench_close(&b);
}

#define REFUSED_TESTS                                                          \
    cmocka_unit_test(a_refused_answer_is_set_aside),                           \
        cmocka_unit_test(a_long_id_is_cut_between_characters),                 \
        cmocka_unit_test(one_that_is_too_big_is_replaced),                     \
        cmocka_unit_test(what_is_said_of_answers_that_expire)

#endif
