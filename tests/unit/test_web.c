/* Calls over HTTP: one for a resource, whoever waits, and what answers mean. */
#include "ratefetcher/providers/web.h"

#include <fcntl.h>

#include "common/lines/message.h"
#include "common/log.h"
#include "tests/unit/fake_clock.h"
#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

#define DAY     "2021-05-18"
#define OTHER   "2021-05-19"
#define TABLE   "{\"day\":\"" DAY "\"}"
#define NO_PLAN "{\"no\":\"plan\"}"

enum { TTL = 100, MAX_CALLS = 8, MAX_TOLD = 8 };

/* Calls that wait for their answer. */
static struct fake_call {
    char url[64];
    http_done *done;
    void *arg;
} calls[MAX_CALLS];
static size_t count, made;
static bool has_key; /* the one that is asked */

void http_get(struct http *http, struct http_lane *lane,
              const struct http_request *request, duration timeout,
              http_piece *piece, http_done *done, void *arg) {
    (void)http, (void)lane, (void)timeout;
    assert_non_null(piece);
    assert_true((request->header != NULL) == has_key);
    assert_true(count < MAX_CALLS);
    calls[count] = (struct fake_call){.done = done, .arg = arg};
    snprintf(calls[count++].url, sizeof calls[0].url, "%s", request->url);
    made++;
}

/* Where an answer redirects to. */
static const char *redirect = "";

static void answer(long status, const char *body, double retry_after) {
    assert_true(count > 0);
    struct fake_call first = calls[0];
    count--;
    for (size_t i = 0; i < count; i++)
        calls[i] = calls[i + 1];
    first.done(first.arg,
               &(struct http_answer){
                   .status = status,
                   .body = span_of(body),
                   .etag = "",
                   .changed = "",
                   .retry_after = {(int64_t)(retry_after * USEC_PER_SEC)},
                   .error = status == 0 ? "no route" : "",
                   .redirect = redirect});
}

/* Past days are one resource of two tables, if `many` is set. */
static bool many;

static int32_t resource(day when, day today) {
    (void)today;
    return rates_day_is_latest(when) ? 0 : many ? 1 : -when.number;
}

static void request(const char *address, const char *key, day when, day today,
                    struct web_request *out) {
    char date[DAY_TEXT_SIZE];
    (void)today;
    rates_day_print(when, date);
    snprintf(out->url, sizeof out->url, "%s/%s", address, date);
    if (key != NULL)
        snprintf(out->header, sizeof out->header, "apikey: %s", key);
}

static void add_table(struct history *tables, const char *date,
                      const char *list) {
    history_add(tables, table_of("freecurrencyapi", date, list));
}

static const char *read_tables(const struct web_answer *of,
                               struct history *tables,
                               struct web_faults *faults) {
    (void)faults;
    const char *date = message_text(of->json, "day");
    if (date == NULL)
        return "no day";
    add_table(tables, date, "USD 1");
    if (many)
        add_table(tables, OTHER, "USD 2");
    return NULL;
}

static const struct web_refusal *refusal(const struct json_object *body) {
    static const struct web_refusal plan = {.result = PROVIDER_KEY_REFUSED,
                                            .detail = "not in the plan",
                                            .of_plan = true},
                                    day_is_none = WEB_REFUSAL(NO_TABLE, "none"),
                                    limit = {.result = PROVIDER_LIMITED,
                                             .detail = "limit",
                                             .wait = WEB_QUOTA_WAIT};
    const char *said = message_text(body, "no");
    if (said == NULL)
        return NULL;
    return strcmp(said, "plan") == 0    ? &plan
           : strcmp(said, "limit") == 0 ? &limit
                                        : &day_is_none;
}

static const struct web_api api = {
    .name = "freecurrencyapi",
    .base = "EUR",
    .address = SETTING_FREECURRENCYAPI_URL,
    .key = SETTING_FREECURRENCYAPI_KEY,
    .resource = resource,
    .first_kept = 1,
    .request = request,
    .read = read_tables,
    .refusal = refusal,
    .no_table_status = 404,
};

static const struct provider_class class =
    WEB_CLASS(freecurrencyapi, FREECURRENCYAPI, &api);

/* One that is asked without a key. */
static const struct web_api free_api = {
    .name = "frankfurter",
    .base = "EUR",
    .address = SETTING_FRANKFURTER_URL,
    .key = SETTINGS,
    .request = request,
    .read = read_tables,
    .no_table_status = 404,
};

static const struct provider_class free_class =
    WEB_CLASS(frankfurter, FRANKFURTER, &free_api);

static struct settings *settings;
static struct provider_context context;
static void *web;

