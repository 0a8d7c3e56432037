/* The pipeline: who is answered with what, asked for what, and when. */
#include "tests/unit/pipeline_bench.h"
#include "tests/unit/pipeline_recovery.h"
#include "tests/unit/pipeline_refused.h"
#include "tests/unit/pipeline_sending.h"

#define TIMEOUT  "no rate came in time"
#define NO_RATES "no rates can be had for this date"
#define NO_SUCH  "no rate of this currency for this date"

static void a_known_day_costs_no_question(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_rates(&b, PAST, "", "one", "USD 1.2 JPY 130", 0, HOUR);
    bench_expect_nothing(&b, 0);
    bench_request(&b, 1, "USD", PAST, 1);
    assert_int_equal(b.ready, 1);
    bench_request(&b, 2, "JPY", PAST "T23:59:59.999Z", 2);
    assert_int_equal(b.ready, 1); /* told once for a batch */
    assert_int_equal(pipeline_pending(b.pipeline), 2);
    bench_expect_euro(&b, 1, "10", PAST, 3);
    bench_expect_euro(&b, 2, "0.09231", PAST "T23:59:59.999Z", 3);
    bench_expect_nothing(&b, 3);
    bench_expect_asked(&b, "");
    assert_int_equal(b.alarms, 0);
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    bench_expect_metric(&b, METRIC_REQUESTS_CONVERTED, 2);
    bench_expect_metric(&b, METRIC_RESPONSES, 2);
    bench_expect_metric(&b, METRIC_REQUEST_ALL, 2);
    bench_expect_metric(&b, METRIC_RETRIED, 0);
    bench_request(&b, 3, "USD", PAST, 3);
    assert_int_equal(b.ready, 2);
    bench_close(&b);
}

static void euro_needs_no_rates(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "EUR", PAST, 0);
    bench_expect_euro(&b, 1, "12", PAST, 0);
    bench_receive(&b,
                  "{\"type\":\"message\",\"id\":2,\"payload\":{\"stake\":"
                  "2.000005,\"currency\":\"\\u0045UR\",\"date\":"
                  "\"2021-05-18\"}}",
                  0);
    bench_expect(&b, 0,
                 "{\"type\":\"message\",\"id\":2,\"payload\":{\"stake\":"
                 "2.00001,\"currency\":\"EUR\",\"date\":\"2021-05-18\"}}");
    bench_expect_asked(&b, "");
    bench_close(&b);
}

static void the_date_of_a_response_is_now(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "now");
    bench_request(&b, 1, "EUR", PAST, 0);
    bench_request(&b, 2, "USD", PAST, 0);
    fake_wall_ms = FAKE_NOON_MS + 1234;
    bench_expect_euro(&b, 1, "12", "2026-11-21T12:00:00.000Z", 1);
    bench_rates(&b, PAST, "", "one", "USD 1.2", 1, HOUR);
    bench_expect_euro(&b, 2, "10", "2026-11-21T12:00:01.234Z", 1);
    bench_close(&b);
}

static void many_messages_of_a_day_ask_once(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    for (int id = 0; id < 100; id++)
        bench_request(&b, id, id % 2 == 0 ? "USD" : "JPY", PAST, id);
    bench_expect_asked(&b, PAST " ;");
    bench_expect_nothing(&b, 100);
    assert_int_equal(b.ready, 0);
    assert_int_equal(pipeline_pending(b.pipeline), 100);
    bench_rates(&b, PAST, "", "one", "USD 1.2 JPY 120", 100, HOUR);
    assert_true(b.ready > 0);
    for (int id = 0; id < 100; id++)
        bench_expect_euro(&b, id, id % 2 == 0 ? "10" : "0.1", PAST, 100);
    bench_expect_nothing(&b, 100);
    bench_expect_asked(&b, "");
    bench_close(&b);
}

