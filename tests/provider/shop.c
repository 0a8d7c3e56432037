#include "shop.h"

#include "reply.h"

#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SHOP_GULP = 65536, SHOP_NUMBER = 32 };

/* Not the loop's own clock, which stands still while it is at work. */
static double shop_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double shop_now(const struct shop *s) {
    return shop_clock() - s->start;
}

/* What goes wrong with a call now: the newest that is on. NULL: nothing. */
static const struct trouble *shop_trouble(struct shop *s, int form) {
    double now = shop_now(s);
    for (size_t i = s->troubles; i-- > 0;) {
        struct trouble *t = &s->trouble[i];
        bool mine = !*t->provider || strcmp(t->provider, form_name(form)) == 0;
        if (!mine || now < t->at || t->calls == 0 ||
            (t->seconds >= 0 && now >= t->at + t->seconds))
            continue;
        if (t->calls > 0)
            t->calls--;
        return t;
    }
    return NULL;
}

/* The provider of a path, whose rest becomes *rest; -1: none. */
static int shop_form(const char *path, const char **rest) {
    for (int i = 0; path && i < FORMS; i++) {
        size_t len = strlen(form_name(i));
        if (*path == '/' && strncmp(path + 1, form_name(i), len) == 0 &&
            (path[len + 1] == '/' || path[len + 1] == '\0')) {
            *rest = path + len + 1;
            return i;
        }
    }
    return -1;
}

static void shop_header(struct evhttp_request *request, const char *name,
                        const char *value) {
    evhttp_add_header(evhttp_request_get_output_headers(request), name, value);
}

static enum reply_way shop_way(const struct trouble *t) {
    if (t && t->type == TROUBLE_SILENCE)
        return REPLY_NOTHING;
    if (t && t->type == TROUBLE_CUT)
        return REPLY_HALF;
    return t && t->type == TROUBLE_SLOW ? REPLY_SLOW : REPLY_WHOLE;
}

/* Writes the answer of a provider, or what is in its place. */
static int shop_body(const struct trouble *t, struct evhttp_request *request,
                     int form, const struct form_call *call,
                     struct evbuffer *out) {
    char seconds[SHOP_NUMBER];
    if (t && t->type == TROUBLE_STATUS) {
        snprintf(seconds, sizeof seconds, "%.0f", t->retry_after);
        if (t->retry_after >= 0)
            shop_header(request, "Retry-After", seconds);
        shop_header(request, "Content-Type", "text/plain");
        evbuffer_add_printf(out, "%u on demand\n", t->status);
        return (int)t->status;
    }
    if (t && t->type == TROUBLE_GARBAGE) {
        shop_header(request, "Content-Type", "text/html");
        evbuffer_add_printf(out, "<html><body>It works!</body></html>\n");
        return HTTP_OK;
    }
    shop_header(request, "Content-Type", form_content_type(form));
    return form_answer(form, call, out);
}

static void shop_tell(const struct shop *s, const char *path, int status,
                      const struct trouble *t) {
    if (s->quiet)
        return;
    printf("%s %d%s%s\n", path, status, t ? " fault " : "", t ? t->name : "");
    fflush(stdout);
}

static void shop_serve(struct shop *s, struct evhttp_request *request, int form,
                       const char *path, const char *rest) {
    const struct trouble *t = shop_trouble(s, form);
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *query = evhttp_uri_get_query(uri);
    struct evkeyvalq parsed;
    evhttp_parse_query_str(query ? query : "", &parsed);
    struct form_call call = {
        .ecb = s->ecb,
        .path = rest,
        .query = &parsed,
        .headers = evhttp_request_get_input_headers(request),
        .key = s->key,
        .base = t && t->type == TROUBLE_WRONG_BASE ? "USD" : "EUR",
        .factor =
            t && t->type == TROUBLE_WRONG_RATE ? 1 + t->percent / 100 : 1};
    struct evbuffer *body = evbuffer_new();
    int status = shop_body(t, request, form, &call, body);
    s->calls[form]++;
    s->faults[form] += t != NULL;
    shop_tell(s, path, status, t);
    reply_send(request, status, body, shop_way(t), t ? t->bytes : 0);
    evbuffer_free(body);
    evhttp_clear_headers(&parsed);
}

