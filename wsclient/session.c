/*
 * Everything libwebsockets 4.1 is known to do wrong is met here: it is closed
 * only from the writeable callback (closing with a reason while receiving
 * overflows its heap), a failed attempt is recognised by any of three signs,
 * and nothing is written while output is buffered.
 */
#include "wsclient/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/backoff.h"
#include "common/log.h"
#include "common/memory.h"
#include "wsclient/dial.h"
#include "wsclient/link.h"

#define FIRST_BACKOFF_USEC   (100 * USEC_PER_MSEC)
#define ATTEMPT_TIMEOUT_USEC (5 * USEC_PER_SEC)
#define STOOD_LONG_USEC      (10 * USEC_PER_SEC)
#define CLOSE_TIMEOUT_USEC   (1 * USEC_PER_SEC)
#define LEAVE_TIMEOUT_USEC   (USEC_PER_SEC / 2)

enum { HTTP_UNAUTHORIZED = 401, HTTP_FORBIDDEN = 403 };

enum state {
    STATE_WAITING, /* for the next attempt */
    STATE_CONNECTING,
    STATE_OPEN,
    STATE_CLOSING /* our close frame is out */
};

static const struct {
    const char *name;
    enum metric metric;
} reasons[REASONS] = {
    [REASON_CLOSED] = {"closed", METRIC_RECONNECTS_CLOSED},
    [REASON_FAILED] = {"failed", METRIC_RECONNECTS_FAILED},
    [REASON_TIMEOUT] = {"timeout", METRIC_RECONNECTS_TIMEOUT},
    [REASON_SILENT] = {"silent", METRIC_RECONNECTS_SILENT},
    [REASON_STALLED] = {"stalled", METRIC_RECONNECTS_STALLED},
    [REASON_PROTOCOL] = {"protocol", METRIC_RECONNECTS_PROTOCOL},
    [REASON_OVERLOAD] = {"overload", METRIC_RECONNECTS_OVERLOAD},
    [REASON_STOPPED] = {"stopped", METRIC_RECONNECTS_CLOSED},
};

struct session {
    struct session_ports ports;
    struct metrics *metrics;
    struct pipeline *pipeline;
    struct lws_context *context;
    struct upstream upstream;

    enum state state;
    struct dial dial;
    monotime opened;
    struct backoff backoff;
    int64_t asked_delay; /* by the server, before the next attempt */
    struct link link;
    enum close_code close_code; /* to be sent at the next chance */
    enum reason reason;         /* of that close */
    unsigned peer_code;         /* of the peer's close; 0: none came */
    bool stopping;
    bool leaving; /* whatever is still in hand */

    lws_sorted_usec_list_t next_attempt;
    lws_sorted_usec_list_t deadline; /* of the attempt, or of the close */
};

static void connect_now(lws_sorted_usec_list_t *next_attempt);

/* After a connection that stood long the next attempt is made at once. */
static int64_t next_delay(struct session *s, int64_t stood) {
    if (stood >= STOOD_LONG_USEC) {
        backoff_reset(&s->backoff);
        return 0;
    }
    int64_t delay = backoff_next(&s->backoff, arc4random()).usec;
    int64_t asked_for = s->asked_delay < s->backoff.ceiling.usec
                            ? s->asked_delay
                            : s->backoff.ceiling.usec;
    return delay > asked_for ? delay : asked_for;
}

/* Whether a stop that was asked for has come to its end. */
static bool is_done(const struct session *s) {
    return s->leaving || (s->stopping && pipeline_pending(s->pipeline) == 0);
}

/* The connection or the attempt is over, whatever tells it first. */
static void leave(struct session *s, enum reason reason, const char *detail,
                  bool hard) {
    if (s->state == STATE_WAITING)
        return;
    bool was_open = s->state != STATE_CONNECTING;
    int64_t stood =
        was_open ? monotime_between(s->opened, clock_monotonic()).usec : 0;
    s->state = STATE_WAITING;
    s->close_code = CLOSE_NONE;
    lws_sul_cancel(&s->deadline);
    link_close(&s->link);
    dial_leave(&s->dial, hard);
    if (reason != REASON_STOPPED)
        metrics_count(s->metrics, reasons[reason].metric);
    bool done = is_done(s);
    int64_t delay = next_delay(s, stood);
    if (done)
        log_info("disconnected",
                 LOG_FIELDS(log_text("upstream", s->upstream.label),
                            log_text("reason", reasons[reason].name)));
    else
        log_warn(was_open ? "disconnected" : "connect_failed",
                 LOG_FIELDS(log_text("upstream", s->upstream.label),
                            log_text("reason", reasons[reason].name),
                            log_text("detail", detail),
                            log_duration("retry_in", (duration){delay})));
    s->ports.state_changed(s->ports.arg);
    if (done)
        s->ports.stopped(s->ports.arg);
    else
        lws_sul_schedule(s->context, 0, &s->next_attempt, connect_now, delay);
}