static void days_are_asked_for_apart(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "USD", PAST, 0);
    bench_request(&b, 2, "USD", "2021-05-17T23:00:00Z", 0);
    bench_request(&b, 3, "USD", "2026-11-21", 0);
    bench_request(&b, 4, "USD", "2021-05-19T01:00:00+02:00", 0);
    bench_request(&b, 5, "USD", "2026-11-21T23:00:00Z", 0);
    bench_request(&b, 6, "USD", "2026-11-20", 0);
    bench_expect_asked(&b, "2021-05-18 ;2021-05-17 ;latest ;2026-11-20 ;");
    bench_rates(&b, "latest", "", "one", "USD 2", 1, HOUR);
    bench_expect_euro(&b, 3, "6", "2026-11-21", 1);
    bench_expect_euro(&b, 5, "6", "2026-11-21T23:00:00Z", 1);
    bench_rates(&b, PAST, "", "one", "USD 3", 1, HOUR);
    bench_expect_euro(&b, 1, "4", PAST, 1);
    bench_expect_euro(&b, 4, "4", "2021-05-19T01:00:00+02:00", 1);
    bench_rates(&b, "2021-05-17", "", "one", "USD 4", 1, HOUR);
    bench_expect_euro(&b, 2, "3", "2021-05-17T23:00:00Z", 1);
    bench_expect_nothing(&b, 1);
    bench_rates(&b, "2026-11-20", "", "one", "USD 1", 1, HOUR);
    bench_expect_euro(&b, 6, "12", "2026-11-20", 1);
    bench_close(&b);
}

static void a_currency_that_the_table_lacks_is_asked_for(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "XAF", PAST, 0);
    bench_request(&b, 2, "USD", PAST, 0);
    bench_request(&b, 3, "XPF", PAST, 0);
    bench_request(&b, 4, "XAF", PAST, 0);
    bench_expect_asked(&b, PAST " ;");
    bench_rates(&b, PAST, "", "one", "USD 1.2", 1, HOUR);
    bench_expect_euro(&b, 2, "10", PAST, 1);
    bench_expect_nothing(&b, 1);
    bench_expect_asked(&b, PAST " XAF;" PAST " XPF;");
    bench_request(&b, 5, "XAF", PAST, 2);
    bench_expect_asked(&b, "");
    bench_rates(&b, PAST, "XAF", "two", "USD 9 XAF 6", 3, HOUR);
    bench_expect_euro(&b, 1, "2", PAST, 3);
    bench_expect_euro(&b, 4, "2", PAST, 3);
    bench_expect_euro(&b, 5, "2", PAST, 3);
    bench_expect_nothing(&b, 3);
    /* Both tables serve from now on; the first one is preferred. */
    bench_request(&b, 6, "USD", PAST, 4);
    bench_request(&b, 7, "XAF", PAST, 4);
    bench_expect_euro(&b, 6, "10", PAST, 4);
    bench_expect_euro(&b, 7, "2", PAST, 4);
    bench_expect_asked(&b, "");
    bench_no_rates(&b, PAST, "XPF", true);
    bench_expect_error(&b, "3", NO_SUCH, 4);
    bench_close(&b);
}

/* The first provider's table is in dollars; what it lacks is in another. */
static void tables_with_another_base_convert_too(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "JPY", PAST, 0);
    bench_request(&b, 2, "USD", PAST, 0);
    bench_request(&b, 3, "XAF", PAST, 0);
    bench_rates_of_base(&b, "USD", PAST, "", "one", "EUR 0.7 JPY 3", 1, HOUR);
    bench_expect_euro(&b, 1, "2.8", PAST, 1);
    bench_expect_euro(&b, 2, "8.4", PAST, 1);
    bench_expect_asked(&b, PAST " ;" PAST " XAF;");
    bench_rates(&b, PAST, "XAF", "two", "USD 9 XAF 6", 2, HOUR);
    bench_expect_euro(&b, 3, "2", PAST, 2);
    bench_request(&b, 4, "USD", PAST, 3);
    bench_expect_euro(&b, 4, "8.4", PAST, 3);
    bench_close(&b);
}

