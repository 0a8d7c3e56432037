/* Requests: each rule of the contract for the messages of the upstream. */
#include <stdio.h>

#include "tests/unit/request_cases.h"
#include "tests/unit/request_dates.h"
#include "tests/unit/unit.h"

enum { TEXT_SIZE = 2048 };

/* Reads a text behind whose padding no byte can be read. */
static struct request read_text(const char *text, int64_t now_ms) {
    struct request request;
    request_read(padded_copy(text, strlen(text)), now_ms, &request);
    return request;
}

static void check_span(const char *text, const char *what, struct span found,
                       const char *wanted) {
    if (!span_equals(found, wanted))
        fail_msg("%s: %s is `%.*s`, not `%s`", text, what, (int)found.len,
                 found.len > 0 ? found.data : "", wanted);
}

static void check_outcome(const char *text, const struct request *request,
                          enum refusal refusal) {
    enum request_kind kind =
        refusal == REFUSAL_NONE ? REQUEST_CONVERT : REQUEST_REFUSED;
    if (request->kind != kind || request->refusal != refusal)
        fail_msg("%s: kind %d, refused with `%s`, not `%s`", text,
                 request->kind, refusal_text(request->refusal),
                 refusal_text(refusal));
}

static void check_day(const char *text, day found, const char *wanted) {
    char printed[DAY_TEXT_SIZE];
    rates_day_print(found, printed);
    if (strcmp(printed, wanted) != 0)
        fail_msg("%s: the day is %s, not %s", text, printed, wanted);
}

static void good_messages(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good_cases); i++) {
        const struct good_case *c = &good_cases[i];
        struct request request = read_text(c->text, NOON_MS);
        check_outcome(c->text, &request, REFUSAL_NONE);
        check_span(c->text, "id", request.id, c->id);
        check_span(c->text, "stake", request.stake, c->stake);
        check_span(c->text, "currency", request.currency, c->currency);
        check_span(c->text, "date", request.date, c->date);
        check_span(c->text, "code", (struct span){request.code, RATES_CODE_LEN},
                   c->code);
        check_day(c->text, request.day, "2021-05-18");
        if (request.amount.coefficient != c->coefficient ||
            request.amount.scale != c->scale)
            fail_msg("%s: another amount", c->text);
    }
}

static void ids_are_taken_as_they_are(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good_ids); i++) {
        char text[TEXT_SIZE];
        sprintf(text,
                "{\"type\":\"message\",\"id\":%s,\"payload\":" PAYLOAD "}",
                good_ids[i]);
        struct request request = read_text(text, NOON_MS);
        check_outcome(text, &request, REFUSAL_NONE);
        check_span(text, "id", request.id, good_ids[i]);
        /* A fault of the payload is told under the id. */
        sprintf(text, "{\"type\":\"message\",\"id\":%s,\"payload\":[]}",
                good_ids[i]);
        request = read_text(text, NOON_MS);
        check_outcome(text, &request, REFUSAL_PAYLOAD);
        check_span(text, "id", request.id, good_ids[i]);
    }
}

static void refused_messages(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused_cases); i++) {
        const struct refused_case *c = &refused_cases[i];
        struct request request = read_text(c->text, NOON_MS);
        check_outcome(c->text, &request, c->refusal);
        check_span(c->text, "id", request.id, c->id);
    }
}

static void kinds_that_are_not_answered(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kind_cases); i++) {
        const struct kind_case *c = &kind_cases[i];
        struct request request = read_text(c->text, NOON_MS);
        if (request.kind != c->kind)
            fail_msg("%s: kind %d, not %d", c->text, request.kind, c->kind);
    }
}

static struct request read_payload(char *text, const char *stake,
                                   const char *currency, const char *date,
                                   int64_t now_ms) {
    sprintf(text,
            "{\"type\":\"message\",\"id\":\"i\",\"payload\":{\"stake\":%s,"
            "\"currency\":%s,\"date\":%s}}",
            stake, currency, date);
    struct request request = read_text(text, now_ms);
    check_span(text, "id", request.id, "\"i\"");
    return request;
}

