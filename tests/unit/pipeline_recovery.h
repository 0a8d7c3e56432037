/* The pipeline's third part: what is too old, and what a successor finds. */
#ifndef FXWIRE_TESTS_UNIT_PIPELINE_RECOVERY_H
#define FXWIRE_TESTS_UNIT_PIPELINE_RECOVERY_H

#include "tests/unit/ledger_folder.h"
#include "tests/unit/pipeline_sending.h"

/* The TTL counts from the request's arrival, not from the sending. */
static void a_repeated_answer_expires(void **state) {
    (void)state;
    struct bench b;
    char text[BENCH_TEXT_SIZE];
    bench_open(&b, BENCH_LEDGER_BYTES, "request");
    bench_request(&b, 1, "EUR", PAST, 0);
    bench_request(&b, 2, "EUR", PAST, 1);
    bench_request(&b, 3, "EUR", PAST, 2 * SECOND);
    for (int i = 0; i < 3; i++)
        send_next(&b, 59 * SECOND, text);
    bench_reconnect(&b);
    assert_non_null(strstr(text, "\"id\":3"));
    bench_expect_sent(&b, 61 * SECOND, text);
    bench_expect_nothing(&b, 61 * SECOND);
    bench_expect_metric(&b, METRIC_EXPIRED, 2);
    /* One alert each time, however many they are. */
    assert_string_equal(b.alerts, "answers_dropped;");
    bench_reconnect(&b);
    bench_expect_nothing(&b, 62 * SECOND);
    bench_expect_metric(&b, METRIC_EXPIRED, 3);
    assert_string_equal(b.alerts, "answers_dropped;answers_dropped;");
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    bench_close(&b);
}

/* This process is gone without a word, and another begins. */
static void begin_again(struct bench *b, const struct room *room, int64_t at) {
    bench_end(b);
    fake_monotonic_usec = bench_at(at).usec;
    bench_begin(b, room->path, BENCH_LEDGER_BYTES);
    pipeline_recover(b->pipeline, bench_now(at));
}

static void open_in_room(struct bench *b, const struct room *room,
                         const char *date) {
    bench_set_up(b, date);
    log_open("test", "warn", "text", room->told[1]);
    bench_begin(b, room->path, BENCH_LEDGER_BYTES);
    pipeline_recover(b->pipeline, bench_now(0));
    pipeline_connected(b->pipeline);
}

static void a_successor_goes_on(void **state) {
    struct room *room = *state;
    struct bench b;
    char texts[3][BENCH_TEXT_SIZE];
    open_in_room(&b, room, "now");
    bench_request(&b, 1, "USD", PAST, 0);
    bench_request(&b, 2, "EUR", PAST, 1); /* is sent and not confirmed */
    bench_request(&b, 3, "USD", "2021-05-17", 2);
    bench_request(&b, 4, "EUR", PAST, 3); /* is sent and confirmed */
    bench_request(&b, 5, "EUR", PAST, 4); /* is answered and not sent */
    for (int i = 0; i < 3; i++)
        send_next(&b, 5, texts[i]);
    bench_reconnect(&b);
    for (int i = 0; i < 3; i++)
        bench_expect_sent(&b, 5, texts[i]);
    bench_reconnect(&b);
    bench_expect_sent(&b, 5, texts[0]);
    b.asked[0] = '\0';

    fake_wall_ms += 5000;
    begin_again(&b, room, 2 * SECOND);
    assert_int_equal(pipeline_pending(b.pipeline), 5);
    bench_expect_asked(&b, PAST " ;2021-05-17 ;");
    pipeline_connected(b.pipeline);
    bench_request(&b, 6, "EUR", PAST, 2 * SECOND);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(bench_expect_sent(&b, 2 * SECOND, texts[i]), i + 1);
    bench_expect_metric(&b, METRIC_RETRIED, 7);
    pipeline_confirmed(b.pipeline, 3);
    bench_expect_euro(&b, 6, "12", "2026-11-21T12:00:05.000Z", 2 * SECOND);
    /* What was taken is converted now. */
    bench_rates(&b, PAST, "", "one", "USD 1.2", 3 * SECOND, HOUR);
    bench_expect_euro(&b, 1, "10", "2026-11-21T12:00:05.000Z", 3 * SECOND);
    bench_no_rates(&b, "2021-05-17", "", false);
    bench_expect_error(&b, "3", "no rates can be had for this date",
                       3 * SECOND);
    bench_expect_nothing(&b, 3 * SECOND);
    assert_int_equal(pipeline_pending(b.pipeline), 0);
    bench_close(&b);
    assert_false(room_has(room->path));
}

