/* The pipeline's second part: answers, receipts, connections, bounds, the stop.
 */
#ifndef FXWIRE_TESTS_UNIT_PIPELINE_SENDING_H
#define FXWIRE_TESTS_UNIT_PIPELINE_SENDING_H

#include <fcntl.h>

#include "tests/unit/pipeline_bench.h"

#define PAST      "2021-05-18"
#define HOUR      (3600 * SECOND)
#define FULL      "too many messages are in hand"
#define TOO_LARGE "the message is larger than PENDING_MAX_BYTES can hold"
#define TOO_LONG  "the message is too long"
#define NOT_JSON  "the message is not valid JSON"

#define REQUEST(id)                                                            \
    "{\"type\":\"message\",\"id\":" id ",\"payload\":{\"stake\":12,"           \
    "\"currency\":\"USD\",\"date\":\"2021-05-18\"}}"

static void answers_stay_over_a_reconnect(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "EUR", PAST, 0);
    bench_request(&b, 2, "USD", PAST, 0);
    bench_request(&b, 3, "EUR", PAST, 0);
    bench_expect_euro(&b, 1, "12", PAST, 1);
    bench_reconnect(&b);
    bench_request(&b, 4, "EUR", PAST, 2);
    /* What was answered on the earlier connection comes first. */
    bench_expect_euro(&b, 3, "12", PAST, 3);
    bench_expect_metric(&b, METRIC_RETRIED, 1);
    bench_expect_euro(&b, 4, "12", PAST, 3);
    bench_expect_metric(&b, METRIC_RETRIED, 1);
    /* What waited for rates is answered on the later one. */
    bench_rates(&b, PAST, "", "one", "USD 1.2", 4, HOUR);
    bench_expect_euro(&b, 2, "10", PAST, 5);
    bench_expect_metric(&b, METRIC_RETRIED, 2);
    bench_expect_metric(&b, METRIC_RESPONSES, 4);
    bench_expect_nothing(&b, 5);
    bench_close(&b);
}

/* An answer that was lent and not sent is the next one again. */
static void a_lent_answer_is_not_a_sent_one(void **state) {
    (void)state;
    struct bench b;
    struct pipeline_item first, again;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "EUR", PAST, 0);
    assert_true(pipeline_next(b.pipeline, bench_at(1), &first));
    assert_true(pipeline_next(b.pipeline, bench_at(2), &again));
    assert_ptr_equal(first.text.data, again.text.data);
    assert_int_equal(first.position, again.position);
    assert_int_equal(pipeline_pending(b.pipeline), 1);
    bench_expect_metric(&b, METRIC_RESPONSES, 0);
    bench_expect_euro(&b, 1, "12", PAST, 3);
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    bench_close(&b);
}

static void old_answers_expire_across_a_break_only(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "EUR", PAST, 0);
    bench_request(&b, 2, "EUR", PAST, 1);
    bench_request(&b, 3, "EUR", PAST, 0);
    bench_request(&b, 4, "EUR", PAST, 2 * SECOND);
    bench_request(&b, 5, "EUR", PAST, 0);
    /* However late on the same connection. */
    bench_expect_euro(&b, 1, "12", PAST, 1000 * SECOND);
    bench_expect_metric(&b, METRIC_EXPIRED, 0);
    bench_reconnect(&b);
    bench_expect_euro(&b, 2, "12", PAST, 60 * SECOND);
    /* The third is 60.000001 s old, the fourth is not, the fifth is. */
    bench_expect_euro(&b, 4, "12", PAST, 60 * SECOND + 1);
    bench_expect_nothing(&b, 60 * SECOND + 1);
    bench_expect_metric(&b, METRIC_EXPIRED, 2);
    bench_expect_metric(&b, METRIC_RETRIED, 2);
    bench_expect_metric(&b, METRIC_RESPONSES, 3);
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    /* An error is an answer like others. */
    bench_receive(&b, "{", 0);
    bench_reconnect(&b);
    bench_expect_nothing(&b, 61 * SECOND);
    bench_expect_metric(&b, METRIC_EXPIRED, 3);
    bench_close(&b);
}