static void begin_at(const char *address, const struct provider_class *which) {
    static char rest[][32] = {"FREECURRENCYAPI_KEY=secret/1",
                              "CACHE_TTL_SECONDS=100"};
    char first[64], second[64];
    snprintf(first, sizeof first, "FREECURRENCYAPI_URL=%s", address);
    snprintf(second, sizeof second, "FRANKFURTER_URL=%s", address);
    char *const environment[] = {first, second, rest[0], rest[1], NULL};
    log_open("test", "error", "text", open("/dev/null", O_WRONLY));
    settings = settings_load(environment, NULL, false, SETTINGS_RATEFETCHER);
    context = (struct provider_context){.http = (struct http *)(void *)&made,
                                        .settings = settings};
    count = made = 0;
    many = false;
    redirect = "";
    has_key = which == &class;
    web = which->open(which, &context);
}

static int begin(void **state) {
    (void)state;
    begin_at("http://localhost", &class);
    return 0;
}

/* Also while somebody waits: then nobody is told. */
static int end(void **state) {
    (void)state;
    class.close(web);
    settings_free(&settings);
    for (size_t i = 0; i < count; i++)
        assert_non_null(calls[i].done);
    return 0;
}

/* What those who asked were told, in that order. */
static struct web_told {
    enum provider_result result;
    const struct rates *rates;
    char rate[DECIMAL_TEXT_SIZE], detail[400];
    bool without_call;
    int64_t wait_seconds;
} told[MAX_TOLD];
static size_t told_count;

static void note(const struct provider_answer *said) {
    struct web_told *t = &told[told_count++];
    assert_true(told_count <= MAX_TOLD);
    *t = (struct web_told){.result = said->result,
                           .rates = said->rates,
                           .without_call = said->without_call,
                           .wait_seconds = said->wait.usec / USEC_PER_SEC};
    assert_true((said->rates != NULL) == (said->result == PROVIDER_OK));
    snprintf(t->detail, sizeof t->detail, "%s", said->detail);
    snprintf(t->rate, sizeof t->rate, "%s",
             rate_text(said->rates != NULL
                           ? rates_find(said->rates, span_of("USD"))
                           : NULL));
}

static void on_done(void *arg, const struct provider_answer *said) {
    (void)arg;
    note(said);
}

/* True: it was answered at once. */
static bool fetch(const char *date) {
    struct provider_answer said;
    bool at_once =
        class.fetch(web, day_of_text(date), SECONDS(2), &said, on_done, NULL);
    if (at_once)
        note(&said);
    return at_once;
}

static bool needs_call(const char *date) {
    return class.needs_call(web, day_of_text(date));
}

static void one_call_for_one_day(void **state) {
    (void)state;
    told_count = 0;
    assert_true(needs_call(DAY));
    for (int i = 0; i < 3; i++)
        assert_false(fetch(DAY));
    assert_false(needs_call(DAY));
    assert_true(needs_call(OTHER));
    assert_int_equal(made, 1);
    assert_string_equal(calls[0].url, "http://localhost/" DAY);
    answer(200, TABLE, 0);
    assert_int_equal(told_count, 3);
    for (size_t i = 0; i < told_count; i++) {
        assert_int_equal(told[i].result, PROVIDER_OK);
        assert_string_equal(told[i].rate, "1");
        assert_int_equal(told[i].without_call, i > 0);
        assert_ptr_equal(told[i].rates, told[0].rates);
    }
    /* One day's table is not kept here. */
    assert_true(needs_call(DAY));
}

static void one_call_for_many_days(void **state) {
    (void)state;
    told_count = 0;
    many = true;
    assert_false(fetch(DAY));
    assert_false(fetch(OTHER));
    assert_false(fetch("2021-05-20"));
    assert_false(fetch("2019-01-01"));
    assert_int_equal(made, 1);
    answer(200, TABLE, 0);
    static const char *const rates[] = {"1", "2", "2", "none"};
    for (size_t i = 0; i < COUNT_OF(rates); i++)
        assert_string_equal(told[i].rate, rates[i]);
    assert_int_equal(told[3].result, PROVIDER_NO_TABLE);
}

/* What has many days is kept as long as tables are. */
static void many_days_are_kept(void **state) {
    (void)state;
    told_count = 0;
    many = true;
    assert_false(fetch(DAY));
    answer(200, TABLE, 0);
    fake_monotonic_usec += TTL * USEC_PER_SEC - 1;
    assert_false(needs_call(OTHER));
    assert_true(fetch(OTHER));
    assert_string_equal(told[1].rate, "2");
    assert_true(told[1].without_call);
    assert_true(needs_call("latest"));
    fake_monotonic_usec += 1;
    assert_true(needs_call(OTHER));
    assert_false(fetch(OTHER));
    assert_int_equal(made, 2);
}

