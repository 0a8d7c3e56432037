/* Calls that libcurl does not take: each ends once, and no place is lost. */
#include "ratefetcher/providers/http.h"

#include <curl/curl.h>
#include <dlfcn.h>

#include "tests/unit/unit.h"

/* Nobody listens there. */
#define NOWHERE "http://127.0.0.1:1/"

/* libcurl's own functions, but the next so many calls of them fail. */
static int inits_fail, adds_fail;

CURL *curl_easy_init(void) {
    CURL *(*real)(void);
    *(void **)&real = dlsym(RTLD_NEXT, "curl_easy_init");
    return inits_fail > 0 && inits_fail-- > 0 ? NULL : real();
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy) {
    CURLMcode (*real)(CURLM *, CURL *);
    *(void **)&real = dlsym(RTLD_NEXT, "curl_multi_add_handle");
    return adds_fail > 0 && adds_fail-- > 0 ? CURLM_OUT_OF_MEMORY
                                            : real(multi, easy);
}

static struct event_base *base;
static struct http *http;
static struct http_lane lane;

/* How calls have ended. */
static int unsent, unanswered, others;

static int open_http(void **state) {
    (void)state;
    base = event_base_new();
    http = http_new(base, NULL);
    TAILQ_INIT(&lane.waiting);
    lane.running = 0;
    inits_fail = adds_fail = unsent = unanswered = others = 0;
    return http != NULL ? 0 : -1;
}

static int close_http(void **state) {
    (void)state;
    http_free(&http);
    event_base_free(base);
    return 0;
}

static void on_done(void *arg, const struct http_answer *answer) {
    assert_null(arg);
    assert_true(answer->error[0] != '\0');
    if (answer->status != 0)
        others++;
    else if (answer->unsent)
        unsent++;
    else
        unanswered++;
}

static void get(duration timeout) {
    http_get(http, &lane, NOWHERE, "apikey: x", timeout, on_done, NULL);
}

/* Until nothing is left to be waited for. */
static void run(void) {
    event_base_dispatch(base);
    assert_int_equal(lane.running, 0);
    assert_true(TAILQ_EMPTY(&lane.waiting));
    assert_int_equal(others, 0);
}

static void a_call_without_a_handle(void **state) {
    (void)state;
    inits_fail = 1;
    get(SECONDS(1));
    assert_int_equal(unsent, 0); /* never from inside */
    run();
    assert_int_equal(unsent, 1);
    assert_int_equal(unanswered, 0);
}

static void a_call_that_is_not_taken(void **state) {
    (void)state;
    adds_fail = 1;
    get(SECONDS(1));
    assert_int_equal(unsent, 0);
    run();
    assert_int_equal(unsent, 1);
    assert_int_equal(unanswered, 0);
}

/* More than the lane has places: those behind them still get their turn. */
static void no_place_is_lost(void **state) {
    (void)state;
    for (int round = 0; round < 2; round++) {
        adds_fail = HTTP_LANE_CALLS + 2;
        for (int i = 0; i < 2 * HTTP_LANE_CALLS; i++)
            get(SECONDS(1));
        run();
        assert_int_equal(unsent, (HTTP_LANE_CALLS + 2) * (round + 1));
        assert_int_equal(unanswered, (HTTP_LANE_CALLS - 2) * (round + 1));
    }
}

/* One that fails when a place becomes free does not stop the one behind it. */
static void one_that_waited_is_not_taken(void **state) {
    (void)state;
    for (int i = 0; i < HTTP_LANE_CALLS; i++)
        get(SECONDS(1));
    adds_fail = 1;
    get(SECONDS(1));
    get(SECONDS(1));
    run();
    assert_int_equal(unsent, 1);
    assert_int_equal(unanswered, HTTP_LANE_CALLS + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_without_a_handle, open_http,
                                        close_http),
        cmocka_unit_test_setup_teardown(a_call_that_is_not_taken, open_http,
                                        close_http),
        cmocka_unit_test_setup_teardown(no_place_is_lost, open_http,
                                        close_http),
        cmocka_unit_test_setup_teardown(one_that_waited_is_not_taken, open_http,
                                        close_http),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