/* How many requests a small ledger takes before it refuses one. */
static int fill(struct bench *b) {
    int taken = 0;
    while (b->metrics.values[METRIC_REQUESTS_FULL] < 1) {
        assert_true(taken < 100);
        bench_request(b, taken++, "USD", PAST, 0);
    }
    return taken - 1;
}

static void a_full_ledger_refuses(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, 4096, "request");
    int taken = fill(&b);
    char id[16];
    sprintf(id, "%d", taken);
    assert_true(taken >= 4);
    assert_true(b.ready > 0);
    assert_int_equal(pipeline_pending(b.pipeline), taken + 1);
    bench_expect_error(&b, id, FULL, 1);
    /* Refused before it is read for its rate, a faulty one as well. */
    bench_request(&b, 98, "EUR", PAST, 1);
    bench_receive(&b,
                  "{\"type\":\"message\",\"id\":\"bad\",\"payload\":{\"stake\":"
                  "-1,\"currency\":\"USD\",\"date\":\"2021-05-18\",\"more\":"
                  "\"a message that is as long as the others, or longer\"}}",
                  1);
    bench_expect_error(&b, "98", FULL, 1);
    bench_expect_error(&b, "\"bad\"", FULL, 1);
    bench_expect_metric(&b, METRIC_REQUESTS_FULL, 3);
    /* Nothing that was taken is given up for them. */
    bench_rates(&b, PAST, "", "one", "USD 1.2", 2, HOUR);
    for (int i = 0; i < taken; i++)
        bench_expect_euro(&b, i, "10", PAST, 3);
    bench_expect_nothing(&b, 3);
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    /* There is room again. */
    bench_request(&b, 99, "USD", PAST, 4);
    bench_expect_euro(&b, 99, "10", PAST, 4);
    bench_close(&b);
}

/* Messages of 2000 and of 4000 bytes, in a ledger that is empty or is not. */
static void a_message_that_can_never_be_taken(void **state) {
    (void)state;
    struct bench b;
    char text[4096];
    bench_open(&b, 6000, "request");
    for (int taken = 0; taken <= 1; taken++) {
        for (int len = 2000; len <= 4000; len += 2000) {
            int start = sprintf(text, REQUEST("%d"), len);
            memset(text + start, ' ', (size_t)(len - start));
            text[len] = '\0';
            bench_receive(&b, text, taken);
        }
        if (taken == 1)
            bench_expect_error(&b, "2000", FULL, 1);
        bench_expect_error(&b, "4000", TOO_LARGE, 1);
        bench_expect_metric(&b, METRIC_REQUESTS_FULL, taken);
        bench_expect_metric(&b, METRIC_REQUESTS_INVALID, taken + 1);
    }
    bench_expect_nothing(&b, 1);
    assert_int_equal(pipeline_pending(b.pipeline), 1);
    bench_expect_asked(&b, PAST " ;");
    bench_close(&b);
}

static void refusals_are_not_kept_over_a_break(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, 4096, "request");
    int taken = fill(&b);
    bench_reconnect(&b);
    bench_expect_nothing(&b, 1);
    assert_int_equal(pipeline_pending(b.pipeline), taken);
    bench_close(&b);
}

/*
 * A refusal is on its way out when a message is answered: it is the refusal
 * that was sent, and the answer is still due.
 */
static void an_answer_that_comes_while_a_refusal_is_sent(void **state) {
    (void)state;
    struct bench b;
    struct pipeline_item item;
    bench_open(&b, 4096, "request");
    int taken = fill(&b);
    assert_true(pipeline_next(b.pipeline, bench_at(1), &item));
    bench_rates(&b, PAST, "", "one", "USD 1.2", 2, HOUR);
    pipeline_sent(b.pipeline, &item, bench_at(2));
    for (int i = 0; i < taken; i++)
        bench_expect_euro(&b, i, "10", PAST, 3);
    bench_expect_nothing(&b, 3);
    bench_close(&b);
}