static void an_unknown_currency_is_remembered_with_its_tables(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_rates(&b, PAST, "", "one", "USD 1.2", 0, 10 * SECOND);
    bench_request(&b, 1, "XTS", PAST, 1);
    bench_request(&b, 2, "XTS", PAST, 1);
    bench_expect_asked(&b, PAST " XTS;");
    bench_no_rates(&b, PAST, "XTS", true);
    bench_expect_error(&b, "1", NO_SUCH, 2);
    bench_expect_error(&b, "2", NO_SUCH, 2);
    bench_request(&b, 3, "XTS", PAST, 3);
    bench_expect_error(&b, "3", NO_SUCH, 3);
    bench_request(&b, 4, "USD", PAST, 3);
    bench_expect_euro(&b, 4, "10", PAST, 3);
    bench_expect_asked(&b, "");
    /* Of another day nothing is known. */
    bench_request(&b, 5, "XTS", "2021-05-17", 3);
    bench_expect_asked(&b, "2021-05-17 ;");
    bench_no_rates(&b, "2021-05-17", "", false);
    bench_expect_error(&b, "5", NO_RATES, 3);
    /* The table's time is over, and with it what was missing in it. */
    bench_request(&b, 6, "XTS", PAST, 10 * SECOND);
    bench_expect_asked(&b, PAST " ;");
    bench_rates(&b, PAST, "", "one", "USD 1.2", 10 * SECOND, 20 * SECOND);
    bench_expect_asked(&b, PAST " XTS;");
    bench_rates(&b, PAST, "XTS", "two", "XTS 4", 10 * SECOND, 20 * SECOND);
    bench_expect_euro(&b, 6, "3", PAST, 10 * SECOND);
    bench_expect_metric(&b, METRIC_REQUESTS_NO_RATE, 4);
    bench_close(&b);
}

static void no_rates_are_an_error_and_not_remembered(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "USD", PAST, 0);
    bench_request(&b, 2, "JPY", PAST, 0);
    bench_request(&b, 3, "USD", "2021-05-17", 0);
    bench_expect_asked(&b, PAST " ;2021-05-17 ;");
    bench_no_rates(&b, PAST, "", false);
    bench_expect_error(&b, "1", NO_RATES, 1);
    bench_expect_error(&b, "2", NO_RATES, 1);
    bench_expect_nothing(&b, 1);
    bench_request(&b, 4, "USD", PAST, 2);
    bench_expect_asked(&b, PAST " ;");
    bench_rates(&b, PAST, "", "one", "USD 1.2", 3, HOUR);
    bench_expect_euro(&b, 4, "10", PAST, 3);
    /* That no provider could be asked for a currency is not, either. */
    bench_request(&b, 5, "XAF", PAST, 3);
    bench_no_rates(&b, PAST, "XAF", false);
    bench_expect_error(&b, "5", NO_RATES, 3);
    b.asked[0] = '\0';
    bench_request(&b, 6, "XAF", PAST, 3);
    bench_expect_asked(&b, PAST " XAF;");
    bench_rates(&b, PAST, "XAF", "two", "XAF 6", 3, HOUR);
    bench_expect_euro(&b, 6, "2", PAST, 3);
    /* An answer to a question that nobody has is no harm. */
    bench_no_rates(&b, PAST, "", false);
    bench_no_rates(&b, "2020-01-01", "XAF", true);
    bench_expect_nothing(&b, 4);
    bench_expect_metric(&b, METRIC_REQUESTS_NO_RATE, 3);
    bench_close(&b);
}

static void a_table_serves_until_its_end(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_rates(&b, PAST, "", "one", "USD 1.2", 0, 10 * SECOND);
    bench_request(&b, 1, "USD", PAST, 10 * SECOND - 1);
    bench_expect_euro(&b, 1, "10", PAST, 10 * SECOND);
    bench_expect_asked(&b, "");
    bench_request(&b, 2, "USD", PAST, 10 * SECOND);
    bench_expect_nothing(&b, 10 * SECOND);
    bench_expect_asked(&b, PAST " ;");
    /* A table without any time of its own answers what waits for it. */
    bench_rates(&b, PAST, "", "one", "USD 2", 11 * SECOND, 11 * SECOND);
    bench_expect_euro(&b, 2, "6", PAST, 11 * SECOND);
    bench_request(&b, 3, "USD", PAST, 11 * SECOND);
    bench_expect_asked(&b, PAST " ;");
    bench_close(&b);
}

