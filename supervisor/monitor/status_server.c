#include "supervisor/monitor/status_server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/lines/message.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"
#include "common/settings/url.h"
#include "supervisor/monitor/metrics_text.h"
#include "supervisor/monitor/page.h"
#include "supervisor/monitor/status_guard.h"

#define LISTEN_RETRY SECONDS(1)
/* For so long the last status counts; it comes each second. */
#define STATUS_LASTS SECONDS(5)

enum {
    ACCEPT_PAUSE_USEC = 20000,
    MISDIRECTED = 421, /* RFC 9110, 15.5.20 */
    MAX_HEADERS_BYTES = 8192,
    MAX_BODY_BYTES = 0,
    /* Of requests that wait for their turn; above the size of one. */
    MAX_INPUT_BYTES = 2 * MAX_HEADERS_BYTES,
    IDLE_SECONDS = 5,
    /* Connections, log and pipes of the monitor together. */
    MAX_DESCRIPTORS = 128
};

struct status_server {
    struct evhttp *http;
    char *host;
    uint16_t port;
    bool is_public; /* any Host may be asked for */
    struct event *retry;
    bool refused;               /* it is said that nobody can listen there */
    struct json_object *status; /* NULL: none came */
    struct span line;           /* of it; empty: not made yet */
    monotime came;
};

/* The parts of STATUS_LISTEN; the caller frees the host. NULL: not set. */
static char *read_address(const struct settings *settings, uint16_t *port) {
    const char *text = settings_text(settings, SETTING_STATUS_LISTEN);
    if (text == NULL)
        return NULL;
    struct url url;
    char *url_text = memory_print("http://%s", text), *host = NULL;
    if (url_parse(span_of(url_text), &url)) {
        host = memory_copy(url.host.data, url.host.len);
        *port = url.port;
    }
    free(url_text);
    return host;
}

static bool is_fresh(const struct status_server *s) {
    return s->status != NULL &&
           monotime_between(s->came, clock_monotonic()).usec <
               STATUS_LASTS.usec;
}

/* For all that is told here, to whomever. */
static const char *const safety[][2] = {
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
};

static void send_body(struct evhttp_request *request, int code,
                      const char *type, const char *policy,
                      struct evbuffer *body) {
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Content-Security-Policy", policy);
    for (size_t i = 0; i < sizeof safety / sizeof *safety; i++)
        evhttp_add_header(headers, safety[i][0], safety[i][1]);
    evhttp_send_reply(request, code,
                      code == MISDIRECTED ? "Misdirected Request" : NULL, body);
}

static void send_data(struct evhttp_request *request, int code,
                      const char *type, struct evbuffer *body) {
    send_body(request, code, type, "default-src 'none'; frame-ancestors 'none'",
              body);
}

static void send_page(struct status_server *s, struct evhttp_request *request,
                      struct evbuffer *body) {
    (void)s;
    evbuffer_add_reference(body, page_html().data, page_html().len, NULL, NULL);
    send_body(request, HTTP_OK, "text/html; charset=utf-8", page_policy(),
              body);
}

static void send_status(struct status_server *s, struct evhttp_request *request,
                        struct evbuffer *body) {
    if (s->line.len == 0)
        s->line = message_line(s->status);
    evbuffer_add(body, s->line.data, s->line.len);
    evbuffer_add(body, "\n", 1);
    send_data(request, HTTP_OK, "application/json", body);
}

static void send_metrics(struct status_server *s,
                         struct evhttp_request *request,
                         struct evbuffer *body) {
    metrics_text_write(body, s->status);
    send_data(request, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
              body);
}

static void send_health(struct status_server *s, struct evhttp_request *request,
                        struct evbuffer *body) {
    (void)s;
    evbuffer_add_printf(body, "{\"healthy\":true}\n");
    send_data(request, HTTP_OK, "application/json", body);
}

static void send_ready(struct status_server *s, struct evhttp_request *request,
                       struct evbuffer *body) {
    struct json_object *ready = NULL, *reasons = NULL;
    json_object_object_get_ex(s->status, "ready", &ready);
    json_object_object_get_ex(s->status, "reasons", &reasons);
    evbuffer_add_printf(
        body, "{\"ready\":%s,\"reasons\":%s}\n", json_object_get_string(ready),
        json_object_to_json_string_ext(reasons, JSON_C_TO_STRING_PLAIN));
    send_data(request,
              json_object_get_boolean(ready) ? HTTP_OK : HTTP_SERVUNAVAIL,
              "application/json", body);
}

static const struct route {
    const char *path;
    void (*send)(struct status_server *, struct evhttp_request *,
                 struct evbuffer *body);
    bool tells; /* what the supervisor said lately */
} routes[] = {
    {"/", send_page, false},
    {"/metrics", send_metrics, true},
    {"/status.json", send_status, true},
    {"/healthz", send_health, true},
    {"/readyz", send_ready, true},
};

static const struct route *find_route(struct evhttp_request *request) {
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
    for (size_t i = 0; path != NULL && i < sizeof routes / sizeof *routes; i++)
        if (strcmp(path, routes[i].path) == 0)
            return &routes[i];
    return NULL;
}

