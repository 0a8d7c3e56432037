/* Answers that are read piece by piece, as those of the ECB: with web. */
#include <fcntl.h>

#include "common/log.h"
#include "ratefetcher/providers/web.h"
#include "tests/unit/fake_clock.h"
#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

#define DAY  "2021-05-18"
#define OPEN "<gesmes:Envelope><Cube>"
#define CUBES                                                                  \
    "<Cube time='" DAY "'><Cube currency='USD' rate='1.25'/></Cube>"           \
    "<Cube time='2021-05-17'><Cube currency='USD' rate='1.5'/></Cube>"
#define END "</Cube></gesmes:Envelope>"

/* The call that is out. */
static struct {
    char url[128], etag[32], changed[64];
    http_piece *piece;
    http_done *done;
    void *arg;
} call;
static int made;

void http_get(struct http *http, struct http_lane *lane,
              const struct http_request *request, duration timeout,
              http_piece *piece, http_done *done, void *arg) {
    (void)http, (void)lane, (void)timeout;
    snprintf(call.url, sizeof call.url, "%s", request->url);
    snprintf(call.etag, sizeof call.etag, "%s",
             request->etag != NULL ? request->etag : "");
    snprintf(call.changed, sizeof call.changed, "%s",
             request->changed != NULL ? request->changed : "");
    assert_non_null(piece);
    call.piece = piece;
    call.done = done;
    call.arg = arg;
    made++;
}

static struct settings *settings;
static struct provider_context context;
static void *web;
static char told[256];
static int told_count, told_of_calls; /* how often, and of calls that count */
static bool may_call_again;
static int asked_again; /* whether it may be called once more */

static bool on_again(void *arg, const struct web_api *api) {
    assert_ptr_equal(arg, &asked_again);
    assert_ptr_equal(api, provider_ecb.api);
    asked_again++;
    return may_call_again;
}

static int begin(void **state) {
    (void)state;
    static char address[] = "ECB_URL=http://localhost";
    char *const environment[] = {address, NULL};
    log_open("test", "error", "text", open("/dev/null", O_WRONLY));
    settings = settings_load(environment, NULL, false, SETTINGS_RATEFETCHER);
    context = (struct provider_context){.base = event_base_new(),
                                        .http = (struct http *)(void *)&made,
                                        .settings = settings,
                                        .again = on_again,
                                        .lookup_arg = &asked_again};
    made = told_count = told_of_calls = asked_again = 0;
    may_call_again = true;
    told[0] = '\0';
    web = provider_ecb.open(&provider_ecb, &context);
    return 0;
}

static int end(void **state) {
    (void)state;
    provider_ecb.close(web);
    event_base_free(context.base);
    settings_free(&settings);
    return 0;
}

static void on_done(void *arg, const struct provider_answer *answer) {
    (void)arg;
    told_count++;
    told_of_calls += !answer->without_call;
    assert_true((answer->rates != NULL) == (answer->result == PROVIDER_OK));
    snprintf(told, sizeof told, "%s",
             answer->rates != NULL
                 ? rate_text(rates_find(answer->rates, span_of("USD")))
                 : answer->detail);
}

/* Asks for the day; whether a call is made for it. */
static bool ask(void) {
    struct provider_answer at_once;
    int before = made;
    if (provider_ecb.fetch(web, day_of_text(DAY), SECONDS(2), &at_once, on_done,
                           NULL))
        on_done(NULL, &at_once);
    return made > before;
}

static void feed(const char *text) {
    assert_true(call.piece(call.arg, 200, exact_copy(text, strlen(text))));
}

static void answer_to_wait(long status, const char *error, duration wait) {
    call.done(call.arg, &(struct http_answer){.status = status,
                                              .body = span_of(""),
                                              .etag = "\"one\"",
                                              .changed = "yesterday",
                                              .retry_after = wait,
                                              .error = error,
                                              .redirect = ""});
}

static void answer(long status, const char *error) {
    answer_to_wait(status, error, (duration){0});
}

