/*
 * Answers of a web server. A line says what comes, then it comes:
 *
 *   whole, pieces    the bytes of an answer, read at its end or piece by piece
 *   long             the same, and after it its last byte 200,000 times
 *   wait             a Retry-After of that value
 *   date             a Date of that many Unix seconds, in the form of RFC 9110
 *   place            a Location of that value
 *   silence          nothing, until time is up
 *   left             the begin of an answer; then nobody waits any more
 *   turn             nothing; another call waits for its turn, until time is up
 *   key              a text that is to stand in an address
 *
 * The call ends once, whatever comes; what is said of headers is what they say.
 */
#include <curl/curl.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/loop.h"
#include "ratefetcher/providers/http.h"
#include "tests/fuzz/fuzz.h"

static struct event_base *base;
static struct settings *settings;
static int ends[2]; /* of a socket: libcurl's, and the server's */

static struct outcome {
    unsigned done;
    size_t received;
    struct http_answer answer; /* but for what was lent */
    bool failed;               /* it says why */
    char *body, *redirect;
} outcome;

static curl_socket_t on_open(void *arg, curlsocktype purpose,
                             struct curl_sockaddr *address) {
    (void)arg, (void)purpose, (void)address;
    int fd = ends[0];
    ends[0] = -1;
    return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

/* In the place of the library's: libcurl's socket is connected already. */
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t len) {
    (void)fd, (void)address, (void)len;
    return 0;
}

/* In the place of a connection libcurl gets an end of a pair of sockets. */
CURLMcode __real_curl_multi_add_handle(CURLM *multi, CURL *easy);
CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *easy);
CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *easy) {
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    return __real_curl_multi_add_handle(multi, easy);
}

static bool on_piece(void *arg, long status, struct span piece) {
    (void)arg;
    /* Of an answer that has no status there can be some all the same. */
    HOLDS((piece.len > 0 || status == 0) && outcome.done == 0, "%zu",
          piece.len);
    if (status != 200)
        return false;
    outcome.received += piece.len;
    return true;
}

static void on_done(void *arg, const struct http_answer *answer) {
    (void)arg;
    outcome.done++;
    outcome.answer = *answer;
    outcome.failed = answer->error[0] != '\0';
    outcome.body = fuzz_string(answer->body);
    outcome.redirect = fuzz_string(span_of(answer->redirect));
    event_base_loopbreak(base);
}

