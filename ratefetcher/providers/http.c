/*
 * libcurl says which sockets it waits for and for how long; libevent does the
 * waiting. libcurl is never called from inside its own callbacks, but for what
 * it has to tell.
 */
#include "ratefetcher/providers/http.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/memory.h"
#include "common/settings/url.h"
#include "ratefetcher/providers/http_proxy.h"
#include "ratefetcher/providers/http_tls.h"
#include "ratefetcher/providers/http_words.h"

struct http_call {
    LIST_ENTRY(http_call) entry;
    TAILQ_ENTRY(http_call) in_lane;
    bool waits; /* it stands among those of its lane that wait */
    struct http *http;
    struct http_lane *lane;
    monotime deadline;
    struct event *too_late; /* ends a call that does not run; NULL: it runs */
    const char *why_unsent;
    CURL *easy;
    struct proxy *proxy; /* NULL: none */
    struct curl_slist *headers;
    size_t received;     /* bytes of the body */
    size_t in_a_row;     /* of them that came without a pause */
    struct event *go_on; /* after one; NULL: there was none */
    struct event *stall; /* ends it if nothing comes; NULL: it never ran */
    char *body;          /* what is kept of it */
    size_t len, size;
    char error[CURL_ERROR_SIZE];
    http_piece *piece;
    http_done *done;
    void *arg;
};

struct http {
    struct event_base *base;
    CURLM *multi;
    struct event *timer;
    const struct settings *settings;
    LIST_HEAD(, http_call) calls;
};

/* A server that asks for a longer wait is taken to ask for this one. */
enum { LONGEST_WAIT_SECONDS = 86400 };

/* Headers of rate APIs that say that no call is left, until when at most. */
static const struct {
    const char *name;
    int64_t seconds;
} quota_headers[HTTP_QUOTAS] = {
    [HTTP_MONTH] = {"X-RateLimit-Remaining-Quota-Month", 3600},
    [HTTP_MINUTE] = {"X-RateLimit-Remaining-Quota-Minute", 60},
};

/* A call that waited and has less time left could only fail. */
#define LEAST_FOR_CALL MILLISECONDS(50)

/* libcurl would read on as long as something comes: after so many bytes of a
 * body all else has its turn. */
enum { MOST_IN_A_ROW = 64 * 1024 };

static void on_stall(evutil_socket_t fd, short what, void *arg);

static const char not_taken[] = "libcurl does not take the call";

static void free_call(struct http_call *call) {
    LIST_REMOVE(call, entry);
    if (call->too_late != NULL)
        event_free(call->too_late);
    else
        curl_multi_remove_handle(call->http->multi, call->easy);
    if (call->go_on != NULL)
        event_free(call->go_on);
    if (call->stall != NULL)
        event_free(call->stall);
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    proxy_free(&call->proxy);
    free(call->body);
    free(call);
}

/* A header of the answer, lent; "": it has none. */
static const char *header_of(CURL *easy, const char *name) {
    struct curl_header *header;
    bool found =
        curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK;
    return found ? header->value : "";
}

/* How long the server asked to wait, or its quota does; 0: not at all. */
static duration wait_asked_for(CURL *easy) {
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds < 0) /* that moment is past */
        seconds = 0;
    for (size_t i = 0; seconds == 0 && i < HTTP_QUOTAS; i++) {
        const char *left = header_of(easy, quota_headers[i].name);
        if (strcmp(left, "0") == 0)
            seconds = quota_headers[i].seconds;
    }
    return SECONDS(seconds < LONGEST_WAIT_SECONDS ? seconds
                                                  : LONGEST_WAIT_SECONDS);
}

/* Ends a call that libcurl has not got, on a later turn of the loop. */
static void end_unsent(struct http_call *call, duration after,
                       const char *why) {
    call->why_unsent = why;
    loop_set_timer(call->too_late, after);
}

/* Gives the call to libcurl, in a place of its lane. */
static void begin(struct http_call *call) {
    duration left = duration_min(
        HTTP_CALL_LIMIT, monotime_between(clock_monotonic(), call->deadline));
    if (curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS,
                         (long)(HTTP_BODY_LIMIT.usec / USEC_PER_MSEC)) !=
            CURLE_OK ||
        curl_multi_add_handle(call->http->multi, call->easy) != CURLM_OK) {
        end_unsent(call, (duration){0}, not_taken);
        return;
    }
    call->stall = evtimer_new(call->http->base, on_stall, call);
    loop_set_timer(call->stall, duration_max(left, (duration){0}));
    event_free(call->too_late);
    call->too_late = NULL;
    call->lane->running++;
    if (call->piece != NULL)
        call->piece(call->arg, 0, (struct span){"", 0});
}

/* Those whose turn it is begin while there are places. */
static void begin_waiting(struct http_lane *lane) {
    while (lane->running < HTTP_LANE_CALLS && !TAILQ_EMPTY(&lane->waiting)) {
        struct http_call *call = TAILQ_FIRST(&lane->waiting);
        TAILQ_REMOVE(&lane->waiting, call, in_lane);
        call->waits = false;
        begin(call);
    }
}