static void alarm_at(struct bench *b, int64_t at) {
    fake_monotonic_usec = bench_at(at).usec;
    pipeline_alarm(b->pipeline, bench_at(at));
}

static void who_waits_too_long_gets_an_error(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "USD", PAST, 0);
    assert_int_equal(b.alarm.usec, bench_at(5 * SECOND).usec);
    bench_request(&b, 2, "USD", "2021-05-17", 1 * SECOND);
    bench_request(&b, 3, "USD", PAST, 2 * SECOND);
    assert_int_equal(b.alarms, 1);
    alarm_at(&b, 5 * SECOND - 1);
    bench_expect_nothing(&b, 5 * SECOND - 1);
    assert_int_equal(b.alarm.usec, bench_at(5 * SECOND).usec);
    alarm_at(&b, 5 * SECOND);
    bench_expect_error(&b, "1", TIMEOUT, 5 * SECOND);
    bench_expect_nothing(&b, 5 * SECOND);
    assert_int_equal(b.alarm.usec, bench_at(6 * SECOND).usec);
    alarm_at(&b, 6 * SECOND);
    bench_expect_error(&b, "2", TIMEOUT, 6 * SECOND);
    assert_int_equal(b.alarm.usec, bench_at(7 * SECOND).usec);
    bench_expect_asked(&b, PAST " ;2021-05-17 ;");
    /* The question of the third is still open; that of the second is not. */
    bench_request(&b, 4, "USD", PAST, 6 * SECOND);
    bench_request(&b, 5, "USD", "2021-05-17", 6 * SECOND);
    bench_expect_asked(&b, "2021-05-17 ;");
    bench_rates(&b, PAST, "", "one", "USD 1.2", 6500000, HOUR);
    bench_expect_euro(&b, 3, "10", PAST, 6500000);
    bench_expect_euro(&b, 4, "10", PAST, 6500000);
    assert_int_equal(b.alarm.usec, bench_at(11 * SECOND).usec);
    bench_expect_metric(&b, METRIC_REQUESTS_TIMEOUT, 2);
    bench_close(&b);
}

static void the_alarm_is_set_anew_after_all_is_answered(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "USD", PAST, 0);
    bench_rates(&b, PAST, "", "one", "USD 1.2", 1, HOUR);
    bench_request(&b, 2, "USD", "2021-05-17", 2 * SECOND);
    assert_int_equal(b.alarm.usec, bench_at(7 * SECOND).usec);
    bench_no_rates(&b, "2021-05-17", "", false);
    bench_request(&b, 3, "USD", "2021-05-16", 3 * SECOND);
    assert_int_equal(b.alarm.usec, bench_at(8 * SECOND).usec);
    alarm_at(&b, 8 * SECOND);
    bench_request(&b, 4, "USD", "2021-05-15", 9 * SECOND);
    assert_int_equal(b.alarm.usec, bench_at(14 * SECOND).usec);
    bench_expect_euro(&b, 1, "10", PAST, 9 * SECOND);
    bench_expect_error(&b, "2", NO_RATES, 9 * SECOND);
    bench_expect_error(&b, "3", TIMEOUT, 9 * SECOND);
    bench_expect_nothing(&b, 9 * SECOND);
    bench_close(&b);
}

/* The second wait does not begin the time again. */
static void the_time_counts_from_the_arrival(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "XAF", PAST, 0);
    bench_rates(&b, PAST, "", "one", "USD 1.2", 4 * SECOND, HOUR);
    bench_expect_asked(&b, PAST " ;" PAST " XAF;");
    assert_int_equal(b.alarm.usec, bench_at(5 * SECOND).usec);
    alarm_at(&b, 5 * SECOND);
    bench_expect_error(&b, "1", TIMEOUT, 5 * SECOND);
    bench_close(&b);
}