/* The peer or the library has ended it. */
static void gone(struct session *s, enum reason reason, const char *detail) {
    leave(s, reason, detail, false);
}

/* Leaves the connection at once, without a closing handshake. */
static void drop(struct session *s, enum reason reason, const char *detail) {
    leave(s, reason, detail, true);
}

/* Closes with a code, from the writeable callback that this asks for. */
static void close_with(struct session *s, enum close_code code,
                       enum reason reason) {
    if (code == CLOSE_NONE || s->state != STATE_OPEN ||
        s->close_code != CLOSE_NONE)
        return;
    s->close_code = code;
    s->reason = reason;
    lws_callback_on_writable(s->dial.wsi);
}

static void on_deadline(lws_sorted_usec_list_t *deadline) {
    struct session *s = lws_container_of(deadline, struct session, deadline);
    if (s->state != STATE_CONNECTING)
        drop(s, s->reason, "closing handshake not answered");
    else
        drop(s, REASON_TIMEOUT,
             s->dial.addresses.count == 0 ? "the name look-up took too long"
                                          : "the attempt took too long");
}

static void on_dial_failed(void *arg, const struct dial_failure *failure) {
    struct session *s = arg;
    s->asked_delay = failure->retry_after_usec;
    if (failure->status == HTTP_UNAUTHORIZED ||
        failure->status == HTTP_FORBIDDEN) {
        s->asked_delay = INT64_MAX; /* it will hardly help: at the ceiling */
        log_error("handshake_refused",
                  LOG_FIELDS(log_text("upstream", s->upstream.label),
                             log_int("status", failure->status)));
        s->ports.alert(s->ports.arg, "handshake_refused", failure->detail);
    }
    gone(s, REASON_FAILED, failure->detail);
}

static void connect_now(lws_sorted_usec_list_t *next_attempt) {
    struct session *s =
        lws_container_of(next_attempt, struct session, next_attempt);
    s->state = STATE_CONNECTING;
    s->asked_delay = 0;
    lws_sul_schedule(s->context, 0, &s->deadline, on_deadline,
                     ATTEMPT_TIMEOUT_USEC);
    dial_begin(&s->dial, ATTEMPT_TIMEOUT_USEC);
}

static void on_lost(void *arg, enum reason reason, const char *detail) {
    drop(arg, reason, detail);
}

static void on_established(struct session *s, struct lws *wsi) {
    s->state = STATE_OPEN;
    s->opened = clock_monotonic();
    s->peer_code = 0;
    lws_sul_cancel(&s->deadline);
    dial_established(&s->dial, wsi);
    log_info("connected", LOG_FIELDS(log_text("url", s->upstream.url)));
    link_open(&s->link, wsi, s->opened);
    s->ports.state_changed(s->ports.arg);
}

static void on_receive(struct session *s, struct span piece) {
    if (s->state == STATE_OPEN && s->close_code == CLOSE_NONE)
        close_with(s, link_receive(&s->link, piece), REASON_PROTOCOL);
}

/* What the callback has to return: -1 ends the connection. */
static int on_writeable(struct session *s) {
    if (s->state != STATE_OPEN)
        return 0; /* it comes again while closing */
    if (s->close_code != CLOSE_NONE) {
        lws_close_reason(s->dial.wsi, (enum lws_close_status)s->close_code,
                         NULL, 0);
        s->state = STATE_CLOSING;
        lws_sul_schedule(s->context, 0, &s->deadline, on_deadline,
                         CLOSE_TIMEOUT_USEC);
        return -1;
    }
    if (!link_send(&s->link))
        drop(s, REASON_CLOSED, "sending failed");
    else if (is_done(s))
        close_with(s, CLOSE_GOING_AWAY, REASON_STOPPED);
    return 0;
}

/* RFC 6455, 5.5.1: a close frame may begin with a code of two bytes. */
static void on_peer_close(struct session *s, const unsigned char *in,
                          size_t len) {
    if (len >= 2)
        s->peer_code = (unsigned)in[0] << 8 | in[1];
}

static void on_closed(struct session *s) {
    char detail[32];
    snprintf(detail, sizeof detail, "close code %u", s->peer_code);
    if (s->state == STATE_CONNECTING)
        dial_given_up(&s->dial);
    else
        gone(s, s->state == STATE_CLOSING ? s->reason : REASON_CLOSED,
             s->peer_code != 0 ? detail : NULL);
}