/* It must not look as if the server were slow. */
static void on_too_late(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct http_call *call = arg;
    if (call->waits)
        TAILQ_REMOVE(&call->lane->waiting, call, in_lane);
    call->done(call->arg, &(struct http_answer){.unsent = true,
                                                .body = {"", 0},
                                                .etag = "",
                                                .changed = "",
                                                .error = call->why_unsent,
                                                .redirect = ""});
    free_call(call);
}

/* Compares the clocks: what a Date tells are whole seconds, cut off. */
static void read_clock(CURL *easy, struct http_answer *answer) {
    const char *date = header_of(easy, "Date"), *age = header_of(easy, "Age");
    time_t theirs = curl_getdate(date, NULL);
    if (theirs < 0 || (age[0] != '\0' && strcmp(age, "0") != 0))
        return;
    answer->has_clock = true;
    answer->clock_ahead_ms =
        clock_wall_ms() - (theirs * MSEC_PER_SEC + MSEC_PER_SEC / 2);
}

static void read_quotas(CURL *easy, struct http_answer *answer) {
    for (int i = 0; i < HTTP_QUOTAS; i++) {
        const char *left = header_of(easy, quota_headers[i].name);
        size_t digits = strspn(left, "0123456789");
        if (digits == 0 || digits > 15 || left[digits] != '\0')
            continue;
        answer->calls_left[i] =
            (struct http_calls_left){true, strtoll(left, NULL, 10)};
    }
}

/* 0: it has none; libcurl can take an answer for good that has none, or an
 * impossible one. */
static long status_of(CURL *easy) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 100 && status <= 999 ? status : 0;
}

/* Why there is no status. */
static const char *error_of(const struct http_call *call, CURLcode code) {
    return code == CURLE_OK            ? "its answer is no HTTP"
           : code == CURLE_WRITE_ERROR ? "the body is too large"
           : call->error[0] != '\0'    ? call->error
                                       : curl_easy_strerror(code);
}

static void finish(struct http_call *call, CURLcode code) {
    struct http_answer answer = {.body = {call->body, call->len},
                                 .etag = header_of(call->easy, "ETag"),
                                 .changed =
                                     header_of(call->easy, "Last-Modified"),
                                 .error = "",
                                 .redirect = ""};
    char *redirect = NULL, of_proxy[HTTP_PROXY_TEXT_SIZE];
    if (http_proxy_failed(call->easy, call->proxy, code, call->error,
                          of_proxy)) {
        answer.error = of_proxy;
    } else if (code == CURLE_OK) {
        answer.status = status_of(call->easy);
        answer.retry_after = wait_asked_for(call->easy);
        answer.redirect = redirect = http_redirect(call->easy);
        read_clock(call->easy, &answer);
        read_quotas(call->easy, &answer);
    }
    if (answer.status == 0 && answer.error[0] == '\0')
        answer.error = error_of(call, code);
    if (answer.body.data == NULL)
        answer.body.data = "";
    struct http_lane *lane = call->lane;
    call->done(call->arg, &answer);
    free(redirect);
    free_call(call);
    lane->running--;
    begin_waiting(lane);
}

static void on_stall(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct http_call *call = arg;
    snprintf(call->error, sizeof call->error, "%s",
             http_stalled(call->easy, call->received > 0));
    finish(call, CURLE_OPERATION_TIMEDOUT);
}

static void take_finished(struct http *http) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        struct http_call *call;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                          (char **)&call);
        finish(call, code);
    }
}

static void on_socket_ready(evutil_socket_t fd, short what, void *arg) {
    struct http *http = arg;
    int running, action = (what & EV_READ ? CURL_CSELECT_IN : 0) |
                          (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(http->multi, fd, action, &running);
    take_finished(http);
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct http *http = arg;
    int running;
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_finished(http);
}

/* libcurl wants to know of this socket, or not any more. */
static int on_want_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
                          void *socket_arg) {
    (void)easy;
    struct http *http = arg;
    struct event *event = socket_arg;
    if (event != NULL)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        short events = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
                               (what & CURL_POLL_OUT ? EV_WRITE : 0));
        event = event_new(http->base, fd, (short)(events | EV_PERSIST),
                          on_socket_ready, http);
        event_add(event, NULL);
    }
    curl_multi_assign(http->multi, fd, event);
    return 0;
}

static int on_want_timer(CURLM *multi, long timeout_ms, void *arg) {
    (void)multi;
    struct http *http = arg;
    if (timeout_ms < 0)
        evtimer_del(http->timer);
    else
        loop_set_timer(http->timer, MILLISECONDS(timeout_ms));
    return 0;
}

static void on_go_on(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct http_call *call = arg;
    curl_easy_pause(call->easy, CURLPAUSE_CONT);
}

static void pause_for_a_turn(struct http_call *call) {
    if (call->go_on == NULL)
        call->go_on = evtimer_new(call->http->base, on_go_on, call);
    call->in_a_row = 0;
    loop_set_timer(call->go_on, (duration){0});
}

/* Something has come; whether it was taken. */
static bool pass_on(struct http_call *call, long status, struct span piece) {
    loop_set_timer(call->stall, HTTP_CALL_LIMIT);
    return call->piece != NULL && call->piece(call->arg, status, piece);
}

