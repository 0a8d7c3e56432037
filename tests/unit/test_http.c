/*
 * Calls that libcurl does not take: each ends once, and no place is lost. And
 * bodies that are given on piece by piece.
 */
#include "ratefetcher/providers/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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
static struct settings *settings;
static struct http *http;
static struct http_lane lane;

/* How calls have ended. */
static int unsent, unanswered, others;

static int open_http(void **state) {
    (void)state;
    base = event_base_new();
    settings = settings_load((char *[]){NULL}, NULL, false, SETTINGS_NOBODY);
    http = http_new(base, settings);
    TAILQ_INIT(&lane.waiting);
    lane.running = 0;
    inits_fail = adds_fail = unsent = unanswered = others = 0;
    return http != NULL ? 0 : -1;
}

static int close_http(void **state) {
    (void)state;
    http_free(&http);
    settings_free(&settings);
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
    http_get(http, &lane,
             &(struct http_request){.url = NOWHERE, .header = "apikey: x"},
             timeout, NULL, on_done, NULL);
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

/* Answers one call with such a body of zeros; gives its address. */
static pid_t serve(const char *status, size_t len, char address[static 32]) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0), buffer = 4 << 20;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    snprintf(address, 32, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    pid_t pid = fork();
    if (pid == 0) {
        static char zeros[1 << 16];
        int client = accept(fd, NULL, NULL);
        setsockopt(client, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
        dprintf(client, "HTTP/%s\r\nContent-Length: %zu\r\n\r\n", status, len);
        for (ssize_t n; len > 0; len -= (size_t)n) {
            n = send(client, zeros, len < sizeof zeros ? len : sizeof zeros,
                     MSG_NOSIGNAL);
            if (n < 0)
                break;
        }
        shutdown(client, SHUT_WR);
        while (recv(client, zeros, sizeof zeros, 0) > 0)
            ;
        _exit(0);
    }
    close(fd);
    return pid;
}

static struct {
    size_t bytes, in_turn, most_in_turn;
    bool done;
    long status;
    size_t body;
    duration retry_after;
    char error[64];
    struct event *turn;
} got;

static bool on_piece(void *arg, long status, struct span piece) {
    assert_ptr_equal(arg, &got);
    if (status != 200)
        return false;
    got.bytes += piece.len;
    got.in_turn += piece.len;
    if (got.in_turn > got.most_in_turn)
        got.most_in_turn = got.in_turn;
    return true;
}

static void on_turn(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what, (void)arg;
    got.in_turn = 0;
    event_add(got.turn, &(struct timeval){0});
}

static void on_whole(void *arg, const struct http_answer *answer) {
    assert_ptr_equal(arg, &got);
    got.done = true;
    got.status = answer->status;
    got.body = answer->body.len;
    got.retry_after = answer->retry_after;
    snprintf(got.error, sizeof got.error, "%s", answer->error);
}

static void get_pieces(const char *status, size_t len) {
    char address[32];
    pid_t server = serve(status, len, address);
    memset(&got, 0, sizeof got);
    got.turn = evtimer_new(base, on_turn, NULL);
    event_add(got.turn, &(struct timeval){0});
    http_get(http, &lane, &(struct http_request){.url = address}, SECONDS(60),
             on_piece, on_whole, &got);
    while (!got.done)
        event_base_loop(base, EVLOOP_ONCE);
    event_free(got.turn);
    http_free(&http); /* it would keep the connection */
    waitpid(server, NULL, 0);
    http = http_new(base, settings);
}

/* However much there is, the rest of the loop has its turn in between. */
static void a_long_body(void **state) {
    (void)state;
    enum { LEN = 10 << 20, MOST = 128 << 10 };
    get_pieces("1.1 200 OK", LEN);
    assert_string_equal(got.error, "");
    assert_int_equal(got.status, 200);
    assert_int_equal(got.bytes, LEN);
    assert_int_equal(got.body, 0);
    if (got.most_in_turn > MOST)
        fail_msg("%zu bytes in one turn", got.most_in_turn);
}

static void a_body_that_is_too_long(void **state) {
    (void)state;
    get_pieces("1.1 200 OK", HTTP_MAX_BODY_BYTES + 1);
    assert_int_equal(got.status, 0);
    assert_string_equal(got.error, "the body is too large");
    assert_true(got.bytes <= HTTP_MAX_BODY_BYTES);
}

/* What is no table is not read as one. */
static void a_body_with_another_status(void **state) {
    (void)state;
    get_pieces("1.1 503 Busy", 100000);
    assert_int_equal(got.status, 503);
    assert_int_equal(got.bytes, 0);
    assert_int_equal(got.body, 100000);
}

static void no_body(void **state) {
    (void)state;
    get_pieces("1.1 200 OK", 0);
    assert_int_equal(got.status, 200);
    assert_int_equal(got.bytes, 0);
}

/* libcurl 7.88 says of these that all went well, without a status or with -1;
 * later ones take some for 200. */
static void statuses_that_are_none(void **state) {
    (void)state;
    static const char *const lines[] = {"200", "222222222222222222222222 ",
                                        "1.1 099 Low"};
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        get_pieces(lines[i], 0);
        assert_true(got.status == 0 || got.status == 200);
        assert_int_equal(got.status == 0, got.error[0] != '\0');
    }
}

/* From libcurl 8.9 on no more than six hours are told. */
static void expect_wait(const char *asked, int64_t least, int64_t most) {
    char status[128];
    snprintf(status, sizeof status, "1.1 429 Slow\r\nRetry-After: %s", asked);
    get_pieces(status, 0);
    assert_int_equal(got.status, 429);
    assert_in_range(got.retry_after.usec, least * USEC_PER_SEC,
                    most * USEC_PER_SEC);
}

/* A moment that is past asks for no wait: as if nothing were said of one. */
static void waits_that_are_asked_for(void **state) {
    (void)state;
    expect_wait("7", 7, 7);
    expect_wait("0", 0, 0);
    expect_wait("Fri, 13 Jun 2025 12:00:00 GMT", 0, 0);
    expect_wait("-5", 0, 0);
    expect_wait("Fri, 13 Jun 2225 12:00:00 GMT", 21600, 86400);
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
        cmocka_unit_test_setup_teardown(a_long_body, open_http, close_http),
        cmocka_unit_test_setup_teardown(a_body_that_is_too_long, open_http,
                                        close_http),
        cmocka_unit_test_setup_teardown(a_body_with_another_status, open_http,
                                        close_http),
        cmocka_unit_test_setup_teardown(no_body, open_http, close_http),
        cmocka_unit_test_setup_teardown(statuses_that_are_none, open_http,
                                        close_http),
        cmocka_unit_test_setup_teardown(waits_that_are_asked_for, open_http,
                                        close_http),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