static const struct meaning_case {
    const char *when;
    long status;
    const char *body;
    double retry_after;
    enum provider_result result;
    int64_t wait_seconds;
    const char *detail;
} meanings[] = {
    {DAY, 0, "", 0, PROVIDER_UNREACHED, 0, "no route"},
    {DAY, 500, "", 0, PROVIDER_BAD_STATUS, 0, "status 500"},
    {DAY, 204, "", 0, PROVIDER_BAD_STATUS, 0, "status 204"},
    {DAY, 503, "", 7, PROVIDER_BAD_STATUS, 7, "status 503"},
    {DAY, 503, "", 86400, PROVIDER_BAD_STATUS, 3600, "status 503"},
    {DAY, 401, "", 0, PROVIDER_KEY_REFUSED, 600, "status 401"},
    {DAY, 403, "", 7, PROVIDER_KEY_REFUSED, 600, "status 403"},
    {DAY, 429, "", 0, PROVIDER_LIMITED, 60, "status 429"},
    {DAY, 429, "", 7, PROVIDER_LIMITED, 7, "status 429"},
    {DAY, 404, "", 0, PROVIDER_NO_TABLE, 0, "status 404"},
    {"latest", 404, "", 0, PROVIDER_BAD_STATUS, 0, "status 404"},
    {DAY, 200, "<html>", 0, PROVIDER_BAD_TABLE, 0, "no JSON object"},
    {DAY, 200, "{}", 0, PROVIDER_BAD_TABLE, 0, "no day"},
    {DAY, 200, TABLE, 30, PROVIDER_OK, 30, ""},
    {"latest", 200, "{\"day\":\"2026-11-14\"}", 0, PROVIDER_OK, 0, ""},
    {"latest", 200, "{\"day\":\"2026-08-13\"}", 0, PROVIDER_OK, 0, ""},
    {"latest", 200, "{\"day\":\"2026-11-22\"}", 0, PROVIDER_OK, 0, ""},
    {"latest", 200, "{\"day\":\"2026-11-23\"}", 0, PROVIDER_AHEAD, 0,
     "its latest table is of 2026-11-23, our today is 2026-11-21: our clock or "
     "theirs is wrong"},
    /* What a body refuses counts more than the status. */
    {DAY, 200, "{\"no\":\"limit\"}", 0, PROVIDER_LIMITED, 3600, "limit"},
    {DAY, 500, "{\"no\":\"limit\"}", 7, PROVIDER_LIMITED, 3600, "limit"},
    {DAY, 401, "{\"no\":\"day\"}", 0, PROVIDER_NO_TABLE, 0, "none"},
    {"latest", 200, "{\"no\":\"day\"}", 0, PROVIDER_BAD_TABLE, 0, "none"},
    {"latest", 200, NO_PLAN, 0, PROVIDER_KEY_REFUSED, 600, "not in the plan"},
    {DAY, 403, NO_PLAN, 0, PROVIDER_NO_TABLE, 0, "not in the plan"},
};

static void what_answers_mean(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(meanings); i++) {
        const struct meaning_case *c = &meanings[i];
        told_count = 0;
        assert_false(fetch(c->when));
        answer(c->status, c->body, c->retry_after);
        if (told_count != 1 || told[0].result != c->result ||
            told[0].wait_seconds != c->wait_seconds ||
            strcmp(told[0].detail, c->detail) != 0)
            fail_msg("row %zu: result %d, wait %d, `%s`", i,
                     (int)told[0].result, (int)told[0].wait_seconds,
                     told[0].detail);
        assert_false(told[0].without_call);
    }
}

static void a_call_that_is_not_made(void **state) {
    (void)state;
    told_count = 0;
    fetch(DAY);
    fetch(DAY);
    calls[0].done(calls[0].arg, &(struct http_answer){.unsent = true,
                                                      .body = span_of(""),
                                                      .etag = "",
                                                      .changed = "",
                                                      .error = "too many",
                                                      .redirect = ""});
    count = 0;
    assert_int_equal(told_count, 2);
    for (size_t i = 0; i < told_count; i++) {
        assert_int_equal(told[i].result, PROVIDER_UNREACHED);
        assert_true(told[i].without_call);
    }
}

/* Whoever has no key can have none refused: it is left alone for short. */
static void forbidden_without_a_key(void **state) {
    (void)state;
    end(state);
    begin_at("http://localhost", &free_class);
    for (int i = 0; i < 4; i++) {
        told_count = 0;
        assert_false(fetch(i < 2 ? "latest" : DAY));
        answer(i % 2 ? 401 : 403, "", i == 3 ? 7 : 0);
        assert_int_equal(told[0].result, PROVIDER_BAD_STATUS);
        assert_int_equal(told[0].wait_seconds, i == 3 ? 7 : 10);
        assert_string_equal(told[0].detail,
                            i % 2 ? "status 401" : "status 403");
    }
}