static void more_than_a_mebibyte_of_refusals_is_too_much(void **state) {
    (void)state;
    struct bench b;
    /* An id as long as makes each refusal 1024 bytes. */
    char id[1024], text[2048];
    size_t around =
        strlen("{\"type\":\"error\",\"id\":\"\",\"message\":\"Unable "
               "to convert stake. Error: " TOO_LARGE "\"}");
    memset(id, 'x', sizeof id);
    id[sizeof id - around] = '\0';
    sprintf(text, "{\"id\":\"%s\",\"type\":\"message\",\"payload\":1}", id);
    bench_open(&b, 1024, "request");
    for (int i = 0; i < 1024; i++)
        bench_receive(&b, text, 0);
    assert_int_equal(pipeline_pending(b.pipeline), 1024);
    assert_false(pipeline_overloaded(b.pipeline));
    bench_receive(&b, text, 0);
    assert_true(pipeline_overloaded(b.pipeline));
    /* The next connection begins without them. */
    bench_reconnect(&b);
    assert_false(pipeline_overloaded(b.pipeline));
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    bench_close(&b);
}

static void errors_without_an_id_are_bounded(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    for (int i = 0; i < 25; i++)
        bench_receive(&b, "{", i);
    for (int i = 0; i < 10; i++)
        bench_expect_error(&b, "null", NOT_JSON, 30);
    bench_expect_nothing(&b, 30);
    bench_expect_metric(&b, METRIC_REQUESTS_INVALID, 10);
    bench_expect_metric(&b, METRIC_REQUESTS_UNANSWERED, 15);
    /* One that has an id, and one that is too long. */
    bench_receive(&b, "{\"id\":1,", 30);
    bench_expect_error(&b, "1", NOT_JSON, 30);
    pipeline_receive_too_long(b.pipeline, bench_now(30));
    bench_expect_nothing(&b, 30);
    bench_expect_metric(&b, METRIC_REQUESTS_UNANSWERED, 16);
    /* A new connection is no way around it. */
    bench_reconnect(&b);
    bench_receive(&b, "[]", 40);
    bench_expect_nothing(&b, 40);
    /* Each of the ten is forgotten a second after it. */
    bench_receive(&b, "{", SECOND - 1);
    bench_expect_nothing(&b, SECOND - 1);
    bench_receive(&b, "{", SECOND);
    bench_receive(&b, "{", SECOND);
    bench_expect_error(&b, "null", NOT_JSON, SECOND);
    bench_expect_nothing(&b, SECOND);
    bench_close(&b);
}

/* Bounded, too, where the ledger has no room for them. */
static void refusals_without_an_id_are_bounded(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, 1, "request");
    for (int i = 0; i < 12; i++)
        bench_receive(&b, "{\"type\":\"message\",\"id\":null}", 0);
    for (int i = 0; i < 10; i++)
        bench_expect_error(&b, "null", TOO_LARGE, 0);
    bench_expect_nothing(&b, 0);
    bench_close(&b);
}

static void messages_that_are_too_long(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    pipeline_receive_too_long(b.pipeline, bench_now(0));
    assert_int_equal(b.ready, 1);
    assert_int_equal(pipeline_pending(b.pipeline), 1);
    bench_expect_error(&b, "null", TOO_LONG, 1);
    bench_expect_metric(&b, METRIC_REQUESTS_INVALID, 1);
    pipeline_stop(b.pipeline);
    pipeline_receive_too_long(b.pipeline, bench_now(2));
    bench_expect_nothing(&b, 2);
    bench_close(&b);
}

