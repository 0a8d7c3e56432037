/* A pipeline whose ports write down what is asked of them. */
#ifndef FXWIRE_TESTS_UNIT_PIPELINE_BENCH_H
#define FXWIRE_TESTS_UNIT_PIPELINE_BENCH_H

#include <stdio.h>

#include "common/log.h"
#include "tests/unit/fake_clock.h"
#include "tests/unit/unit.h"
#include "wsclient/pipeline.h"

enum { BENCH_TEXT_SIZE = 1024, BENCH_LEDGER_BYTES = 1 << 20 };

struct bench {
    struct settings *settings;
    struct ledger *ledger;
    struct metrics metrics;
    struct pipeline *pipeline;
    int ready;             /* calls of answers_ready */
    char asked[4096];      /* "DAY CURRENCY;" for each question */
    int refuses;           /* how many of the next questions are not taken */
    int alarms;            /* calls of set_alarm */
    monotime alarm;        /* the last one */
    char quarantined[256]; /* the messages, a `;` after each */
    char alerts[256];      /* the events, a `;` after each */
    char detail[512];      /* of the last one */
};

static inline void bench_answers_ready(void *arg) {
    ((struct bench *)arg)->ready++;
}

static inline bool bench_ask(void *arg, day when, struct span currency) {
    struct bench *b = arg;
    char text[DAY_TEXT_SIZE];
    if (b->refuses > 0) {
        b->refuses--;
        return false;
    }
    rates_day_print(when, text);
    size_t len = strlen(b->asked);
    snprintf(b->asked + len, sizeof b->asked - len, "%s %.*s;", text,
             (int)currency.len, currency.data);
    return true;
}

static inline void bench_alert(void *arg, enum event_id event,
                               const char *detail) {
    struct bench *b = arg;
    size_t len = strlen(b->alerts);
    snprintf(b->detail, sizeof b->detail, "%s", detail);
    snprintf(b->alerts + len, sizeof b->alerts - len, "%s;", event_name(event));
}

static inline void bench_set_alarm(void *arg, monotime when) {
    struct bench *b = arg;
    b->alarms++;
    b->alarm = when;
}

static inline void bench_quarantine(void *arg, struct span bytes,
                                    uint64_t sequence) {
    struct bench *b = arg;
    size_t len = strlen(b->quarantined);
    assert_true(sequence > 0);
    snprintf(b->quarantined + len, sizeof b->quarantined - len, "%.*s;",
             (int)bytes.len, bytes.data);
}

static inline struct pipeline_ports bench_ports(struct bench *b) {
    return (struct pipeline_ports){.answers_ready = bench_answers_ready,
                                   .ask = bench_ask,
                                   .alert = bench_alert,
                                   .set_alarm = bench_set_alarm,
                                   .quarantine = bench_quarantine,
                                   .arg = b};
}

/* The pipeline on a ledger in the file `path`; NULL: in memory. */
static inline void bench_begin(struct bench *b, const char *path,
                               size_t ledger_bytes) {
    b->ledger = ledger_open(path, ledger_bytes);
    struct pipeline_ports ports = bench_ports(b);
    b->pipeline =
        pipeline_new(b->settings, b->ledger, &b->metrics, &ports, false);
}

static inline void bench_end(struct bench *b) {
    pipeline_free(&b->pipeline);
    ledger_close(&b->ledger);
}

/* With a timeout of 5 s, a TTL of 60 s, and `date` for RESPONSE_DATE. */
static inline void bench_set_up(struct bench *b, const char *date) {
    char date_line[64] = "RESPONSE_DATE=";
    char url[] = "REQUESTS_WS_URL=ws://localhost/";
    char timeout[] = "REQUEST_TIMEOUT_SECONDS=5",
         ttl[] = "RETRY_MESSAGE_TTL=60";
    char *environment[] = {url, timeout, ttl, date_line, NULL};
    strcat(date_line, date);
    *b = (struct bench){.ready = 0};
    log_open("test", "error", "text", STDERR_FILENO);
    fake_wall_ms = FAKE_NOON_MS;
    b->settings = settings_load(environment, NULL, false, SETTINGS_WSCLIENT);
    assert_string_equal(settings_faults(b->settings), "");
}

/* Set up, on a ledger in memory, and connected. */
static inline void bench_open(struct bench *b, size_t ledger_bytes,
                              const char *date) {
    bench_set_up(b, date);
    bench_begin(b, NULL, ledger_bytes);
    pipeline_connected(b->pipeline);
}

static inline void bench_close(struct bench *b) {
    bench_end(b);
    settings_free(&b->settings);
}

/* Moments of the test, in microseconds since its start. */
static inline monotime bench_at(int64_t usec) {
    return (monotime){INT64_C(1000000000) + usec};
}

static inline struct now bench_now(int64_t usec) {
    return (struct now){bench_at(usec), clock_wall_ms()};
}

#define SECOND INT64_C(1000000)

/* A break that the peer has made, with this close code. Gives whether an answer
 * was found to be refused. */
static inline bool bench_break_at(struct bench *b, unsigned code, int64_t at) {
    struct pipeline_break end = {OUTBOX_BREAK_BY_ANSWER, code, "as it said"};
    bool refused = pipeline_disconnected(b->pipeline, &end, bench_at(at));
    pipeline_connected(b->pipeline);
    return refused;
}