/*
 * An older message may come to a question behind a younger one: the table was
 * over for the one and new for the other. It is not late for that.
 */
static void an_older_message_behind_a_younger_is_not_late(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "XAF", PAST, 0);
    bench_rates(&b, PAST, "USD", "one", "USD 1.2", 1 * SECOND, HOUR);
    bench_request(&b, 2, "XAF", PAST, 2 * SECOND);
    bench_rates(&b, PAST, "", "one", "USD 1.2", 3 * SECOND, HOUR);
    bench_expect_asked(&b, PAST " ;" PAST " XAF;");
    assert_int_equal(b.alarm.usec, bench_at(5 * SECOND).usec);
    alarm_at(&b, 5 * SECOND);
    bench_expect_error(&b, "1", TIMEOUT, 5 * SECOND);
    bench_expect_nothing(&b, 5 * SECOND);
    alarm_at(&b, 7 * SECOND);
    bench_expect_error(&b, "2", TIMEOUT, 7 * SECOND);
    bench_close(&b);
}

/* What waited over midnight is served by the rates that it waited for. */
static void midnight_passes_while_a_message_waits(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    fake_wall_ms = FAKE_NOON_MS + 12 * 3600 * 1000 - 500;
    bench_request(&b, 1, "USD", "2026-11-21T11:59:59Z", 0);
    bench_request(&b, 2, "XAF", "2026-11-21T11:59:59Z", 0);
    bench_expect_asked(&b, "latest ;");
    fake_wall_ms += 500;
    bench_rates(&b, "latest", "", "one", "USD 1.2", 1, HOUR);
    bench_expect_euro(&b, 1, "10", "2026-11-21T11:59:59Z", 1);
    bench_expect_asked(&b, "latest XAF;");
    bench_rates(&b, "latest", "XAF", "two", "XAF 6", 2, HOUR);
    bench_expect_euro(&b, 2, "2", "2026-11-21T11:59:59Z", 2);
    /* For who comes now it is yesterday's date. */
    bench_request(&b, 3, "USD", "2026-11-21T11:59:59Z", 3);
    bench_expect_asked(&b, "2026-11-21 ;");
    bench_close(&b);
}

static void ratefetcher_comes_back_and_is_asked_again(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    pipeline_ask_again(b.pipeline);
    bench_expect_asked(&b, "");
    bench_rates(&b, PAST, "", "one", "USD 1.2", 0, HOUR);
    bench_request(&b, 1, "XAF", PAST, 0);
    bench_request(&b, 2, "USD", "2021-05-17", 0);
    bench_expect_asked(&b, PAST " XAF;2021-05-17 ;");
    pipeline_ask_again(b.pipeline);
    bench_expect_asked(&b, PAST " XAF;2021-05-17 ;");
    bench_no_rates(&b, "2021-05-17", "", false);
    pipeline_ask_again(b.pipeline);
    bench_expect_asked(&b, PAST " XAF;");
    bench_close(&b);
}

/* Those that were not taken are asked later, oldest first; others not twice. */
static void what_could_not_be_asked_is_asked_later(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "USD", PAST, 0);
    bench_expect_asked(&b, PAST " ;");
    b.refuses = 3;
    bench_request(&b, 2, "USD", "2021-05-17", 0);
    bench_request(&b, 3, "USD", "2021-05-16", 0);
    pipeline_ask_rest(b.pipeline);
    bench_expect_asked(&b, "2021-05-16 ;");
    pipeline_ask_rest(b.pipeline);
    bench_expect_asked(&b, "2021-05-17 ;");
    pipeline_ask_rest(b.pipeline);
    bench_expect_asked(&b, "");
    b.refuses = 1;
    pipeline_ask_again(b.pipeline);
    bench_expect_asked(&b, "2021-05-17 ;2021-05-16 ;");
    pipeline_ask_rest(b.pipeline);
    bench_expect_asked(&b, PAST " ;");
    bench_close(&b);
}

