/* The link to ratefetcher: a peer that is slow, gone, or not to be trusted. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/pipeline_bench.h"
#include "wsclient/fd_watch.h"
#include "wsclient/ratelink.h"

#define PAST "2021-05-18"

enum { PEER_BYTES = 4 << 20, QUESTIONS_MAX = 200000 };

/* A pipeline on a link to a peer that the test plays. */
struct line {
    struct bench bench; /* first: the ports' argument is one, too */
    struct lws_context *context;
    struct ratelink *link;
    char folder[32], path[64];
    int listener, peer, log[2];
    char *got; /* what the peer was sent */
    size_t got_len;
};

static bool line_ask(void *arg, day when, struct span currency) {
    struct line *line = arg;
    return ratelink_ask(line->link, when, currency);
}

static void listen_at(struct line *line) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, line->path);
    line->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(line->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(line->listener, 1), 0);
}

static void line_open(struct line *line) {
    static const struct lws_protocols protocols[] = {
        {.name = FD_WATCH_PROTOCOL, .callback = fd_watch_callback},
        {.name = NULL},
    };
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .fd_limit_per_thread = 16,
    };
    struct bench *b = &line->bench;
    *line = (struct line){.peer = -1, .got = malloc(PEER_BYTES)};
    strcpy(line->folder, "/tmp/fxwire-unit-XXXXXX");
    assert_non_null(mkdtemp(line->folder));
    snprintf(line->path, sizeof line->path, "%s/rates.sock", line->folder);
    listen_at(line);
    char url[] = "REQUESTS_WS_URL=ws://localhost/",
         date[] = "RESPONSE_DATE="
                  "request",
         dir[64];
    snprintf(dir, sizeof dir, "RUNTIME_DIR=%s", line->folder);
    char *environment[] = {url, date, dir, NULL};
    b->settings = settings_load(environment, NULL, false, SETTINGS_WSCLIENT);
    assert_string_equal(settings_faults(b->settings), "");
    assert_int_equal(pipe2(line->log, O_NONBLOCK), 0);
    log_open("test", "error", "text", line->log[1]);
    lws_set_log_level(0, NULL);
    b->ledger = ledger_open(NULL, BENCH_LEDGER_BYTES);
    struct pipeline_ports ports = bench_ports(b);
    ports.ask = line_ask;
    b->pipeline =
        pipeline_new(b->settings, b->ledger, &b->metrics, &ports, false);
    pipeline_connected(b->pipeline);
    line->context = lws_create_context(&info);
    line->link = ratelink_new(line->context, b->settings, b->pipeline);
    line->peer = accept(line->listener, NULL, NULL);
}

static void line_close(struct line *line) {
    ratelink_free(&line->link);
    lws_context_destroy(line->context);
    bench_close(&line->bench);
    close(line->peer);
    close(line->listener);
    close(line->log[0]);
    close(line->log[1]);
    free(line->got);
    unlink(line->path);
    assert_int_equal(rmdir(line->folder), 0);
}

static void request(struct line *line, int id, const char *currency,
                    const char *date) {
    bench_request(&line->bench, id, currency, date,
                  fake_monotonic_usec - bench_at(0).usec);
}

/* One turn of the loop, its timers too, without a wait. */
static void serve(struct line *line) {
    fake_monotonic_usec++;
    lws_cancel_service(line->context);
    lws_service(line->context, 0);
}

/* Both sides do what they can for some microseconds; the peer reads all. */
static void work(struct line *line) {
    for (int idle = 0; idle < 10; idle++) {
        serve(line);
        ssize_t n = recv(line->peer, line->got + line->got_len,
                         PEER_BYTES - line->got_len - 1, MSG_DONTWAIT);
        if (n > 0) {
            line->got_len += (size_t)n;
            idle = 0;
        }
    }
    line->got[line->got_len] = '\0';
}

/* The peer was asked this since the last look, and nothing else. */
static void expect_asked(struct line *line, const char *wanted) {
    work(line);
    assert_string_equal(line->got, wanted);
    line->got_len = 0;
}

static void say(struct line *line, const char *text) {
    ssize_t len = (ssize_t)strlen(text);
    assert_int_equal(send(line->peer, text, (size_t)len, 0), len);
    assert_int_equal(send(line->peer, "\n", 1, 0), 1);
    work(line);
}

#define ASKED(date) "{\"op\":\"rates\",\"date\":\"" date "\"}\n"

/* A table of the day, without the end of the line. */
#define TABLE(more)                                                            \
    "{\"op\":\"rates\",\"date\":\"2021-05-18\",\"as_of\":\"2021-05-18\","      \
    "\"base\":\"EUR\",\"provider\":\"one\",\"fetched_at\":"                    \
    "\"2021-05-18T12:00:00Z\",\"rates\":{\"USD\":\"1.2\"}" more "}"

static void asks_and_is_answered(void **state) {
    (void)state;
    struct line line;
    line_open(&line);
    request(&line, 1, "USD", PAST);
    request(&line, 2, "USD", "2021-05-17");
    request(&line, 3, "USD", PAST);
    expect_asked(&line, ASKED(PAST) ASKED("2021-05-17"));
    say(&line, TABLE(",\"expires_in\":1"));
    bench_expect_euro(&line.bench, 1, "10", PAST, 1);
    bench_expect_euro(&line.bench, 3, "10", PAST, 1);
    say(&line, "{\"op\":\"error\",\"date\":\"2021-05-17\",\"code\":\"x\"}");
    bench_expect_error(&line.bench, "2", "no rates can be had for this date",
                       1);
    request(&line, 4, "XAF", PAST);
    expect_asked(&line, "{\"op\":\"rates\",\"date\":\"2021-05-18\","
                        "\"currency\":\"XAF\"}\n");
    line_close(&line);
}