static inline bool bench_break(struct bench *b, unsigned code) {
    return bench_break_at(b, code, 0);
}

static inline void bench_reconnect(struct bench *b) {
    assert_false(bench_break(b, 0));
}

/* Hands over a message that is gone when the call returns. */
static inline bool bench_receive(struct bench *b, const char *text,
                                 int64_t at) {
    size_t len = strlen(text);
    char *copy = malloc(len + 1);
    memcpy(copy, text, len);
    fake_monotonic_usec = bench_at(at).usec;
    enum pipeline_verdict verdict =
        pipeline_receive(b->pipeline, (struct span){copy, len}, bench_now(at));
    free(copy);
    return verdict == PIPELINE_HEARTBEAT;
}

/* A request of a stake of 12 in that currency on that date. */
static inline void bench_request(struct bench *b, int id, const char *currency,
                                 const char *date, int64_t at) {
    char text[BENCH_TEXT_SIZE];
    sprintf(text,
            "{\"type\":\"message\",\"id\":%d,\"payload\":{\"stake\":12,"
            "\"currency\":\"%s\",\"date\":\"%s\"}}",
            id, currency, date);
    assert_false(bench_receive(b, text, at));
}

/* The next answer has to be this one; it is sent. Gives its position. */
static inline uint64_t bench_expect_sent(struct bench *b, int64_t at,
                                         const char *wanted) {
    struct pipeline_item item;
    if (!pipeline_next(b->pipeline, bench_at(at), &item))
        fail_msg("no answer, but %s is due", wanted);
    if (!span_equals(item.text, wanted))
        fail_msg("%.*s\nis not\n%s", (int)item.text.len, item.text.data,
                 wanted);
    pipeline_sent(b->pipeline, &item, bench_at(at));
    return item.position;
}

/* The next answer has to be this one; it is sent and confirmed. */
static inline void bench_expect(struct bench *b, int64_t at,
                                const char *wanted) {
    pipeline_confirmed(b->pipeline, bench_expect_sent(b, at, wanted));
}

/* The next answer has to be the response to bench_request(). */
static inline void bench_expect_euro(struct bench *b, int id,
                                     const char *amount, const char *date,
                                     int64_t at) {
    char wanted[BENCH_TEXT_SIZE];
    sprintf(wanted,
            "{\"type\":\"message\",\"id\":%d,\"payload\":{\"stake\":%s,"
            "\"currency\":\"EUR\",\"date\":\"%s\"}}",
            id, amount, date);
    bench_expect(b, at, wanted);
}

static inline void bench_expect_error(struct bench *b, const char *id,
                                      const char *reason, int64_t at) {
    char wanted[BENCH_TEXT_SIZE];
    sprintf(wanted,
            "{\"type\":\"error\",\"id\":%s,\"message\":\"Unable to convert "
            "stake. Error: %s\"}",
            id, reason);
    bench_expect(b, at, wanted);
}

static inline void bench_expect_nothing(struct bench *b, int64_t at) {
    struct pipeline_item item;
    if (pipeline_next(b->pipeline, bench_at(at), &item))
        fail_msg("%.*s is not due", (int)item.text.len, item.text.data);
}

static inline void bench_expect_asked(struct bench *b, const char *wanted) {
    assert_string_equal(b->asked, wanted);
    b->asked[0] = '\0';
}

static inline day bench_day(const char *text) {
    day when;
    assert_true(rates_day_parse(span_of(text), &when));
    return when;
}

/* A table comes: `list` is "USD 1.2 JPY 130". It holds until `expires`. */
static inline void bench_rates_of_base(struct bench *b, const char *base,
                                       const char *date, const char *currency,
                                       const char *provider, const char *list,
                                       int64_t at, int64_t expires) {
    struct rates *rates = rates_new(provider, base, (day){18765}, 0);
    struct span rest = span_of(list), code, rate;
    while (settings_next_word(&rest, &code)) {
        assert_true(settings_next_word(&rest, &rate));
        assert_int_equal(rates_add(rates, code, rate), RATES_ADDED);
    }
    fake_monotonic_usec = bench_at(at).usec;
    pipeline_rates(b->pipeline, bench_day(date), span_of(currency), rates,
                   "memory", bench_at(expires));
    rates_release(&rates);
}

/* The same, with rates for one euro. */
static inline void bench_rates(struct bench *b, const char *date,
                               const char *currency, const char *provider,
                               const char *list, int64_t at, int64_t expires) {
    bench_rates_of_base(b, "EUR", date, currency, provider, list, at, expires);
}

static inline void bench_no_rates(struct bench *b, const char *date,
                                  const char *currency, bool unknown) {
    pipeline_no_rates(b->pipeline, bench_day(date), span_of(currency), unknown);
}

/* As it is reported: of the buckets each holds those before it. */
static inline void bench_expect_metric(const struct bench *b, enum metric which,
                                       int wanted) {
    struct json_object *reported = metrics_to_json(&b->metrics);
    int value = (int)metrics_value(reported, which);
    json_object_put(reported);
    if (value != wanted)
        fail_msg("metric %d is %d, not %d", which, value, wanted);
}

#endif