static void slashes_at_the_end_of_an_address(void **state) {
    static const char *const addresses[] = {
        "http://localhost", "http://localhost/", "http://localhost///"};
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        end(state);
        begin_at(addresses[i], &class);
        assert_false(fetch(DAY));
        assert_string_equal(calls[0].url, "http://localhost/" DAY);
    }
}

#define LONG_PATH                                                              \
    "/0123456789012345678901234567890123456789012345678901234567890123456789"  \
    "0123456789012345678901234567890123456789012345678901234567890123456789"

/* What is said of a redirect: where to, and never the key. */
static const struct redirect_case {
    const char *address, *redirect, *detail;
    const struct provider_class *class;
} redirects[] = {
    {"http://localhost", "h:8080/v1/latest",
     "status 301: it redirects to h:8080/v1/latest, which is not followed: see "
     "FREECURRENCYAPI_URL",
     &class},
    {"http://localhost", "h/v6/secret/1/latest",
     "status 301: it redirects to h, which is not followed: see "
     "FREECURRENCYAPI_URL",
     &class},
    {"http://localhost", "h/%00/secret%2F1/latest",
     "status 301: it redirects to h, which is not followed: see "
     "FREECURRENCYAPI_URL",
     &class},
    {"http://localhost", "h" LONG_PATH,
     "status 301: it redirects to "
     "h/0123456789012345678901234567890123456789012345678901234567890123456789"
     "0123456789012345678901234567890123456789012345678901..., which is not "
     "followed: see FREECURRENCYAPI_URL",
     &class},
    {"http://localhost", "", "status 301", &class},
    {"https://api.frankfurter.app", "api.frankfurter.dev/v1/latest",
     "status 301: it redirects to api.frankfurter.dev/v1/latest; its address "
     "is "
     "now FRANKFURTER_URL=https://api.frankfurter.dev/v1",
     &free_class},
};

static void redirects_say_where_to(void **state) {
    for (size_t i = 0; i < COUNT_OF(redirects); i++) {
        const struct redirect_case *c = &redirects[i];
        end(state);
        begin_at(c->address, c->class);
        told_count = 0;
        assert_false(fetch(DAY));
        redirect = c->redirect;
        answer(301, "", 0);
        assert_string_equal(told[0].detail, c->detail);
    }
}

/* Also where the old address only fails. */
static void an_address_that_has_moved(void **state) {
    end(state);
    begin_at("https://api.frankfurter.app/", &free_class);
    told_count = 0;
    assert_false(fetch(DAY));
    answer(0, "", 0);
    assert_string_equal(told[0].detail,
                        "no route; its address is now "
                        "FRANKFURTER_URL=https://api.frankfurter.dev/v1");
}

/* A key without past days: none is asked for within the next hour. */
static void a_plan_without_past_days(void **state) {
    (void)state;
    told_count = 0;
    fetch(DAY);
    answer(403, NO_PLAN, 0);
    fake_monotonic_usec += 3600 * USEC_PER_SEC - 1;
    assert_false(needs_call(OTHER));
    assert_true(fetch(OTHER));
    assert_int_equal(told[1].result, PROVIDER_NO_TABLE);
    assert_true(told[1].without_call);
    assert_true(needs_call("latest"));
    fake_monotonic_usec += 1;
    assert_true(needs_call(OTHER));
    assert_int_equal(made, 1);
}

/* Who is told of a failure may ask again from there: that is another call. */
static void on_done_ask_again(void *arg, const struct provider_answer *said) {
    (void)arg;
    note(said);
    fetch(DAY);
}

static void asked_again_when_told(void **state) {
    (void)state;
    struct provider_answer said;
    told_count = 0;
    assert_false(class.fetch(web, day_of_text(DAY), SECONDS(2), &said,
                             on_done_ask_again, NULL));
    assert_false(fetch(DAY));
    answer(500, "", 0);
    assert_int_equal(told_count, 2);
    assert_int_equal(made, 2);
    answer(200, TABLE, 0);
    assert_int_equal(told_count, 3);
    assert_false(told[2].without_call);
}

int main(void) {
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(one_call_for_one_day),
        CASE(one_call_for_many_days),
        CASE(many_days_are_kept),
        CASE(what_answers_mean),
        CASE(a_call_that_is_not_made),
        CASE(a_plan_without_past_days),
        CASE(asked_again_when_told),
        CASE(forbidden_without_a_key),
        CASE(slashes_at_the_end_of_an_address),
        CASE(redirects_say_where_to),
        CASE(an_address_that_has_moved),
    };
    return cmocka_run_group_tests_name("web", tests, NULL, NULL);
}