static void kinds_of_messages(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    assert_true(bench_receive(&b, "{\"type\":\"heartbeat\"}", 0));
    assert_true(bench_receive(&b, "{\"n\":1,\"type\":\"heartbeat\"}", 0));
    assert_false(bench_receive(&b, "{\"type\":\"error\",\"id\":1}", 0));
    assert_false(bench_receive(&b, "{\"type\":\"other\",\"id\":1}", 0));
    assert_false(bench_receive(&b, "{\"id\":1}", 0));
    bench_expect_nothing(&b, 0);
    assert_int_equal(b.ready, 0);
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    bench_expect_metric(&b, METRIC_REQUESTS_IGNORED, 3);
    assert_false(bench_receive(&b, "{\"type\":\"heartbeat\"", 0));
    bench_expect_error(&b, "null", NOT_JSON, 0);
    bench_receive(&b, "{\"type\":\"message\",\"id\":\"x\"}", 0);
    bench_expect_error(&b, "\"x\"", "payload must be an object", 0);
    bench_expect_metric(&b, METRIC_REQUESTS_INVALID, 2);
    /* Two messages with one id are two requests. */
    bench_request(&b, 5, "EUR", PAST, 0);
    bench_request(&b, 5, "EUR", PAST, 0);
    bench_expect_euro(&b, 5, "12", PAST, 0);
    bench_expect_euro(&b, 5, "12", PAST, 0);
    bench_close(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_day_costs_no_question),
        cmocka_unit_test(euro_needs_no_rates),
        cmocka_unit_test(the_date_of_a_response_is_now),
        cmocka_unit_test(many_messages_of_a_day_ask_once),
        cmocka_unit_test(days_are_asked_for_apart),
        cmocka_unit_test(a_currency_that_the_table_lacks_is_asked_for),
        cmocka_unit_test(tables_with_another_base_convert_too),
        cmocka_unit_test(an_unknown_currency_is_remembered_with_its_tables),
        cmocka_unit_test(no_rates_are_an_error_and_not_remembered),
        cmocka_unit_test(a_table_serves_until_its_end),
        cmocka_unit_test(who_waits_too_long_gets_an_error),
        cmocka_unit_test(the_alarm_is_set_anew_after_all_is_answered),
        cmocka_unit_test(the_time_counts_from_the_arrival),
        cmocka_unit_test(an_older_message_behind_a_younger_is_not_late),
        cmocka_unit_test(midnight_passes_while_a_message_waits),
        cmocka_unit_test(ratefetcher_comes_back_and_is_asked_again),
        cmocka_unit_test(what_could_not_be_asked_is_asked_later),
        cmocka_unit_test(kinds_of_messages),
        cmocka_unit_test(answers_stay_over_a_reconnect),
        cmocka_unit_test(a_lent_answer_is_not_a_sent_one),
        cmocka_unit_test(old_answers_expire_across_a_break_only),
        cmocka_unit_test(a_full_ledger_refuses),
        cmocka_unit_test(a_message_that_can_never_be_taken),
        cmocka_unit_test(refusals_are_not_kept_over_a_break),
        cmocka_unit_test(an_answer_that_comes_while_a_refusal_is_sent),
        cmocka_unit_test(more_than_a_mebibyte_of_refusals_is_too_much),
        cmocka_unit_test(errors_without_an_id_are_bounded),
        cmocka_unit_test(refusals_without_an_id_are_bounded),
        cmocka_unit_test(messages_that_are_too_long),
        cmocka_unit_test(a_stop_takes_nothing_new),
        cmocka_unit_test(the_time_to_the_answer_is_measured),
        cmocka_unit_test(messages_are_shown_on_demand),
        RECOVERY_TESTS,
        REFUSED_TESTS,
    };
    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
