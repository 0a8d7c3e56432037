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
#include <sys/ioctl.h>

#include "common/backoff.h"
#include "common/log.h"
#include "common/memory.h"
#include "wsclient/dial.h"
#include "wsclient/heartbeat.h"
#include "wsclient/inbox.h"
#include "wsclient/sender.h"

#define FIRST_BACKOFF_USEC   (100 * USEC_PER_MSEC)
#define ATTEMPT_TIMEOUT_USEC (5 * USEC_PER_SEC)
#define STOOD_LONG_USEC      (10 * USEC_PER_SEC)
#define CLOSE_TIMEOUT_USEC   (1 * USEC_PER_SEC)
#define JUDGE_AGAIN_USEC     (1 * USEC_PER_MSEC)
#define HEARTBEAT_TEXT       "{\"type\":\"heartbeat\"}"

/* Close codes of RFC 6455, 7.4.1. */
enum close_code {
    CLOSE_NONE = 0,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_NOT_TEXT = 1003,
    CLOSE_NOT_UTF8 = 1007,
    CLOSE_TOO_BIG = 1009,
};

enum { HTTP_UNAUTHORIZED = 401, HTTP_FORBIDDEN = 403 };

enum state {
    STATE_WAITING, /* for the next attempt */
    STATE_CONNECTING,
    STATE_OPEN,
    STATE_CLOSING /* our close frame is out */
};

/* Why a connection ended. */
enum reason {
    REASON_CLOSED,
    REASON_FAILED,
    REASON_TIMEOUT,
    REASON_SILENT,
    REASON_PROTOCOL,
    REASON_OVERLOAD,
    REASON_STOPPED,
    REASONS
};

static const struct {
    const char *name;
    enum metric metric;
} reasons[REASONS] = {
    [REASON_CLOSED] = {"closed", METRIC_RECONNECTS_CLOSED},
    [REASON_FAILED] = {"failed", METRIC_RECONNECTS_FAILED},
    [REASON_TIMEOUT] = {"timeout", METRIC_RECONNECTS_TIMEOUT},
    [REASON_SILENT] = {"silent", METRIC_RECONNECTS_SILENT},
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
    struct heartbeat heartbeat;
    bool beat_due;
    struct inbox inbox;
    enum close_code close_code; /* to be sent at the next chance */
    enum reason reason;         /* of that close */
    unsigned peer_code;         /* of the peer's close; 0: none came */
    bool stopping;

    lws_sorted_usec_list_t next_attempt;
    lws_sorted_usec_list_t deadline; /* of the attempt, or of the close */
    lws_sorted_usec_list_t beat;
    struct sender sender;
};

static void connect_now(lws_sorted_usec_list_t *next_attempt);

/* After a connection that stood long the next attempt is made at once. */
static int64_t next_delay(struct session *s, int64_t stood) {
    if (stood >= STOOD_LONG_USEC) {
        backoff_reset(&s->backoff);
        return 0;
    }
    int64_t delay = backoff_next(&s->backoff, arc4random());
    int64_t asked_for = s->asked_delay < s->backoff.ceiling_usec
                            ? s->asked_delay
                            : s->backoff.ceiling_usec;
    return delay > asked_for ? delay : asked_for;
}

/* The connection or the attempt is over, whatever tells it first. */
static void leave(struct session *s, enum reason reason, const char *detail,
                  bool hard) {
    if (s->state == STATE_WAITING)
        return;
    bool was_open = s->state != STATE_CONNECTING;
    int64_t stood =
        was_open ? monotime_between(s->opened, clock_monotonic()) : 0;
    s->state = STATE_WAITING;
    s->close_code = CLOSE_NONE;
    s->beat_due = false;
    lws_sul_cancel(&s->deadline);
    lws_sul_cancel(&s->beat);
    dial_leave(&s->dial, hard);
    if (reason != REASON_STOPPED)
        metrics_count(s->metrics, reasons[reason].metric);
    bool done = s->stopping && pipeline_pending(s->pipeline) == 0;
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
                            log_seconds("retry_in", delay)));
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
    if (s->state != STATE_OPEN || s->close_code != CLOSE_NONE)
        return;
    s->close_code = code;
    s->reason = reason;
    lws_callback_on_writable(s->dial.wsi);
}