static void expect_call(const char *file, const char *etag,
                        const char *changed) {
    assert_string_equal(call.url + strlen("http://localhost/eurofxref-"), file);
    assert_string_equal(call.etag, etag);
    assert_string_equal(call.changed, changed);
}

static void pass(duration time) {
    fake_monotonic_usec += time.usec;
    event_base_loop(context.base, EVLOOP_NONBLOCK);
}

/* All days of the file are kept: another one costs no call. */
static void pieces_are_put_together(void **state) {
    (void)state;
    assert_true(ask());
    feed(OPEN "<Cube time='" DAY "'><Cube curr");
    feed("ency='USD' rate='1.2");
    feed("5'/></Cube><Cube time='2021-05-17'/>"
         "<Cube time='2021-05-14'><Cube currency='USD' rate='3'/></Cube>");
    feed(END);
    assert_string_equal(told, "");
    answer(200, "");
    assert_string_equal(told, "1.25");
    assert_false(ask());
    assert_string_equal(told, "1.25");
}

static void one_that_breaks_off(void **state) {
    (void)state;
    assert_true(ask());
    feed(OPEN CUBES);
    answer(0, "reset by the server");
    assert_string_equal(told, "reset by the server");
    assert_true(ask()); /* nothing of it was kept */
    feed(OPEN CUBES);
    answer(200, "");
    expect_call("hist.xml", "", ""); /* is it in the other form? */
    feed(OPEN CUBES);
    answer(200, "");
    assert_string_equal(told, "not the XML of the ECB");
    assert_true(ask()); /* and the next one begins anew */
    expect_call("hist.zip", "", "");
    feed(OPEN CUBES END);
    answer(200, "");
    assert_string_equal(told, "1.25");
}

static void one_without_a_body(void **state) {
    (void)state;
    assert_true(ask());
    answer(200, "");
    answer(200, "");
    assert_string_equal(told, "not the XML of the ECB");
}

/* A mirror that has the XML alone: from then on it is asked for that. */
static void one_that_has_no_zip(void **state) {
    (void)state;
    assert_true(ask());
    expect_call("hist.zip", "", "");
    answer(404, "");
    assert_string_equal(told, "");
    expect_call("hist.xml", "", "");
    feed(OPEN CUBES END);
    answer(200, "");
    assert_string_equal(told, "1.25");
    assert_int_equal(told_of_calls, 1);
    assert_int_equal(asked_again, 1);
    pass(SECONDS(7200));
    assert_true(ask());
    expect_call("hist.xml", "\"one\"", "yesterday");
}

/* Its server may have it again next time, and knows the XML's name for none. */
static void one_that_has_no_zip_now(void **state) {
    (void)state;
    assert_true(ask());
    answer(503, "");
    expect_call("hist.xml", "", "");
    feed(OPEN CUBES END);
    answer(200, "");
    assert_string_equal(told, "1.25");
    assert_int_equal(told_of_calls, 1);
    pass(SECONDS(7200));
    assert_true(ask());
    expect_call("hist.zip", "", "");
    answer(500, "");
    answer(503, "");
    assert_string_equal(told, "status 503");
    assert_int_equal(asked_again, 2);
    assert_true(ask());
    expect_call("hist.zip", "", "");
}

/* What is no matter of the form is none of the other form either. */
static void one_that_is_not_asked_again(void **state) {
    (void)state;
    assert_true(ask());
    answer_to_wait(503, "", SECONDS(7));
    assert_string_equal(told, "status 503");
    assert_true(ask());
    answer(429, "");
    assert_string_equal(told, "status 429");
    assert_true(ask());
    answer(0, "no connection");
    assert_string_equal(told, "no connection");
    assert_true(ask());
    expect_call("hist.zip", "", "");
    assert_int_equal(asked_again, 0);
    assert_int_equal(made, 4);
}