static void shop_on_request(struct evhttp_request *request, void *arg) {
    struct shop *s = arg;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = evhttp_uri_get_path(uri), *rest;
    int form = shop_form(path, &rest);
    if (form >= 0) {
        shop_serve(s, request, form, path, rest);
        return;
    }
    s->strays++;
    shop_tell(s, path ? path : "", HTTP_NOTFOUND, NULL);
    evhttp_send_error(request, HTTP_NOTFOUND, NULL);
}

static struct bufferevent *shop_secure(struct event_base *base, void *arg) {
    const struct shop *s = arg;
    SSL *tls = SSL_new(s->tls);
    struct bufferevent *bev =
        tls ? bufferevent_openssl_socket_new(base, -1, tls,
                                             BUFFEREVENT_SSL_ACCEPTING,
                                             BEV_OPT_CLOSE_ON_FREE)
            : NULL;
    if (bev) /* who hangs up may do so without a word */
        bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    return bev;
}

struct evhttp *shop_open(struct shop *s, int listener) {
    struct evhttp *http = evhttp_new(s->base);
    if (!http || evhttp_accept_socket(http, listener) < 0)
        return NULL;
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    if (s->tls)
        evhttp_set_bevcb(http, shop_secure, s);
    evhttp_set_gencb(http, shop_on_request, s);
    s->start = shop_clock();
    return http;
}

static void shop_complain(struct shop *s, unsigned number, const char *why) {
    s->bad++;
    if (number > 0)
        fprintf(stderr, "mock-provider: %s:%u: %s\n", s->script, number, why);
    else
        fprintf(stderr, "mock-provider: --fault: %s\n", why);
}

void shop_take(struct shop *s, const char *line, size_t len, unsigned number) {
    struct json_part whole = json_trim((struct json_part){line, len});
    if (whole.len == 0 || *whole.text == '#')
        return;
    if (s->troubles == SHOP_TROUBLES) {
        shop_complain(s, number, "more faults than there is room for");
        return;
    }
    const char *why =
        trouble_read(&s->trouble[s->troubles], whole, shop_now(s));
    if (why)
        shop_complain(s, number, why);
    else
        s->troubles++;
}

static void shop_take_lines(struct shop *s, bool is_end) {
    size_t len;
    char *line;
    if (is_end && evbuffer_get_length(s->unread) > 0)
        evbuffer_add(s->unread, "\n", 1); /* the last line may have none */
    while ((line = evbuffer_readln(s->unread, &len, EVBUFFER_EOL_CRLF))) {
        shop_take(s, line, len, ++s->line_number);
        free(line);
    }
}

static void shop_on_script(evutil_socket_t fd, short what, void *arg) {
    struct shop *s = arg;
    (void)what;
    int got = evbuffer_read(s->unread, fd, SHOP_GULP);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    shop_take_lines(s, got <= 0);
    if (got <= 0)
        event_del(s->reading);
    if (s->bad > 0)
        event_base_loopbreak(s->base);
}

void shop_read(struct shop *s, int fd, bool is_file) {
    s->unread = evbuffer_new();
    if (is_file) {
        while (evbuffer_read(s->unread, fd, SHOP_GULP) > 0)
            ;
        shop_take_lines(s, true);
        return;
    }
    s->reading =
        event_new(s->base, fd, EV_READ | EV_PERSIST, shop_on_script, s);
    event_add(s->reading, NULL);
}

void shop_report(const struct shop *s) {
    for (int i = 0; i < FORMS; i++)
        if (s->calls[i] > 0)
            printf("%s: calls %u, with a fault %u\n", form_name(i), s->calls[i],
                   s->faults[i]);
    if (s->strays > 0)
        printf("elsewhere: calls %u\n", s->strays);
}

void shop_close(struct shop *s) {
    SSL_CTX_free(s->tls);
    if (s->reading)
        event_free(s->reading);
    if (s->unread)
        evbuffer_free(s->unread);
}