static void a_stop_takes_nothing_new(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, 4096, "request");
    int taken = fill(&b);
    char id[16];
    sprintf(id, "%d", taken);
    int ready = b.ready;
    pipeline_stop(b.pipeline);
    bench_request(&b, 50, "EUR", PAST, 1);
    bench_receive(&b, "{", 1);
    bench_receive(&b, "{\"type\":\"message\",\"id\":51}", 1);
    assert_true(bench_receive(&b, "{\"type\":\"heartbeat\"}", 1));
    assert_int_equal(b.ready, ready);
    assert_int_equal(pipeline_pending(b.pipeline), taken + 1);
    /* What is in hand is answered. */
    bench_expect_error(&b, id, FULL, 2);
    bench_rates(&b, PAST, "", "one", "USD 1.2", 2, HOUR);
    for (int i = 0; i < taken; i++)
        bench_expect_euro(&b, i, "10", PAST, 3);
    bench_expect_nothing(&b, 3);
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    bench_close(&b);
}

/* The next answer, as a NUL-terminated copy; it is sent, not confirmed. */
static uint64_t send_next(struct bench *b, int64_t at,
                          char text[BENCH_TEXT_SIZE]) {
    struct pipeline_item item;
    assert_true(pipeline_next(b->pipeline, bench_at(at), &item));
    snprintf(text, BENCH_TEXT_SIZE, "%.*s", (int)item.text.len, item.text.data);
    pipeline_sent(b->pipeline, &item, bench_at(at));
    return item.position;
}

static void what_is_confirmed_is_done_with(void **state) {
    (void)state;
    struct bench b;
    char text[BENCH_TEXT_SIZE];
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    for (int id = 1; id <= 4; id++)
        bench_request(&b, id, "EUR", PAST, id);
    for (uint64_t position = 1; position <= 3; position++)
        assert_int_equal(send_next(&b, 5, text), position);
    assert_int_equal(pipeline_pending(b.pipeline), 4);
    pipeline_confirmed(b.pipeline, 0);
    assert_int_equal(pipeline_pending(b.pipeline), 4);
    pipeline_confirmed(b.pipeline, 2);
    assert_int_equal(pipeline_pending(b.pipeline), 2);
    pipeline_confirmed(b.pipeline, 2);
    assert_int_equal(pipeline_pending(b.pipeline), 2);
    /* What was not sent is not confirmed, whatever is claimed. */
    pipeline_confirmed(b.pipeline, 100);
    assert_int_equal(pipeline_pending(b.pipeline), 1);
    assert_int_equal(send_next(&b, 6, text), 4);
    pipeline_confirmed(b.pipeline, 4);
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    bench_expect_nothing(&b, 6);
    bench_close(&b);
}

/* A refusal is not in the ledger: it needs no receipt. */
static void a_refusal_needs_no_receipt(void **state) {
    (void)state;
    struct bench b;
    char text[BENCH_TEXT_SIZE];
    bench_open(&b, 1, "request");
    bench_request(&b, 1, "EUR", PAST, 0);
    assert_int_equal(send_next(&b, 1, text), 0);
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    bench_close(&b);
}

/* Byte for byte, though time has passed; oldest first, before newer ones. */
static void a_break_repeats_what_is_unconfirmed(void **state) {
    (void)state;
    struct bench b;
    char texts[4][BENCH_TEXT_SIZE];
    bench_open(&b, BENCH_LEDGER_BYTES, "now");
    for (int i = 0; i < 4; i++) {
        bench_request(&b, i, "EUR", PAST, i);
        send_next(&b, i, texts[i]);
    }
    pipeline_confirmed(b.pipeline, 1);
    bench_expect_metric(&b, METRIC_RETRIED, 0);
    fake_wall_ms += 1000;
    bench_reconnect(&b);
    bench_request(&b, 4, "EUR", PAST, SECOND);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(bench_expect_sent(&b, SECOND, texts[i]), i);
    bench_expect_metric(&b, METRIC_RETRIED, 3);
    pipeline_confirmed(b.pipeline, 2);
    fake_wall_ms += 1000;
    bench_reconnect(&b);
    /* The last of the first ones, and then what was never sent. */
    bench_expect(&b, 2 * SECOND, texts[3]);
    bench_expect_euro(&b, 4, "12", "2026-11-21T12:00:01.000Z", 2 * SECOND);
    bench_expect_nothing(&b, 2 * SECOND);
    bench_expect_metric(&b, METRIC_RETRIED, 5);
    bench_expect_metric(&b, METRIC_RESPONSES, 9);
    /* The time to the answer is that of its first sending. */
    bench_expect_metric(&b, METRIC_REQUEST_ALL, 5);
    bench_close(&b);
}