/* All that the next one finds is older than what it receives itself. */
static void what_is_found_goes_before_newer_answers(void **state) {
    struct room *room = *state;
    struct bench b;
    char first[BENCH_TEXT_SIZE];
    open_in_room(&b, room, "request");
    bench_request(&b, 1, "EUR", PAST, 0);
    send_next(&b, 0, first);
    begin_again(&b, room, 1);
    pipeline_connected(b.pipeline);
    bench_request(&b, 2, "EUR", PAST, 2);
    bench_expect_sent(&b, 3, first);
    bench_reconnect(&b);
    bench_request(&b, 3, "EUR", PAST, 4);
    bench_expect(&b, 5, first);
    bench_expect_euro(&b, 2, "12", PAST, 5);
    bench_expect_euro(&b, 3, "12", PAST, 5);
    bench_close(&b);
}

/* How long it may wait for a rate counts anew; the TTL does not. */
static void times_after_a_restart(void **state) {
    struct room *room = *state;
    struct bench b;
    open_in_room(&b, room, "request");
    bench_request(&b, 1, "USD", PAST, 0);
    bench_request(&b, 2, "USD", PAST, 54 * SECOND);
    begin_again(&b, room, 54 * SECOND + 500);
    assert_int_equal(b.alarm.usec, bench_at(59 * SECOND + 500).usec);
    pipeline_connected(b.pipeline);
    pipeline_alarm(b.pipeline, bench_at(59 * SECOND + 499));
    bench_expect_nothing(&b, 59 * SECOND + 499);
    pipeline_alarm(b.pipeline, bench_at(59 * SECOND + 500));
    bench_expect_error(&b, "1", "no rate came in time", 59 * SECOND + 500);
    bench_reconnect(&b);
    bench_expect_error(&b, "2", "no rate came in time", 114 * SECOND - 1);
    bench_expect_metric(&b, METRIC_REQUESTS_TIMEOUT, 2);

    bench_request(&b, 3, "USD", PAST, 200 * SECOND);
    bench_request(&b, 4, "EUR", PAST, 200 * SECOND + 1);
    begin_again(&b, room, 260 * SECOND);
    bench_rates(&b, PAST, "", "one", "USD 1.2", 260 * SECOND, HOUR);
    pipeline_connected(b.pipeline);
    bench_expect_euro(&b, 4, "12", PAST, 260 * SECOND);
    bench_expect_nothing(&b, 260 * SECOND);
    bench_expect_metric(&b, METRIC_EXPIRED, 1);
    room_expect_told(room, "answer_expired id=3");
    bench_close(&b);
}

/* Errors are answers, also those without an id; what needs none is dropped. */
static void all_kinds_are_found(void **state) {
    struct room *room = *state;
    struct bench b;
    static const char *const left[] = {
        "{\"type\":\"heartbeat\"}",
        "{\"type\":\"error\",\"id\":1}",
        "{\"type\":\"other\"}",
        "not JSON",
        "{\"type\":\"message\",\"id\":\"x\",\"payload\":1}",
        REQUEST("7"),
        "", /* one that was too long to be kept */
    };
    /* As killed before any of them was looked at. */
    bench_set_up(&b, "request");
    struct ledger *ledger = ledger_open(room->path, BENCH_LEDGER_BYTES);
    for (size_t i = 0; i < COUNT_OF(left); i++)
        assert_non_null(room_take(ledger, left[i], bench_at(0).usec));
    ledger_close(&ledger);
    bench_begin(&b, room->path, BENCH_LEDGER_BYTES);
    pipeline_recover(b.pipeline, bench_now(1));
    assert_int_equal(pipeline_pending(b.pipeline), 4);
    bench_expect_metric(&b, METRIC_REQUESTS_IGNORED, 2);
    pipeline_connected(b.pipeline);
    bench_expect_error(&b, "null", NOT_JSON, 2);
    bench_expect_error(&b, "\"x\"", "payload must be an object", 2);
    bench_expect_error(&b, "null", NOT_JSON, 2);
    bench_expect_asked(&b, PAST " ;");
    bench_no_rates(&b, PAST, "", false);
    bench_expect_error(&b, "7", "no rates can be had for this date", 2);
    bench_close(&b);
}