static bool is_asked_by_its_name(const struct status_server *s,
                                 struct evhttp_request *request) {
    return s->is_public ||
           status_guard_knows(
               evhttp_find_header(evhttp_request_get_input_headers(request),
                                  "Host"),
               s->host);
}

static void answer(struct status_server *s, struct evhttp_request *request,
                   struct evbuffer *body) {
    const struct route *route = find_route(request);
    if (!is_asked_by_its_name(s, request)) {
        evbuffer_add_printf(body, "this Host is not known here; with "
                                  "STATUS_LISTEN_PUBLIC=yes any is answered\n");
        send_data(request, MISDIRECTED, "text/plain; charset=utf-8", body);
    } else if (route == NULL) {
        evbuffer_add_printf(body, "there is /, /metrics, /status.json, "
                                  "/healthz, /readyz\n");
        send_data(request, HTTP_NOTFOUND, "text/plain; charset=utf-8", body);
    } else if (route->tells && !is_fresh(s)) {
        evbuffer_add_printf(body, "{\"healthy\":false,\"ready\":false,"
                                  "\"reasons\":[\"the supervisor says "
                                  "nothing\"]}\n");
        send_data(request, HTTP_SERVUNAVAIL, "application/json", body);
    } else {
        route->send(s, request, body);
    }
}

static void on_request(struct evhttp_request *request, void *arg) {
    struct evbuffer *body = evbuffer_new();
    answer(arg, request, body);
    evbuffer_free(body);
}

/*
 * For evhttp: a connection of which no more is read than can be answered. Else
 * all would be kept that is sent by one who does not read.
 */
static struct bufferevent *new_connection(struct event_base *base, void *arg) {
    (void)arg;
    struct bufferevent *connection = bufferevent_socket_new(base, -1, 0);
    if (connection != NULL)
        bufferevent_setwatermark(connection, EV_READ, 0, MAX_INPUT_BYTES);
    return connection;
}

static void accept_again(evutil_socket_t fd, short what, void *listener) {
    (void)fd, (void)what;
    evconnlistener_enable(listener);
}

/*
 * With no descriptor left it would be tried again without a pause. The argument
 * of a listener's callbacks is evhttp's own.
 */
static void on_accept_failed(struct evconnlistener *listener, void *arg) {
    (void)arg;
    const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_USEC};
    status_guard_make_room(evconnlistener_get_fd(listener), MAX_DESCRIPTORS);
    evconnlistener_disable(listener);
    event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT,
                    accept_again, listener, &pause);
}

static void listen_there(struct status_server *s) {
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(s->http, s->host, s->port);
    if (bound == NULL) {
        if (!s->refused)
            log_error(EVENT_STATUS_NOT_SERVED,
                      LOG_FIELDS(log_text("host", s->host),
                                 log_int("port", s->port),
                                 log_text("why", strerror(errno))));
        s->refused = true;
        loop_set_timer(s->retry, LISTEN_RETRY);
        return;
    }
    evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(bound),
                                on_accept_failed);
}

static void on_retry(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    listen_there(arg);
}

static void limit_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur > MAX_DESCRIPTORS) {
        limit.rlim_cur = MAX_DESCRIPTORS;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

struct status_server *status_server_new(struct event_base *base,
                                        const struct settings *settings) {
    uint16_t port = 0;
    char *host = read_address(settings, &port);
    if (host == NULL)
        return NULL;
    limit_descriptors();
    struct status_server *s = memory_new(sizeof *s);
    *s = (struct status_server){
        .http = evhttp_new(base),
        .host = host,
        .port = port,
        .is_public = settings_is(settings, SETTING_STATUS_LISTEN_PUBLIC, "yes"),
    };
    s->retry = evtimer_new(base, on_retry, s);
    evhttp_set_gencb(s->http, on_request, s);
    evhttp_set_bevcb(s->http, new_connection, NULL);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_max_headers_size(s->http, MAX_HEADERS_BYTES);
    evhttp_set_max_body_size(s->http, MAX_BODY_BYTES);
    evhttp_set_timeout(s->http, IDLE_SECONDS);
    listen_there(s);
    return s;
}

void status_server_free(struct status_server **server) {
    struct status_server *s = *server;
    *server = NULL;
    event_free(s->retry);
    evhttp_free(s->http);
    json_object_put(s->status);
    free(s->host);
    free(s);
}

void status_server_take(struct status_server *server,
                        struct json_object *status) {
    json_object_put(server->status);
    server->status = json_object_get(status);
    server->line = (struct span){NULL, 0};
    server->came = clock_monotonic();
}

/* 0 or an errno. */
static int try_to_bind(const struct addrinfo *address) {
    int on = 1, error = 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) < 0)
        error = errno;
    close(fd);
    return error;
}

static int try_to_listen(const char *host, uint16_t port) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return EADDRNOTAVAIL;
    int error = try_to_bind(found);
    freeaddrinfo(found);
    return error;
}

char *status_server_fault(const struct settings *settings) {
    uint16_t port = 0;
    char *host = read_address(settings, &port), *fault = NULL;
    if (host == NULL)
        return NULL;
    int error = try_to_listen(host, port);
    if (error != 0)
        fault = memory_print("STATUS_LISTEN=%s: nobody can listen there: %s",
                             settings_text(settings, SETTING_STATUS_LISTEN),
                             strerror(error));
    free(host);
    return fault;
}
