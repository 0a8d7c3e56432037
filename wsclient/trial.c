#include "wsclient/trial.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "common/process.h"
#include "wsclient/context.h"
#include "wsclient/link/dial.h"

#define ATTEMPT_LIMIT SECONDS(5)

/* Until the close frame is out; its answer is not read. */
#define CLOSE_LIMIT MILLISECONDS(500)

struct link_trial {
    struct lws_context *context;
    struct upstream upstream;
    struct dial dial;
    struct lws *wsi; /* of the link; NULL: it does not stand */
    lws_sorted_usec_list_t begin, limit;
    bool connected, over;
    char detail[DIAL_TEXT_SIZE];
};

static void finish(struct link_trial *t) {
    t->over = true;
    lws_cancel_service(t->context); /* the loop looks at it */
}

static void fail(struct link_trial *t, const char *detail) {
    snprintf(t->detail, sizeof t->detail, "%s", detail);
    finish(t);
}

static void on_failed(void *arg, const struct dial_failure *failure) {
    fail(arg, failure->detail);
}

static void on_limit(lws_sorted_usec_list_t *limit) {
    struct link_trial *t = lws_container_of(limit, struct link_trial, limit);
    if (!t->connected)
        dial_stage(&t->dial, t->detail);
    finish(t);
}

static void set_limit(struct link_trial *t, duration limit) {
    lws_sul_schedule(t->context, 0, &t->limit, on_limit, limit.usec);
}

/* From the loop, as the library can not connect before it runs. */
static void on_begin(lws_sorted_usec_list_t *begin) {
    struct link_trial *t = lws_container_of(begin, struct link_trial, begin);
    set_limit(t, ATTEMPT_LIMIT);
    dial_begin(&t->dial, ATTEMPT_LIMIT);
}

static void on_established(struct link_trial *t, struct lws *wsi) {
    dial_succeeded(&t->dial);
    t->wsi = wsi;
    t->connected = true;
    set_limit(t, CLOSE_LIMIT);
    lws_rx_flow_control(wsi, 0);
    lws_callback_on_writable(wsi);
}

static int on_writeable(struct link_trial *t, struct lws *wsi) {
    if (wsi != t->wsi)
        return 0;
    t->wsi = NULL;
    lws_close_reason(wsi, LWS_CLOSE_STATUS_GOINGAWAY, NULL, 0);
    return -1;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason,
                    void *user, void *in, size_t len) {
    (void)user;
    struct link_trial *t = lws_context_user(lws_get_context(wsi));
    if (t->over || !dial_owns(&t->dial, wsi))
        return 0;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return dial_add_headers(&t->dial, wsi, in, len) ? 0 : -1;
    case LWS_CALLBACK_WSI_CREATE:
        return dial_connected(&t->dial, wsi) ? 0 : -1;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        dial_agreed(&t->dial, wsi);
        break;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        on_established(t, wsi);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writeable(t, wsi);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        dial_error(&t->dial, wsi, in);
        break;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
        if (t->connected)
            finish(t);
        else
            dial_given_up(&t->dial);
        break;
    default:
        break;
    }
    return 0;
}

static void print(const struct link_trial *t) {
    const char *chosen = t->dial.chosen[0] != '\0' ? t->dial.chosen : NULL;
    log_print_row(
        STDOUT_FILENO, "upstream",
        LOG_FIELDS(log_text("upstream", t->upstream.label),
                   log_text("result", t->connected ? "ok" : "failed"),
                   log_text("protocol", chosen),
                   log_text("proxy", dial_proxy(&t->dial)),
                   log_text("detail", t->connected ? NULL : t->detail)));
}

int trial_run(const struct settings *settings) {
    struct link_trial t = {.over = false};
    log_open("wsclient", "error", settings_text(settings, SETTING_LOG_FORMAT),
             STDERR_FILENO); /* the row says all that is to be said */
    process_take_ends();
    upstream_init(&t.upstream, settings_text(settings, SETTING_REQUESTS_WS_URL),
                  settings_text(settings, SETTING_WS_AUTHORIZATION));
    upstream_introduce(&t.upstream,
                       settings_text(settings, SETTING_WS_PROTOCOL),
                       settings_text(settings, SETTING_WS_ORIGIN));
    t.context = context_new(settings, on_event, &t);
    if (t.context == NULL) {
        log_error(EVENT_START_FAILED,
                  LOG_FIELDS(log_text("why", "libwebsockets")));
        return EX_SOFTWARE;
    }
    dial_init(&t.dial, t.context, &t.upstream, settings, CONTEXT_PROTOCOL,
              on_failed, &t);
    lws_sul_schedule(t.context, 0, &t.begin, on_begin, 1);
    while (!t.over && lws_service(t.context, 0) >= 0)
        ;
    print(&t);
    lws_sul_cancel(&t.limit);
    dial_leave(&t.dial);
    dial_clear(&t.dial);
    lws_context_destroy(t.context);
    upstream_clear(&t.upstream);
    return t.connected ? EX_OK : EX_UNAVAILABLE;
}