/* A process dies while it handles the last one that is in the ledger. */
static void die_while_handling(struct room *room, const char *text,
                               const char *id, int64_t usec) {
    struct ledger *ledger = ledger_open(room->path, BENCH_LEDGER_BYTES);
    struct message_queue found = TAILQ_HEAD_INITIALIZER(found);
    ledger_found(ledger, bench_at(usec), &found);
    struct message *message = TAILQ_LAST(&found, message_queue);
    if (text != NULL) {
        message = room_take(ledger, text, bench_at(usec).usec);
        const char *at = strstr(message->request.data, id);
        ledger_note_id(message, (struct span){at, strlen(id)});
    }
    ledger_work_begins(ledger, message);
    ledger_close(&ledger);
}

static void a_deadly_message_is_quarantined(void **state) {
    struct room *room = *state;
    struct bench b;
    bench_set_up(&b, "request");
    die_while_handling(room, REQUEST("\"bad\""), "\"bad\"", 0);
    /* Once is no proof: it is tried again. */
    bench_begin(&b, room->path, BENCH_LEDGER_BYTES);
    pipeline_recover(b.pipeline, bench_now(1));
    bench_expect_asked(&b, PAST " ;");
    assert_string_equal(b.quarantined, "");
    bench_end(&b);
    die_while_handling(room, NULL, NULL, 1);
    b.alarms = 0;
    bench_begin(&b, room->path, BENCH_LEDGER_BYTES);
    pipeline_recover(b.pipeline, bench_now(2));
    bench_expect_asked(&b, "");
    assert_int_equal(b.alarms, 0);
    assert_string_equal(b.quarantined, REQUEST("\"bad\"") ";");
    bench_expect_metric(&b, METRIC_REQUESTS_QUARANTINED, 1);
    char answer[BENCH_TEXT_SIZE];
    pipeline_connected(b.pipeline);
    send_next(&b, 3, answer);
    static const char start[] = "{\"type\":\"error\",\"id\":\"bad\",\"message\""
                                ":\"Unable to convert stake. Error: ";
    assert_memory_equal(answer, start, sizeof start - 1);
    bench_expect_nothing(&b, 3);
    /* That answer is one like others; it is not set aside again. */
    begin_again(&b, room, 4);
    pipeline_connected(b.pipeline);
    bench_expect(&b, 5, answer);
    assert_string_equal(b.quarantined, REQUEST("\"bad\"") ";");
    bench_expect_metric(&b, METRIC_REQUESTS_QUARANTINED, 1);
    bench_close(&b);
}

/* It is set aside as others are, but nobody waits for an answer to it. */
static void a_deadly_heartbeat_is_not_answered(void **state) {
    static const char beat[] = "{ \"type\": \"heartbeat\" }";
    struct room *room = *state;
    struct bench b;
    bench_set_up(&b, "request");
    die_while_handling(room, beat, "", 0);
    die_while_handling(room, NULL, NULL, 1);
    bench_begin(&b, room->path, BENCH_LEDGER_BYTES);
    pipeline_recover(b.pipeline, bench_now(2));
    assert_memory_equal(b.quarantined, beat, sizeof beat - 1);
    assert_string_not_equal(b.alerts, "");
    bench_expect_metric(&b, METRIC_REQUESTS_QUARANTINED, 1);
    pipeline_connected(b.pipeline);
    bench_expect_nothing(&b, 3);
    begin_again(&b, room, 4);
    pipeline_connected(b.pipeline);
    bench_expect_nothing(&b, 5);
    bench_close(&b);
}