static void on_deadline(lws_sorted_usec_list_t *deadline) {
    struct session *s = lws_container_of(deadline, struct session, deadline);
    if (s->state == STATE_CLOSING)
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

static bool input_waits(const struct session *s) {
    int bytes = 0;
    return ioctl(lws_get_socket_fd(s->dial.wsi), FIONREAD, &bytes) == 0 &&
           bytes > 0;
}

static void on_beat(lws_sorted_usec_list_t *beat) {
    struct session *s = lws_container_of(beat, struct session, beat);
    monotime now = clock_monotonic();
    int64_t wait;
    switch (heartbeat_judge(&s->heartbeat, now, input_waits(s))) {
    case HEARTBEAT_SILENT:
        drop(s, REASON_SILENT, "no heartbeat");
        return;
    case HEARTBEAT_UNDECIDED:
        wait = JUDGE_AGAIN_USEC;
        break;
    case HEARTBEAT_ALIVE:
    default:
        if (heartbeat_take_due(&s->heartbeat, now)) {
            s->beat_due = true;
            lws_callback_on_writable(s->dial.wsi);
        }
        wait = monotime_between(now, heartbeat_next_look(&s->heartbeat));
    }
    lws_sul_schedule(s->context, 0, &s->beat, on_beat, wait > 1 ? wait : 1);
}

static void on_established(struct session *s, struct lws *wsi) {
    s->state = STATE_OPEN;
    s->opened = clock_monotonic();
    s->peer_code = 0;
    inbox_begin(&s->inbox);
    lws_sul_cancel(&s->deadline);
    dial_established(&s->dial, wsi);
    heartbeat_start(&s->heartbeat, s->opened);
    log_info("connected", LOG_FIELDS(log_text("url", s->upstream.url)));
    pipeline_connected(s->pipeline);
    on_beat(&s->beat);
    session_answers_ready(s);
    s->ports.state_changed(s->ports.arg);
}

static void on_message(struct session *s, struct span text) {
    monotime now = clock_monotonic();
    if (!pipeline_receive(s->pipeline, text, now))
        return;
    heartbeat_received(&s->heartbeat, now);
    lws_validity_confirmed(s->dial.wsi);
}

static void on_receive(struct session *s, struct lws *wsi, struct span piece) {
    if (s->state != STATE_OPEN || s->close_code != CLOSE_NONE)
        return; /* it is being closed: read past */
    if (lws_frame_is_binary(wsi)) {
        close_with(s, CLOSE_NOT_TEXT, REASON_PROTOCOL);
        return;
    }
    if (lws_is_first_fragment(wsi))
        inbox_begin(&s->inbox);
    size_t announced = lws_remaining_packet_payload(wsi);
    struct span message;
    switch (inbox_add(&s->inbox, piece, announced,
                      lws_is_final_fragment(wsi) && announced == 0, &message)) {
    case INBOX_MORE:
        break;
    case INBOX_MESSAGE:
        on_message(s, message);
        break;
    case INBOX_TOO_LONG:
        pipeline_receive_too_long(s->pipeline, clock_monotonic());
        break;
    case INBOX_NOT_UTF8:
        close_with(s, CLOSE_NOT_UTF8, REASON_PROTOCOL);
        break;
    case INBOX_TOO_BIG:
        close_with(s, CLOSE_TOO_BIG, REASON_PROTOCOL);
        break;
    }
}

/* Sends what is ready for as long as the socket takes it; false: it broke. */
static bool send_ready(struct session *s) {
    struct span answer;
    monotime now = clock_monotonic();
    if (s->beat_due &&
        !sender_send(&s->sender, s->dial.wsi, span_of(HEARTBEAT_TEXT)))
        return false;
    s->beat_due = false;
    while (!lws_partial_buffered(s->dial.wsi)) {
        if (!pipeline_next_answer(s->pipeline, now, &answer))
            return true;
        if (!sender_send(&s->sender, s->dial.wsi, answer))
            return false;
        pipeline_sent(s->pipeline, now);
    }
    lws_callback_on_writable(s->dial.wsi);
    return true;
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
    bool many = pipeline_pending(s->pipeline) > 1;
    if (many)
        sender_cork(s->dial.wsi, true);
    bool good = send_ready(s);
    if (many)
        sender_cork(s->dial.wsi, false);
    if (!good)
        drop(s, REASON_CLOSED, "sending failed");
    else if (s->stopping && pipeline_pending(s->pipeline) == 0)
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
        on_receive(s, wsi, (struct span){in, len});
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
    s->heartbeat.interval_usec =
        settings_usec(settings, SETTING_HEARTBEAT_INTERVAL_SECONDS);
    s->heartbeat.timeout_usec =
        settings_usec(settings, SETTING_HEARTBEAT_TIMEOUT_SECONDS);
    s->backoff = (struct backoff){
        .first_usec = FIRST_BACKOFF_USEC,
        .ceiling_usec = settings_usec(settings, SETTING_RECONNECT_MAX_SECONDS)};
    inbox_init(&s->inbox,
               (size_t)settings_count(settings, SETTING_MAX_MESSAGE_BYTES, 0));
    return s;
}

void session_close(struct session *session) {
    session->state = STATE_WAITING;
    lws_sul_cancel(&session->next_attempt);
    lws_sul_cancel(&session->deadline);
    lws_sul_cancel(&session->beat);
    dial_clear(&session->dial);
}

void session_free(struct session **session) {
    struct session *s = *session;
    *session = NULL;
    inbox_clear(&s->inbox);
    upstream_clear(&s->upstream);
    sender_clear(&s->sender);
    free(s);
}

void session_start(struct session *session, struct lws_context *context,
                   struct pipeline *pipeline) {
    session->context = context;
    session->pipeline = pipeline;
    session->dial = (struct dial){.context = context,
                                  .protocol = SESSION_PROTOCOL,
                                  .upstream = &session->upstream,
                                  .failed = on_dial_failed,
                                  .arg = session};
    dial_init(&session->dial);
    connect_now(&session->next_attempt);
}

void session_answers_ready(struct session *session) {
    if (session->state != STATE_OPEN)
        return;
    if (pipeline_overloaded(session->pipeline))
        drop(session, REASON_OVERLOAD, "the peer does not read its answers");
    else
        lws_callback_on_writable(session->dial.wsi);
}

void session_stop(struct session *session) {
    session->stopping = true;
    if (session->state == STATE_OPEN)
        lws_callback_on_writable(session->dial.wsi);
    else if (pipeline_pending(session->pipeline) == 0)
        session->ports.stopped(session->ports.arg);
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
    return monotime_between(session->heartbeat.received, clock_monotonic());
}

const char *session_label(const struct session *session) {
    return session->upstream.label;
}