/* Asks for so many days that no more is taken. Gives how many were. */
static int fill_up(struct line *line) {
    int taken = 0;
    while (ratelink_ask(line->link, DAY_FIRST_RATES, span_of("AAA")))
        assert_true(++taken < QUESTIONS_MAX);
    return taken;
}

/* A peer that does not read for a while is asked all the same, and once. */
static void a_full_queue_loses_no_question(void **state) {
    (void)state;
    struct line line;
    char *end;
    line_open(&line);
    int taken = fill_up(&line), lines = 0;
    request(&line, 1, "USD", PAST);
    request(&line, 2, "USD", "2021-05-17");
    work(&line);
    for (char *at = line.got; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        if (++lines == taken)
            assert_string_equal(end + 1, ASKED(PAST) ASKED("2021-05-17"));
    }
    assert_int_equal(lines, taken + 2);
    line.got_len = 0;
    request(&line, 3, "USD", "2021-05-16");
    expect_asked(&line, ASKED("2021-05-16"));
    line_close(&line);
}

/* The link was left; it is made again after a while, and the peer is there. */
static void accept_again(struct line *line) {
    static char rest[PEER_BYTES];
    ssize_t n;
    serve(line);
    while ((n = recv(line->peer, rest, sizeof rest, MSG_DONTWAIT)) > 0)
        ;
    assert_int_equal(n, 0);
    close(line->peer);
    fake_monotonic_usec += SECOND;
    serve(line);
    line->peer = accept4(line->listener, NULL, NULL, SOCK_CLOEXEC);
}

/* On a new link all is asked that is open, also what an old one had taken. */
static void a_new_link_asks_what_is_open(void **state) {
    (void)state;
    struct line line;
    line_open(&line);
    request(&line, 1, "USD", PAST);
    expect_asked(&line, ASKED(PAST));
    fill_up(&line);
    request(&line, 2, "USD", "2021-05-17");
    shutdown(line.peer, SHUT_RDWR);
    accept_again(&line);
    expect_asked(&line, ASKED(PAST) ASKED("2021-05-17"));
    line_close(&line);
}

/* For how long a table holds may be told by any number. */
static void odd_ages(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* it holds so long, and not a second longer */
    } ages[] = {
        {"", 0},
        {",\"expires_in\":\"5\"", 0},
        {",\"expires_in\":-1", 0},
        {",\"expires_in\":-1e300", 0},
        {",\"expires_in\":1.5", 1},
        {",\"expires_in\":1e12", 365 * 86400},
        {",\"expires_in\":9223372036854775807", 365 * 86400},
        {",\"expires_in\":1e300", 365 * 86400},
    };
    for (size_t i = 0; i < COUNT_OF(ages); i++) {
        struct line line;
        char text[512];
        line_open(&line);
        snprintf(text, sizeof text, TABLE("%s"), ages[i].text);
        int64_t start = fake_monotonic_usec;
        say(&line, text);
        fake_monotonic_usec = start + ages[i].seconds * SECOND;
        if (ages[i].seconds > 0) {
            request(&line, 1, "USD", PAST);
            bench_expect_euro(&line.bench, 1, "10", PAST, 0);
        }
        fake_monotonic_usec += SECOND;
        request(&line, 2, "USD", PAST);
        expect_asked(&line, ASKED(PAST));
        line_close(&line);
    }
}

/* Whoever sends these is no ratefetcher of ours; it costs the link alone. */
static void bad_lines(void **state) {
    (void)state;
    static const char *const lines[] = {
        "",
        "{}",
        "rates",
        "{\"op\":\"rates\",\"date\":\"2021-02-30\"}",
        "{\"op\":\"rates\",\"date\":1}",
        "{\"op\":\"status\",\"date\":\"2021-05-18\"}",
        "{\"op\":\"error\",\"date\":\"1999-01-03\"}",
        "{\"op\":\"error\",\"date\":\"0001-01-01\",\"currency\":\"USD\","
        "\"code\":\"unknown_currency\"}",
        "{\"op\":\"error\",\"date\":\"2021-05-18\",\"currency\":\"X\","
        "\"code\":\"unknown_currency\"}",
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct line line;
        char log[LOG_LINE_BYTES] = "";
        line_open(&line);
        request(&line, 1, "USD", PAST);
        expect_asked(&line, ASKED(PAST));
        say(&line, lines[i]);
        assert_true(read(line.log[0], log, sizeof log - 1) > 0);
        if (strstr(log, "rates_line_bad") == NULL)
            fail_msg("%s: %s", lines[i], log);
        accept_again(&line);
        expect_asked(&line, ASKED(PAST));
        say(&line, TABLE(""));
        bench_expect_euro(&line.bench, 1, "10", PAST, 1);
        line_close(&line);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_and_is_answered),
        cmocka_unit_test(a_full_queue_loses_no_question),
        cmocka_unit_test(a_new_link_asks_what_is_open),
        cmocka_unit_test(odd_ages),
        cmocka_unit_test(bad_lines),
    };
    return cmocka_run_group_tests_name("ratelink", tests, NULL, NULL);
}