/* It is not read, not even for what it is; others are handled as ever. */
static void a_quarantined_message_is_not_read(void **state) {
    struct room *room = *state;
    struct bench b;
    char answer[BENCH_TEXT_SIZE];
    bench_set_up(&b, "request");
    struct ledger *ledger = ledger_open(room->path, BENCH_LEDGER_BYTES);
    room_take(ledger, REQUEST("1"), bench_at(0).usec);
    ledger_close(&ledger);
    die_while_handling(room, "{\"type\":\"unknown\"}", "", 1);
    die_while_handling(room, NULL, NULL, 2);
    bench_begin(&b, room->path, BENCH_LEDGER_BYTES);
    pipeline_recover(b.pipeline, bench_now(3));
    assert_string_equal(b.quarantined, "{\"type\":\"unknown\"};");
    pipeline_connected(b.pipeline);
    send_next(&b, 4, answer);
    assert_non_null(strstr(answer, "\"id\":null"));
    bench_expect_asked(&b, PAST " ;");
    bench_rates(&b, PAST, "", "one", "USD 1.2", 5, HOUR);
    bench_expect_euro(&b, 1, "10", PAST, 6);
    bench_close(&b);
}

/* What a kill within a port's call would leave. */
struct snapshot {
    struct bench bench; /* first: the ports' argument is one, too */
    const struct room *room;
    char path[80];
};

static void take_snapshot(struct snapshot *s) {
    static char bytes[BENCH_LEDGER_BYTES + 8192];
    room_write(s->path, bytes, room_read(s->room->path, bytes, sizeof bytes));
}

static void snapshot_at_ready(void *arg) {
    take_snapshot(arg);
}

static bool snapshot_at_ask(void *arg, day when, struct span currency) {
    take_snapshot(arg);
    return bench_ask(arg, when, currency);
}

/* The deaths of the only message, as its successor would find it. */
static void expect_deaths(struct snapshot *s, unsigned deaths) {
    struct found found;
    room_find(&found, s->path, BENCH_LEDGER_BYTES, 0);
    struct message *message = room_next(&found);
    assert_non_null(message);
    assert_int_equal(message->deaths, deaths);
    ledger_close(&found.ledger);
    unlink(s->path);
}

/* A kill counts for a message while that is handled, at each of the steps. */
static void kills_within_the_handling_count(void **state) {
    struct room *room = *state;
    struct snapshot s = {.room = room};
    struct bench *b = &s.bench;
    bench_set_up(b, "request");
    snprintf(s.path, sizeof s.path, "%s/copy", room->folder);
    for (int found = 0; found <= 1; found++) {
        bench_begin(b, room->path, BENCH_LEDGER_BYTES);
        struct pipeline_ports ports = bench_ports(b);
        ports.ask = snapshot_at_ask;
        ports.answers_ready = snapshot_at_ready;
        pipeline_free(&b->pipeline);
        b->pipeline =
            pipeline_new(b->settings, b->ledger, &b->metrics, &ports, false);
        pipeline_recover(b->pipeline, bench_now(0));
        if (!found)
            bench_request(b, 1, "USD", PAST, 0);
        bench_expect_asked(b, PAST " ;");
        expect_deaths(&s, 1);
        take_snapshot(&s);
        expect_deaths(&s, 0);
        if (!found)
            bench_end(b);
    }
    bench_rates(b, PAST, "", "one", "JPY 1", 1, HOUR);
    bench_expect_asked(b, PAST " USD;");
    expect_deaths(&s, 1);
    bench_no_rates(b, PAST, "USD", false);
    expect_deaths(&s, 1);
    take_snapshot(&s);
    expect_deaths(&s, 0);
    bench_close(b);
}