static void stakes(void **state) {
    (void)state;
    char text[TEXT_SIZE];
    for (size_t i = 0; i < COUNT_OF(stake_cases); i++) {
        const struct stake_case *c = &stake_cases[i];
        struct request request =
            read_payload(text, c->stake, "\"USD\"", "\"2021-05-18\"", NOON_MS);
        check_outcome(text, &request, c->refusal);
        if (c->refusal != REFUSAL_NONE)
            continue;
        check_span(text, "stake", request.stake, c->stake);
        if (request.amount.coefficient != c->coefficient ||
            request.amount.scale != c->scale)
            fail_msg("%s: another amount", text);
    }
}

static void currencies(void **state) {
    (void)state;
    char text[TEXT_SIZE];
    for (size_t i = 0; i < COUNT_OF(currency_cases); i++) {
        const struct currency_case *c = &currency_cases[i];
        struct request request =
            read_payload(text, "1", c->currency, "\"2021-05-18\"", NOON_MS);
        check_outcome(text, &request, c->refusal);
    }
}

static void dates(void **state) {
    (void)state;
    char text[TEXT_SIZE];
    for (size_t i = 0; i < COUNT_OF(date_cases); i++) {
        const struct date_case *c = &date_cases[i];
        struct request request =
            read_payload(text, "1", "\"USD\"", c->date, c->now_ms);
        if (request.refusal != c->refusal)
            fail_msg("%s at %lld: `%s`, not `%s`", c->date,
                     (long long)c->now_ms, refusal_text(request.refusal),
                     refusal_text(c->refusal));
        if (c->refusal == REFUSAL_NONE)
            check_day(text, request.day, c->day);
    }
}