/* Then it is the other form's turn with the next call. */
static void one_that_may_not_be_called_again(void **state) {
    (void)state;
    may_call_again = false;
    assert_true(ask());
    answer(404, "");
    assert_string_equal(told, "status 404");
    assert_true(ask());
    expect_call("hist.xml", "", "");
    feed(OPEN CUBES END);
    answer(200, "");
    assert_string_equal(told, "1.25");
    assert_int_equal(made, 2);
}

/* What was had serves again, as fresh as if it had come now. */
static void one_that_has_not_changed(void **state) {
    (void)state;
    assert_true(ask());
    feed(OPEN CUBES END);
    answer(200, "");
    pass(SECONDS(7200));
    assert_true(ask());
    expect_call("hist.zip", "\"one\"", "yesterday");
    answer(304, "");
    assert_string_equal(told, "1.25");
    assert_int_equal(told_of_calls, 2);
    assert_false(ask());
    pass(SECONDS(7200));
    assert_true(ask());
    feed(OPEN "<Cube time='" DAY
              "'><Cube currency='USD' rate='9'/></Cube>" END);
    answer(200, "");
    assert_string_equal(told, "9");
}

/* Nobody had asked it whether something has changed. */
static void not_changed_without_reason(void **state) {
    (void)state;
    assert_true(ask());
    answer(304, "");
    answer(304, "");
    assert_string_equal(told, "status 304");
}

/* Who waits is told in time; it is read on, for who asks next. */
static void one_that_comes_slowly(void **state) {
    (void)state;
    assert_true(ask());
    pass(MILLISECONDS(500));
    feed(OPEN);
    pass(MILLISECONDS(500));
    assert_false(ask()); /* waits for the same call, until later */
    pass(MILLISECONDS(999));
    assert_int_equal(told_count, 0);
    pass(MILLISECONDS(1));
    assert_int_equal(told_count, 1);
    assert_string_equal(told, "its answer still comes, and is read on");
    pass(SECONDS(1));
    assert_int_equal(told_count, 2);
    feed(CUBES);
    assert_false(ask());
    feed(END);
    answer(200, "");
    assert_int_equal(told_count, 3);
    assert_string_equal(told, "1.25");
    assert_false(ask());
    assert_string_equal(told, "1.25");
    assert_int_equal(told_of_calls, 1);
}

/* One that is not answered at all is ended by http. */
static void one_that_does_not_come(void **state) {
    (void)state;
    assert_true(ask());
    pass(SECONDS(5));
    assert_int_equal(told_count, 0);
    answer(0, "no answer in time");
    assert_string_equal(told, "no answer in time");
    assert_int_equal(told_of_calls, 1);
}

/* Nobody is told, and nothing is left. */
static void closed_in_the_middle(void **state) {
    (void)state;
    assert_true(ask());
    feed(OPEN CUBES);
    end(state);
    assert_string_equal(told, "");
    begin(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pieces_are_put_together, begin, end),
        cmocka_unit_test_setup_teardown(one_that_breaks_off, begin, end),
        cmocka_unit_test_setup_teardown(one_without_a_body, begin, end),
        cmocka_unit_test_setup_teardown(one_that_has_no_zip, begin, end),
        cmocka_unit_test_setup_teardown(one_that_has_no_zip_now, begin, end),
        cmocka_unit_test_setup_teardown(one_that_is_not_asked_again, begin,
                                        end),
        cmocka_unit_test_setup_teardown(one_that_may_not_be_called_again, begin,
                                        end),
        cmocka_unit_test_setup_teardown(one_that_has_not_changed, begin, end),
        cmocka_unit_test_setup_teardown(not_changed_without_reason, begin, end),
        cmocka_unit_test_setup_teardown(one_that_comes_slowly, begin, end),
        cmocka_unit_test_setup_teardown(one_that_does_not_come, begin, end),
        cmocka_unit_test_setup_teardown(closed_in_the_middle, begin, end),
    };
    return cmocka_run_group_tests_name("web_text", tests, NULL, NULL);
}