/* Whoever is killed while nothing is handled has no message to blame. */
static void kills_between_messages_blame_none(void **state) {
    struct room *room = *state;
    struct bench b;
    open_in_room(&b, room, "request");
    bench_request(&b, 1, "USD", PAST, 0);
    for (int i = 1; i <= 5; i++)
        begin_again(&b, room, i);
    pipeline_connected(b.pipeline);
    bench_rates(&b, PAST, "", "one", "USD 1.2", 6, HOUR);
    bench_expect_euro(&b, 1, "10", PAST, 6);
    assert_string_equal(b.quarantined, "");
    bench_close(&b);
}

/* An old one that waits does not keep the room of others from being used. */
static void the_room_of_waiting_ones_is_theirs_alone(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, 8192, "request");
    bench_request(&b, 1000, "USD", "2021-05-17", 0); /* waits all the time */
    for (int id = 0; id < 500; id++) {
        bench_request(&b, id, "EUR", PAST, id);
        bench_expect_euro(&b, id, "12", PAST, id);
    }
    bench_expect_metric(&b, METRIC_REQUESTS_FULL, 0);
    assert_int_equal(pipeline_pending(b.pipeline), 1);
    bench_close(&b);
}

/* Whatever a byte of the file was changed to: no crash, no overflow. */
static void a_damaged_file_does_no_harm(void **state) {
    struct room *room = *state;
    struct bench b;
    static char bytes[1 << 16], text[BENCH_TEXT_SIZE];
    struct pipeline_item item;
    bench_set_up(&b, "request");
    bench_begin(&b, room->path, 4096);
    pipeline_connected(b.pipeline);
    bench_request(&b, 1, "USD", PAST, 0);
    bench_request(&b, 2, "EUR", PAST, 1);
    send_next(&b, 2, text);
    bench_end(&b);
    size_t len = room_read(room->path, bytes, sizeof bytes);
    for (size_t at = 4096; at < 4096 + 1300; at++) {
        for (unsigned mask = 1; mask < 256; mask = mask * 2 + (mask == 128)) {
            bytes[at] = (char)(bytes[at] ^ (char)mask);
            room_write(room->path, bytes, len);
            bytes[at] = (char)(bytes[at] ^ (char)mask);
            bench_begin(&b, room->path, 4096);
            pipeline_recover(b.pipeline, bench_now(2));
            pipeline_connected(b.pipeline);
            bench_rates(&b, PAST, "", "one", "USD 1.2", 3, HOUR);
            pipeline_alarm(b.pipeline, bench_at(10 * SECOND));
            while (pipeline_next(b.pipeline, bench_at(4), &item)) {
                pipeline_sent(b.pipeline, &item, bench_at(4));
                pipeline_confirmed(b.pipeline, item.position);
            }
            bench_end(&b);
            b.asked[0] = b.alerts[0] = b.quarantined[0] = '\0';
            while (read(room->told[0], text, sizeof text) > 0)
                ;
        }
    }
    settings_free(&b.settings);
}

#define IN_ROOM(test)                                                          \
    cmocka_unit_test_setup_teardown(test, room_open, room_close)

#define RECOVERY_TESTS                                                         \
    cmocka_unit_test(what_is_confirmed_is_done_with),                          \
        cmocka_unit_test(a_refusal_needs_no_receipt),                          \
        cmocka_unit_test(a_break_repeats_what_is_unconfirmed),                 \
        cmocka_unit_test(a_break_brings_the_order_of_arrival_back),            \
        cmocka_unit_test(a_repeated_answer_expires),                           \
        cmocka_unit_test(the_room_of_waiting_ones_is_theirs_alone),            \
        IN_ROOM(a_damaged_file_does_no_harm), IN_ROOM(a_successor_goes_on),    \
        IN_ROOM(what_is_found_goes_before_newer_answers),                      \
        IN_ROOM(times_after_a_restart), IN_ROOM(all_kinds_are_found),          \
        IN_ROOM(a_deadly_message_is_quarantined),                              \
        IN_ROOM(a_deadly_heartbeat_is_not_answered),                           \
        IN_ROOM(a_quarantined_message_is_not_read),                            \
        IN_ROOM(kills_within_the_handling_count),                              \
        IN_ROOM(kills_between_messages_blame_none)

#endif