/* Each is told by its own time and by ours, whatever was learnt before. */
static void dates_one_after_another(void **state) {
    (void)state;
    static const struct {
        const char *date;
        int minutes; /* from the noon of 2026-11-21 */
        enum refusal refusal;
        const char *day;
    } rows[] = {
        {"2026-11-21T12:00:00.000Z", 0, REFUSAL_NONE, "latest"},
        {"2026-11-21T23:59:59.999Z", 719, REFUSAL_NONE, "latest"},
        {"2026-11-21T12:00:00.000Z", 720, REFUSAL_NONE, "2026-11-21"},
        {"2026-11-21T12:00:00.000Z", -720, REFUSAL_NONE, "latest"},
        {"2026-11-21T12:00:00.000Z", -726, REFUSAL_DATE_FUTURE, ""},
        {"2026-11-21T12:00:00.000Z", -726, REFUSAL_DATE_FUTURE, ""},
        {"2026-11-22T00:01:59.000Z", 717, REFUSAL_NONE, "latest"},
        {"2026-11-22T00:02:01.000Z", 717, REFUSAL_DATE_FUTURE, ""},
        {"2026-11-20T23:59:59.999Z", 0, REFUSAL_NONE, "2026-11-20"},
        {"2026-11-20T24:00:00.000Z", 0, REFUSAL_DATE_IMPOSSIBLE, ""},
        {"2026-11-20T30:00:00.000Z", 0, REFUSAL_DATE_IMPOSSIBLE, ""},
        {"2026-11-20T23:60:00.000Z", 0, REFUSAL_DATE_IMPOSSIBLE, ""},
        {"2026-11-20T23:59:60.000Z", 0, REFUSAL_DATE_IMPOSSIBLE, ""},
        {"2026-11-20T23:59:61.000Z", 0, REFUSAL_DATE_IMPOSSIBLE, ""},
        {"2026-11-20T23:5/:59.000Z", 0, REFUSAL_DATE, ""},
        {"2026-11-20T23:59:59.00:Z", 0, REFUSAL_DATE, ""},
        {"2026-11-20T23:59:59.000X", 0, REFUSAL_DATE, ""},
        {"2026-11-20T23:59:59,000Z", 0, REFUSAL_DATE, ""},
        {"2026-11-20t23:59:59.000z", 0, REFUSAL_NONE, "2026-11-20"},
        {"2026-11-20T23:59:59.000Z", 0, REFUSAL_NONE, "2026-11-20"},
        {"2026-11-21T00:00:00.000Z", 0, REFUSAL_NONE, "latest"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[TEXT_SIZE], date[64];
        snprintf(date, sizeof date, "\"%s\"", rows[i].date);
        struct request request =
            read_payload(text, "1", "\"USD\"", date,
                         NOV_2026 + rows[i].minutes * INT64_C(60000));
        if (request.refusal != rows[i].refusal)
            fail_msg("row %zu: `%s`", i, refusal_text(request.refusal));
        if (request.refusal == REFUSAL_NONE)
            check_day(text, request.day, rows[i].day);
    }
}

/* `digits` fraction digits, behind a date with an escape or without. */
static void check_fraction(size_t digits, const char *date) {
    static char quoted[8192], text[16384];
    size_t len = (size_t)sprintf(quoted, "\"%sT21:32:42.", date);
    memset(quoted + len, '3', digits);
    strcpy(quoted + len + digits, "Z\"");
    struct request request =
        read_payload(text, "1", "\"USD\"", quoted, NOON_MS);
    if (request.refusal != REFUSAL_NONE)
        fail_msg("%zu fraction digits behind %s: %s", digits, date,
                 refusal_text(request.refusal));
    check_day(date, request.day, "2021-05-18");
}

static void any_number_of_fraction_digits(void **state) {
    (void)state;
    static const size_t counts[] = {1, 3, 9, 20, 480, 600, 5000};
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        check_fraction(counts[i], "2021-05-18");
}

static void any_number_of_fraction_digits_behind_an_escape(void **state) {
    (void)state;
    static const size_t counts[] = {1, 3, 480, 600, 5000};
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        check_fraction(counts[i], "2021\\u002d05-18");
}

/* Arrays in an unknown field; the object around them is a level as well. */
static void depth(void **state) {
    (void)state;
    for (size_t arrays = 30; arrays <= 34; arrays++) {
        char open[40] = "", close[40] = "", text[TEXT_SIZE];
        memset(open, '[', arrays);
        memset(close, ']', arrays);
        sprintf(text,
                "{\"type\":\"message\",\"id\":1,\"payload\":" PAYLOAD
                ",\"x\":%s%s}",
                open, close);
        struct request request = read_text(text, NOON_MS);
        check_outcome(text, &request,
                      arrays <= 31 ? REFUSAL_NONE : REFUSAL_TOO_DEEP);
        check_span(text, "id", request.id, "1");
    }
}

/* No part of a message is read beyond its end, or taken for the whole. */
static void cut_messages(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good_cases); i++) {
        const char *text = good_cases[i].text;
        size_t end = (size_t)(strrchr(text, '}') - text);
        for (size_t len = 0; len <= end; len++) {
            struct request request;
            request_read(padded_copy(text, len), NOON_MS, &request);
            if (request.kind != REQUEST_REFUSED ||
                request.refusal != REFUSAL_NOT_JSON)
                fail_msg("%.*s: not refused", (int)len, text);
        }
    }
}

/* The texts go into a JSON string as they are. */
static void refusals_have_texts_without_escapes(void **state) {
    (void)state;
    for (int i = REFUSAL_NONE + 1; i < REFUSALS; i++) {
        const char *text = refusal_text((enum refusal)i);
        if (text == NULL || *text == '\0')
            fail_msg("refusal %d has no text", i);
        for (const char *c = text; *c != '\0'; c++)
            if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
                fail_msg("`%s` has a character to escape", text);
        for (int k = REFUSAL_NONE + 1; k < i; k++)
            if (strcmp(text, refusal_text((enum refusal)k)) == 0)
                fail_msg("refusals %d and %d say the same", i, k);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_messages),
        cmocka_unit_test(ids_are_taken_as_they_are),
        cmocka_unit_test(refused_messages),
        cmocka_unit_test(kinds_that_are_not_answered),
        cmocka_unit_test(stakes),
        cmocka_unit_test(currencies),
        cmocka_unit_test(dates),
        cmocka_unit_test(dates_one_after_another),
        cmocka_unit_test(any_number_of_fraction_digits),
        cmocka_unit_test(any_number_of_fraction_digits_behind_an_escape),
        cmocka_unit_test(depth),
        cmocka_unit_test(cut_messages),
        cmocka_unit_test(refusals_have_texts_without_escapes),
    };
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