/* What was sent before, the oldest first; then what was not, in that order. */
static void a_break_brings_the_order_of_arrival_back(void **state) {
    (void)state;
    struct bench b;
    char text[BENCH_TEXT_SIZE], wanted[32], date[16];
    static const int answered[] = {2, 7, 1, 5, 4, 8, 3, 6};
    static const int after[] = {1, 4, 5, 3, 8, 6};
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    for (int id = 1; id <= 8; id++) {
        sprintf(date, "2021-05-1%d", id);
        bench_request(&b, id, "USD", date, id);
    }
    for (uint64_t i = 0; i < COUNT_OF(answered); i++) {
        if (i == 7) { /* five were sent by now, and two of them arrived */
            pipeline_confirmed(b.pipeline, 2);
            bench_reconnect(&b);
        }
        sprintf(date, "2021-05-1%d", answered[i]);
        bench_rates(&b, date, "", "one", "USD 2", 10, HOUR);
        if (i < 5)
            assert_int_equal(send_next(&b, 10, text), i + 1);
    }
    for (uint64_t i = 0; i < COUNT_OF(after); i++) {
        assert_int_equal(send_next(&b, 10, text), i + 1);
        pipeline_confirmed(b.pipeline, i + 1);
        sprintf(wanted, "\"id\":%d,", after[i]);
        if (strstr(text, wanted) == NULL)
            fail_msg("%s comes in the place of %s", text, wanted);
    }
    bench_expect_nothing(&b, 10);
    bench_close(&b);
}

/* What `show_messages` adds to the log, and what without it stays out. */
static void messages_are_shown_on_demand(void **state) {
    (void)state;
    static const char *const parts[] = {" request {\"", " response {\"",
                                        "\"stake\":12,", "\"stake\":6,"};
    for (int show = 0; show <= 1; show++) {
        struct bench b;
        int ends[2];
        char text[4096] = "";
        bench_open(&b, BENCH_LEDGER_BYTES, "request");
        pipeline_free(&b.pipeline);
        struct pipeline_ports ports = bench_ports(&b);
        b.pipeline =
            pipeline_new(b.settings, b.ledger, &b.metrics, &ports, show);
        assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
        log_open("test", "error", "text", ends[1]);
        bench_rates(&b, PAST, "", "one", "USD 2", 0, HOUR);
        bench_request(&b, 2, "USD", PAST, 0);
        bench_expect_euro(&b, 2, "6", PAST, 0);
        ssize_t len = read(ends[0], text, sizeof text - 1);
        if ((len > 0) != show)
            fail_msg("shown: %s", text);
        for (size_t i = 0; show && i < COUNT_OF(parts); i++)
            if (strstr(text, parts[i]) == NULL)
                fail_msg("`%s` is not in: %s", parts[i], text);
        close(ends[0]);
        close(ends[1]);
        bench_close(&b);
    }
}

/* From the arrival to the answer's sending, in cumulative buckets. */
static void the_time_to_the_answer_is_measured(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "EUR", PAST, 0);
    bench_expect_euro(&b, 1, "12", PAST, 2 * SECOND);
    bench_expect_metric(&b, METRIC_REQUEST_UNDER_1S, 0);
    bench_expect_metric(&b, METRIC_REQUEST_UNDER_10S, 1);
    bench_expect_metric(&b, METRIC_REQUEST_ALL, 1);
    bench_expect_metric(&b, METRIC_REQUEST_SUM, 2);
    bench_close(&b);
}

#endif