/* The server says all that it has to say, and that it is all. */
static void answer_with(struct span text, size_t more) {
    static char filler[4096];
    if (text.len > 0)
        memset(filler, text.data[text.len - 1], sizeof filler);
    HOLDS(send(ends[1], text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL) ==
                  (ssize_t)text.len ||
              outcome.done > 0,
          "no room");
    while (more > 0 && outcome.done == 0) {
        ssize_t n =
            send(ends[1], filler, sizeof filler, MSG_DONTWAIT | MSG_NOSIGNAL);
        more -= n < 0 ? 0 : more < (size_t)n ? more : (size_t)n;
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    shutdown(ends[1], SHUT_WR);
}

static struct http *http;
static struct http_lane lane;

/* A server that listens, and nobody who asked it anything. */
static void open_ends(void) {
    lane = (struct http_lane){.running = 0};
    settings = settings_load((char *[]){NULL}, NULL, false, SETTINGS_NOBODY);
    http = http_new(base, settings);
    TAILQ_INIT(&lane.waiting);
    outcome = (struct outcome){.done = 0};
    HOLDS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "no socket");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static void close_ends(void) {
    http_free(&http);
    settings_free(&settings);
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
}

static void ask(duration timeout, http_piece *piece) {
    http_get(http, &lane,
             &(struct http_request){.url = "http://127.0.0.1/rates?key=s3cr3t",
                                    .header = "apikey: x"},
             timeout, piece, on_done, NULL);
    for (int turn = 0; turn < 3; turn++) /* the question goes out */
        event_base_loop(base, EVLOOP_NONBLOCK);
}

static void wait_for_end(void) {
    if (outcome.done == 0)
        event_base_loop(base, 0);
    HOLDS(outcome.done == 1, "%u", outcome.done);
}

static void get(struct span text, bool in_pieces, size_t more) {
    open_ends();
    ask(SECONDS(2), in_pieces ? on_piece : NULL);
    answer_with(text, more);
    wait_for_end();
    close_ends();
}

/* The server says nothing, for a time that is short. */
static void get_nothing(void) {
    open_ends();
    ask(MILLISECONDS(2), NULL);
    wait_for_end();
    HOLDS(outcome.failed && outcome.answer.status == 0, "%ld",
          outcome.answer.status);
    close_ends();
}

/* Nobody waits for the rest any more. */
static void leave(struct span text) {
    open_ends();
    ask(SECONDS(2), NULL);
    send(ends[1], text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    event_base_loop(base, EVLOOP_NONBLOCK);
    unsigned done = outcome.done;
    close_ends();
    HOLDS(outcome.done == done, "%u", outcome.done);
}

/* All places of the lane are taken: the call never goes out. */
static void get_no_turn(void) {
    open_ends();
    lane.running = HTTP_LANE_CALLS;
    ask(MILLISECONDS(2), NULL);
    wait_for_end();
    HOLDS(outcome.failed && outcome.answer.unsent && TAILQ_EMPTY(&lane.waiting),
          "%ld", outcome.answer.status);
    outcome.answer.unsent = false;
    close_ends();
}

/* Whatever it is, in an address it stands for itself alone. */
static void check_key(struct span text) {
    char *key = fuzz_string(text);
    size_t size = 3 * text.len + 1;
    char *escaped = malloc(size);
    int len;
    http_escape(key, escaped, size);
    HOLDS(strspn(escaped, "%-._~0123456789abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(escaped),
          "%s", escaped);
    char *again = curl_easy_unescape(NULL, escaped, 0, &len);
    HOLDS(again != NULL && strcmp(again, key) == 0, "%s", escaped);
    curl_free(again);
    free(escaped);
    free(key);
}

static void check_outcome(struct span text) {
    const struct http_answer *answer = &outcome.answer;
    HOLDS(!answer->unsent, "%.*s", SPAN(text));
    HOLDS((answer->status == 0) == outcome.failed, "%ld", answer->status);
    HOLDS(answer->status >= 0 && answer->status < 1000, "%ld", answer->status);
    HOLDS(answer->retry_after.usec >= 0 &&
              answer->retry_after.usec <= 86400 * USEC_PER_SEC,
          "%lld", (long long)answer->retry_after.usec);
    for (const char *c = outcome.redirect; *c != '\0'; c++)
        HOLDS(*c > ' ' && *c <= '~', "%s", outcome.redirect);
}

static void forget_outcome(void) {
    free(outcome.body);
    free(outcome.redirect);
}

/* A header of an answer; gives whether it was read at all. */
static bool get_header(int status, const char *name, struct span value) {
    char *text = malloc(value.len + 256);
    int len = sprintf(
        text, "HTTP/1.1 %d Is\r\n%s: %.*s\r\nContent-Length: 2\r\n\r\nok",
        status, name, SPAN(value));
    get((struct span){text, (size_t)len}, false, 0);
    check_outcome(value);
    free(text);
    return outcome.answer.status == status;
}

static bool is_number(struct span text, int64_t *number) {
    *number = 0;
    for (size_t i = 0; i < text.len && i < 15; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *number = *number * 10 + (text.data[i] - '0');
    }
    return text.len > 0 && text.len < 15;
}

/* From libcurl 8.9 on no more than six hours are told. */
static void check_wait(struct span value) {
    int64_t seconds, told;
    if (!get_header(503, "Retry-After", value) || !is_number(value, &seconds))
        return;
    told = outcome.answer.retry_after.usec / USEC_PER_SEC;
    HOLDS(told == (seconds < 86400 ? seconds : 86400) ||
              (seconds > 21600 && told == 21600),
          "%.*s: %lld", SPAN(value), (long long)told);
}

static void check_date(struct span value) {
    int64_t seconds;
    char text[64];
    struct tm tm;
    if (!is_number(value, &seconds) || seconds > 253402300799)
        return;
    time_t moment = (time_t)seconds;
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT",
             gmtime_r(&moment, &tm));
    HOLDS(get_header(200, "Date", span_of(text)), "%s", text);
    int64_t ahead = clock_wall_ms() - seconds * 1000;
    HOLDS(outcome.answer.has_clock &&
              llabs(outcome.answer.clock_ahead_ms - ahead) < 5000,
          "%s: ahead by %lld ms", text,
          (long long)outcome.answer.clock_ahead_ms);
}

static void take(struct span how, struct span text) {
    if (span_equals(how, "wait")) {
        check_wait(text);
    } else if (span_equals(how, "date")) {
        check_date(text);
    } else if (span_equals(how, "place")) {
        get_header(302, "Location", text);
    } else if (span_equals(how, "silence")) {
        get_nothing();
    } else if (span_equals(how, "left")) {
        leave(text);
    } else if (span_equals(how, "turn")) {
        get_no_turn();
    } else if (span_equals(how, "key")) {
        check_key(text);
    } else {
        bool is_long = span_equals(how, "long");
        bool in_pieces = is_long || span_equals(how, "pieces");
        get(text, in_pieces, is_long ? 200000 : 0);
        check_outcome(text);
        HOLDS(!in_pieces || outcome.answer.status != 200 ||
                  outcome.answer.body.len == 0,
              "%s", outcome.body);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    struct span how = fuzz_take(&text, '\n');
    if (base == NULL) {
        base = loop_new();
        HOLDS(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl");
    }
    outcome = (struct outcome){.done = 0};
    take(how, text);
    forget_outcome();
    return 0;
}