static size_t on_head(char *line, size_t one, size_t len, void *arg) {
    (void)line, (void)one;
    pass_on(arg, 0, (struct span){"", 0});
    return len;
}

/* What it is given before a pause, it is given again after it. */
static size_t on_body(char *data, size_t one, size_t len, void *arg) {
    (void)one;
    struct http_call *call = arg;
    if (len > HTTP_MAX_BODY_BYTES - call->received)
        return 0; /* ends the call with CURLE_WRITE_ERROR */
    if (call->in_a_row >= MOST_IN_A_ROW) {
        pause_for_a_turn(call);
        return CURL_WRITEFUNC_PAUSE;
    }
    call->received += len;
    call->in_a_row += len;
    if (pass_on(call, status_of(call->easy), (struct span){data, len}))
        return len;
    if (call->len + len > call->size) {
        call->size = (call->len + len) * 2;
        call->body = memory_resize(call->body, call->size);
    }
    memcpy(call->body + call->len, data, len);
    call->len += len;
    return len;
}

static int on_new_socket(void *arg, curl_socket_t fd, curlsocktype purpose) {
    (void)arg, (void)purpose;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? CURL_SOCKOPT_ERROR
                                              : CURL_SOCKOPT_OK;
}

struct http *http_new(struct event_base *base,
                      const struct settings *settings) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    CURLM *multi = curl_multi_init();
    if (multi == NULL) {
        curl_global_cleanup();
        return NULL;
    }
    struct http *http = memory_new(sizeof *http);
    http->base = base;
    http->multi = multi;
    http->timer = evtimer_new(base, on_timer, http);
    http->settings = settings;
    LIST_INIT(&http->calls);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_want_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_want_timer);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    return http;
}

void http_free(struct http **http) {
    struct http *h = *http;
    *http = NULL;
    struct http_call *call;
    while ((call = LIST_FIRST(&h->calls)) != NULL)
        free_call(call);
    curl_multi_cleanup(h->multi);
    event_free(h->timer);
    free(h);
    curl_global_cleanup();
}

/* No redirect, as a key must not go elsewhere. False: without memory. */
static bool set_options(struct http_call *call, const char *url) {
    CURL *easy = call->easy;
    int failed = 0;
    failed |= curl_easy_setopt(easy, CURLOPT_URL, url);
    failed |= curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    failed |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    failed |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    failed |=
        curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* else DNS blocks */
    failed |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
    failed |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    failed |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    failed |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    failed |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    failed |= curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
    failed |= curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    failed |=
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "fxwire/" FXWIRE_VERSION);
    if (call->headers != NULL)
        failed |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
    return failed == 0 && http_tls_use(easy, call->http->settings) &&
           http_proxy_use(easy, call->proxy);
}

/* One more line, `name: value`; false: without memory. */
static bool add_header(struct http_call *call, const char *name,
                       const char *value) {
    if (value == NULL)
        return true;
    char *line = memory_print("%s%s", name, value);
    struct curl_slist *headers = curl_slist_append(call->headers, line);
    memory_wipe(line);
    if (headers != NULL)
        call->headers = headers;
    return headers != NULL;
}

/* What libcurl is to do; false: without memory. */
static bool prepare(struct http_call *call,
                    const struct http_request *request) {
    struct url peer;
    call->easy = curl_easy_init();
    if (url_parse(span_of(request->url), &peer))
        call->proxy =
            proxy_new(call->http->settings, SETTING_PROVIDER_PROXY, peer.host);
    return call->easy != NULL && add_header(call, "", request->header) &&
           add_header(call, "If-None-Match: ", request->etag) &&
           add_header(call, "If-Modified-Since: ", request->changed) &&
           set_options(call, request->url);
}

void http_get(struct http *http, struct http_lane *lane,
              const struct http_request *request, duration timeout,
              http_piece *piece, http_done *done, void *arg) {
    timeout = duration_max(timeout, (duration){0});
    duration least = duration_min(LEAST_FOR_CALL, timeout);
    struct http_call *call = memory_new(sizeof *call);
    call->http = http;
    call->lane = lane;
    call->deadline = monotime_add(clock_monotonic(), timeout);
    call->piece = piece;
    call->done = done;
    call->arg = arg;
    call->too_late = evtimer_new(http->base, on_too_late, call);
    LIST_INSERT_HEAD(&http->calls, call, entry);
    if (!prepare(call, request)) {
        end_unsent(call, (duration){0}, not_taken);
        return;
    }
    TAILQ_INSERT_TAIL(&lane->waiting, call, in_lane);
    call->waits = true;
    end_unsent(call, (duration){timeout.usec - least.usec},
               "too many calls at a time");
    begin_waiting(lane);
}

void http_escape(const char *text, char *out, size_t size) {
    char *escaped = curl_easy_escape(NULL, text, 0);
    snprintf(out, size, "%s", escaped != NULL ? escaped : "");
    if (escaped != NULL)
        explicit_bzero(escaped, strlen(escaped));
    curl_free(escaped);
}