/* The last moment before a secret leaves for the peer. */
static int add_authorization(struct session *s, struct lws *wsi,
                             unsigned char **at, size_t room) {
    const char *value = s->upstream.authorization;
    if (!dial_check_peer(&s->dial, wsi))
        return -1;
    if (value == NULL)
        return 0;
    return lws_add_http_header_by_name(
        wsi,
        (const unsigned char *)"Authorization:", (const unsigned char *)value,
        (int)strlen(value), at, *at + room);
}

int session_callback(struct lws *wsi, enum lws_callback_reasons reason,
                     void *user, void *in, size_t len) {
    (void)user;
    const struct lws_protocols *protocol =
        wsi != NULL ? lws_get_protocol(wsi) : NULL;
    struct session *s = protocol != NULL ? protocol->user : NULL;
    if (s == NULL || s->state == STATE_WAITING || !dial_owns(&s->dial, wsi))
        return 0; /* of an attempt that was left */
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return add_authorization(s, wsi, in, len);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        on_established(s, wsi);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        on_receive(s, (struct span){in, len});
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        if (s->state == STATE_OPEN)
            link_receive_pong(&s->link, (struct span){in, len});
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writeable(s);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        on_peer_close(s, in, len);
        break;
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        dial_answered(&s->dial, wsi);
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        dial_error(&s->dial, wsi, in);
        break;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
        on_closed(s);
        break;
    default:
        break;
    }
    return 0;
}

struct session *session_new(const struct settings *settings,
                            struct metrics *metrics,
                            const struct session_ports *ports) {
    struct session *s = memory_new(sizeof *s);
    s->ports = *ports;
    s->metrics = metrics;
    upstream_init(&s->upstream,
                  settings_text(settings, SETTING_REQUESTS_WS_URL),
                  settings_text(settings, SETTING_WS_AUTHORIZATION));
    s->backoff = (struct backoff){
        .first = {FIRST_BACKOFF_USEC},
        .ceiling = settings_duration(settings, SETTING_RECONNECT_MAX_SECONDS)};
    link_init(&s->link, settings);
    s->link.lost = on_lost;
    s->link.arg = s;
    return s;
}

void session_close(struct session *session) {
    session->state = STATE_WAITING;
    lws_sul_cancel(&session->next_attempt);
    lws_sul_cancel(&session->deadline);
    link_close(&session->link);
    dial_clear(&session->dial);
}

void session_free(struct session **session) {
    struct session *s = *session;
    *session = NULL;
    link_clear(&s->link);
    upstream_clear(&s->upstream);
    free(s);
}

void session_start(struct session *session, struct lws_context *context,
                   struct pipeline *pipeline) {
    session->context = context;
    session->pipeline = pipeline;
    session->link.context = context;
    session->link.pipeline = pipeline;
    session->dial = (struct dial){.context = context,
                                  .protocol = SESSION_PROTOCOL,
                                  .upstream = &session->upstream,
                                  .failed = on_dial_failed,
                                  .arg = session};
    dial_init(&session->dial);
    connect_now(&session->next_attempt);
}

void session_answers_ready(struct session *session) {
    if (session->state == STATE_OPEN)
        lws_callback_on_writable(session->dial.wsi);
}

void session_stop(struct session *session) {
    session->stopping = true;
    link_hurry(&session->link);
    if (session->state != STATE_OPEN && is_done(session))
        session->ports.stopped(session->ports.arg);
}

void session_leave(struct session *session) {
    session->leaving = true;
    if (session->state == STATE_OPEN) {
        close_with(session, CLOSE_GOING_AWAY, REASON_STOPPED);
        lws_sul_schedule(session->context, 0, &session->deadline, on_deadline,
                         LEAVE_TIMEOUT_USEC);
    } else if (session->state != STATE_CLOSING) {
        session->ports.stopped(session->ports.arg);
    }
}

void session_library_said(struct session *session, struct span line) {
    dial_library_said(&session->dial, line);
}

void session_tls_said(struct session *session, const char *why) {
    dial_tls_said(&session->dial, why);
}

bool session_is_connected(const struct session *session) {
    return session->state == STATE_OPEN;
}

int64_t session_heartbeat_age(const struct session *session) {
    return monotime_between(session->link.heartbeat.received, clock_monotonic())
        .usec;
}

const char *session_receipts(const struct session *session) {
    return receipts_name(session->link.receipts.kind);
}

const char *session_label(const struct session *session) {
    return session->upstream.label;
}

const char *session_ledger_name(const struct session *session) {
    return session->upstream.ledger_name;
}
