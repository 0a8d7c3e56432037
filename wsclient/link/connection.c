/*
 * Everything libwebsockets 4.1 is known to do wrong is met here: it is closed
 * only from the writeable callback (closing with a reason while receiving
 * overflows its heap), a failed attempt is recognised by any of three signs,
 * and nothing is written while output is buffered.
 */
#include "wsclient/link/connection.h"

#include <stdlib.h>
#include <string.h>

#include "common/backoff.h"
#include "common/log.h"
#include "common/memory.h"
#include "wsclient/context.h"
#include "wsclient/link/breaks.h"
#include "wsclient/link/dial.h"
#include "wsclient/link/hearsay.h"
#include "wsclient/link/link_log.h"
#include "wsclient/link/peer_end.h"
#include "wsclient/link/traffic.h"
#include "wsclient/tick.h"

#define FIRST_BACKOFF    MILLISECONDS(100)
#define ATTEMPT_LIMIT    SECONDS(5)
#define STOOD_LONG       SECONDS(10)
#define STOOD            SECONDS(1)
#define CLOSE_LIMIT      SECONDS(1)
#define LAST_CLOSE_LIMIT MILLISECONDS(500)

/* Older ones turn the codes 1012 to 1014 into 1002. */
#define CODES_ARE_KEPT (LWS_LIBRARY_VERSION_NUMBER >= 4002000)

enum {
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_PROXY_AUTHENTICATION = 407
};

enum connection_state {
    STATE_WAITING, /* for the next attempt */
    STATE_CONNECTING,
    STATE_OPEN,
    STATE_CLOSING /* our close frame is out */
};

static const struct ending closed = {"closed", METRIC_RECONNECTS_CLOSED, NULL,
                                     CLOSE_NONE, true};
static const struct ending failed = {"failed", METRIC_RECONNECTS_FAILED, NULL,
                                     CLOSE_NONE, false};
static const struct ending broken_protocol = {
    "protocol", METRIC_RECONNECTS_PROTOCOL, NULL, CLOSE_NONE, true};
static const struct ending timed_out = {"timeout", METRIC_RECONNECTS_TIMEOUT,
                                        NULL, CLOSE_NONE, false};
static const struct ending stopped = {"stopped", METRIC_RECONNECTS_CLOSED, NULL,
                                      CLOSE_GOING_AWAY, false};

struct connection {
    struct lws_context *context;
    const struct upstream *upstream;
    struct pipeline *pipeline;
    struct metrics *metrics;
    struct child *child;

    enum connection_state state;
    struct lws *wsi; /* NULL: it neither stands nor closes */
    struct dial dial;
    struct traffic traffic;
    monotime opened;
    struct backoff backoff;
    monotime outage;      /* since when there has been no connection of use */
    duration asked_delay; /* by the server, before the next attempt */
    const struct ending *ending; /* the close that is due; NULL: none is */
    struct peer_close peer_close;
    struct breaks breaks;

    bool stopping, over;
    bool leaving; /* whatever is still in hand */

    lws_sorted_usec_list_t next_attempt;
    lws_sorted_usec_list_t deadline; /* of the attempt, or of the close */
    lws_sorted_usec_list_t grace;    /* of the stop */
    struct tick look;                /* at the peer */
};

static void connect_now(lws_sorted_usec_list_t *next_attempt);

/* From the loop, in any case. */
static void set_timer(struct connection *c, lws_sorted_usec_list_t *timer,
                      sul_cb_t callback, duration wait) {
    lws_sul_schedule(c->context, 0, timer, callback,
                     wait.usec > 1 ? wait.usec : 1);
}

static void begin_outage(struct connection *c) {
    backoff_reset(&c->backoff);
    c->outage = clock_monotonic();
}

/* After a connection that stood long, or that the peer ended to come back, the
 * next attempt is made at once. */
static duration next_delay(struct connection *c, duration stood) {
    if (stood.usec >= STOOD_LONG.usec)
        begin_outage(c);
    if (stood.usec >= STOOD_LONG.usec ||
        (stood.usec >= STOOD.usec && c->peer_close.came &&
         peer_close_is_restart(&c->peer_close, CODES_ARE_KEPT)))
        return (duration){0};
    duration delay =
        backoff_next_in_outage(&c->backoff, arc4random(),
                               monotime_between(c->outage, clock_monotonic()));
    return duration_max(delay,
                        duration_min(c->asked_delay, c->backoff.ceiling));
}

/* Whether a stop that was asked for has come to its end. */
static bool is_done(const struct connection *c) {
    return c->leaving || (c->stopping && pipeline_pending(c->pipeline) == 0);
}

static void set_over(struct connection *c) {
    c->over = true;
    lws_cancel_service(c->context); /* who waits there looks at it */
}

static void note_break(struct connection *c, const struct ending *ending,
                       const char *detail, duration stood) {
    if (!breaks_note(&c->breaks, ending->reason, detail, stood,
                     clock_monotonic()))
        return;
    log_error(EVENT_UPSTREAM_FLAPPING,
              LOG_FIELDS(log_text("upstream", c->upstream->label),
                         log_text("last", c->breaks.last)));
    child_alert(c->child, EVENT_UPSTREAM_FLAPPING, c->breaks.last);
}

/* A connection that stood has ended. Gives how long it stood. */
static duration end_traffic(struct connection *c, const struct ending *ending,
                            const char *detail) {
    duration stood = monotime_between(c->opened, clock_monotonic());
    if (ending != &stopped)
        note_break(c, ending, detail, stood);
    if (traffic_end(&c->traffic, ending, &c->peer_close, detail))
        begin_outage(c);
    return stood;
}

/* The connection or the attempt is over, whatever tells it first. */
static void leave(struct connection *c, const struct ending *ending,
                  const char *detail) {
    if (c->state == STATE_WAITING)
        return;
    bool was_open = c->state != STATE_CONNECTING;
    duration stood = {0};
    if (was_open)
        stood = end_traffic(c, ending, detail);
    else
        breaks_note_failure(&c->breaks, ending->reason, detail);
    c->state = STATE_WAITING;
    c->wsi = NULL;
    c->ending = NULL;
    lws_sul_cancel(&c->deadline);
    tick_cancel(&c->look);
    dial_leave(&c->dial);
    if (ending != &stopped)
        metrics_count(c->metrics, ending->metric);
    duration delay = next_delay(c, stood);
    if (is_done(c))
        link_log_stopped(c->upstream, ending);
    else
        link_log_end(c->upstream, was_open, ending, detail, delay);
    child_report(c->child);
    if (is_done(c))
        set_over(c);
    else
        set_timer(c, &c->next_attempt, connect_now, delay);
}

/* Leaves the connection at once, without a closing handshake. */
static void drop(struct connection *c, const struct ending *ending,
                 const char *detail) {
    dial_reset(c->wsi);
    leave(c, ending, detail);
}

/* It has ended, by the library's word or as sending failed. */
static void leave_broken(struct connection *c, const struct ending *otherwise,
                         const char *why) {
    char detail[PEER_CLOSE_DETAIL_SIZE];
    const char *end = peer_end_of(c->wsi);
    /* What is held is before what the kernel has, and can not be seen. */
    if (end != NULL && !c->peer_close.came && !c->traffic.pings.held)
        traffic_look_for_close(c->wsi, &c->peer_close);
    if (c->peer_close.came) {
        peer_close_describe(&c->peer_close, CODES_ARE_KEPT, detail);
        leave(c, &closed, detail);
    } else if (end != NULL) {
        leave(c, &closed, end);
    } else {
        if (otherwise == &broken_protocol)
            traffic_fail(&c->traffic, c->wsi, why);
        leave(c, otherwise, why);
    }
}

/* Ends it as `ending` says: at once, or from the next writeable callback. */
static void end(struct connection *c, const struct ending *ending) {
    if (ending == NULL || c->state != STATE_OPEN || c->ending != NULL)
        return;
    if (ending == &traffic_sending_failed) {
        dial_reset(c->wsi);
        leave_broken(c, ending, ending->detail);
        return;
    }
    if (ending->code == CLOSE_NONE) {
        drop(c, ending, ending->detail);
        return;
    }
    c->ending = ending;
    /* What comes from now on is not taken: no Pong may claim that it is. */
    lws_close_reason(c->wsi, (enum lws_close_status)ending->code, NULL, 0);
    lws_callback_on_writable(c->wsi);
}

static void on_deadline(lws_sorted_usec_list_t *deadline) {
    struct connection *c =
        lws_container_of(deadline, struct connection, deadline);
    char stage[DIAL_TEXT_SIZE];
    dial_stage(&c->dial, stage);
    if (c->state == STATE_CONNECTING)
        leave(c, &timed_out, stage);
    else
        drop(c, c->ending, "closing handshake not answered");
}

static void on_dial_failed(void *arg, const struct dial_failure *failure) {
    struct connection *c = arg;
    c->asked_delay = failure->retry_after;
    if (failure->proxy_status == HTTP_UNAUTHORIZED ||
        failure->proxy_status == HTTP_FORBIDDEN ||
        failure->proxy_status == HTTP_PROXY_AUTHENTICATION) {
        c->asked_delay = FOREVER;
        child_alert(c->child, EVENT_PROXY_REFUSED, failure->detail);
    }
    if (failure->status == HTTP_UNAUTHORIZED ||
        failure->status == HTTP_FORBIDDEN) {
        c->asked_delay = FOREVER; /* it will hardly help: at the ceiling */
        log_error(EVENT_HANDSHAKE_REFUSED,
                  LOG_FIELDS(log_text("upstream", c->upstream->label),
                             log_int("status", failure->status)));
        child_alert(c->child, EVENT_HANDSHAKE_REFUSED, failure->detail);
    }
    leave(c, &failed, failure->detail);
}

static void connect_now(lws_sorted_usec_list_t *next_attempt) {
    struct connection *c =
        lws_container_of(next_attempt, struct connection, next_attempt);
    c->state = STATE_CONNECTING;
    c->asked_delay = (duration){0};
    set_timer(c, &c->deadline, on_deadline, ATTEMPT_LIMIT);
    dial_begin(&c->dial, ATTEMPT_LIMIT);
}

static void plan_look(struct connection *c) {
    if (c->state != STATE_OPEN)
        return;
    monotime at = traffic_next_look(&c->traffic, clock_monotonic());
    tick_set(&c->look, c->context, at, SECONDS(0));
}

/* One that is due is not put off, else it never came while all is busy. */
static void plan_look_anew(struct connection *c) {
    if (!tick_is_due(&c->look, clock_monotonic()))
        plan_look(c);
}

static void look(struct connection *c) {
    end(c, traffic_look(&c->traffic, c->wsi));
    plan_look(c);
}

static void on_established(struct connection *c, struct lws *wsi) {
    c->state = STATE_OPEN;
    c->wsi = wsi;
    c->opened = clock_monotonic();
    c->peer_close = (struct peer_close){.came = false};
    lws_sul_cancel(&c->deadline);
    dial_succeeded(&c->dial);
    link_log_connected(c->upstream, c->dial.chosen, dial_proxy(&c->dial));
    traffic_begin(&c->traffic, wsi, c->opened);
    look(c);
    child_report(c->child);
}

static void on_receive(struct connection *c, struct span piece) {
    hearsay_forget_complaint();
    if (c->state == STATE_OPEN && c->ending == NULL)
        end(c, traffic_receive(&c->traffic, c->wsi, piece));
}

static void on_pong(struct connection *c, struct span payload) {
    if (c->state != STATE_OPEN)
        return;
    traffic_ponged(&c->traffic, c->wsi, payload);
    plan_look_anew(c);
}

/* What the callback has to return: -1 ends the connection. */
static int on_writeable(struct connection *c) {
    if (c->state != STATE_OPEN)
        return 0; /* it comes again while closing */
    if (c->ending != NULL) {
        pings_ponged(&c->traffic.pings);
        pings_end(&c->traffic.pings);
        lws_close_reason(c->wsi, (enum lws_close_status)c->ending->code, NULL,
                         0);
        c->state = STATE_CLOSING;
        set_timer(c, &c->deadline, on_deadline, CLOSE_LIMIT);
        return -1;
    }
    hearsay_forget_complaint();
    end(c, traffic_send(&c->traffic, c->wsi));
    if (c->state == STATE_OPEN && is_done(c))
        end(c, &stopped);
    pings_ponged(&c->traffic.pings);
    plan_look_anew(c);
    return 0;
}

/* The library has ended it. */
static void on_closed(struct connection *c) {
    if (c->state == STATE_CONNECTING)
        dial_given_up(&c->dial);
    else if (c->state == STATE_CLOSING)
        leave(c, c->ending, c->ending->detail);
    else /* of broken frames it says no more than in its log */
        leave_broken(c, &broken_protocol, hearsay_complaint());
}

int connection_callback(struct connection *connection, struct lws *wsi,
                        enum lws_callback_reasons reason, void *in,
                        size_t len) {
    struct connection *c = connection;
    if (c->state == STATE_WAITING || !dial_owns(&c->dial, wsi))
        return 0; /* of an attempt that was left */
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return dial_add_headers(&c->dial, wsi, in, len) ? 0 : -1;
    case LWS_CALLBACK_WSI_CREATE:
        return dial_connected(&c->dial, wsi) ? 0 : -1;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        dial_agreed(&c->dial, wsi);
        break;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        on_established(c, wsi);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        on_receive(c, (struct span){in, len});
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        on_pong(c, (struct span){in, len});
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writeable(c);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        peer_close_read(&c->peer_close, (struct span){in, len});
        peer_close_make_answer(in, len);
        /* One that is broken itself is not answered: RFC 6455, 7.1.7. */
        return peer_close_is_text(&c->peer_close) ? 0 : -1;
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        dial_answered(&c->dial, wsi);
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        dial_error(&c->dial, wsi, in);
        break;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
        on_closed(c);
        break;
    default:
        break;
    }
    return 0;
}

struct connection *
connection_new(struct lws_context *context, const struct settings *settings,
               const struct upstream *upstream, struct pipeline *pipeline,
               struct metrics *metrics, struct child *child) {
    struct connection *c = memory_new(sizeof *c);
    c->context = context;
    c->upstream = upstream;
    c->pipeline = pipeline;
    c->metrics = metrics;
    c->child = child;
    c->backoff = (struct backoff){
        .first = FIRST_BACKOFF,
        .ceiling = settings_duration(settings, SETTING_RECONNECT_MAX_SECONDS),
    };
    c->outage = clock_monotonic();
    traffic_init(&c->traffic, settings, pipeline);
    dial_init(&c->dial, context, upstream, settings, CONTEXT_PROTOCOL,
              on_dial_failed, c);
    set_timer(c, &c->next_attempt, connect_now, (duration){0});
    return c;
}

void connection_free(struct connection **connection) {
    struct connection *c = *connection;
    *connection = NULL;
    lws_sul_cancel(&c->next_attempt);
    lws_sul_cancel(&c->deadline);
    tick_cancel(&c->look);
    lws_sul_cancel(&c->grace);
    dial_clear(&c->dial);
    traffic_clear(&c->traffic);
    free(c);
}

void connection_answers_ready(struct connection *connection) {
    if (connection->state == STATE_OPEN)
        lws_callback_on_writable(connection->wsi);
}

/* What is still in hand stays in the ledger. */
static void on_grace_over(lws_sorted_usec_list_t *grace) {
    struct connection *c = lws_container_of(grace, struct connection, grace);
    log_warn(
        EVENT_STOPPED_WITH_MESSAGES_IN_HAND,
        LOG_FIELDS(log_int("pending", (int64_t)pipeline_pending(c->pipeline))));
    c->leaving = true;
    if (c->state == STATE_OPEN) {
        end(c, &stopped);
        set_timer(c, &c->deadline, on_deadline, LAST_CLOSE_LIMIT);
    } else if (c->state != STATE_CLOSING) {
        set_over(c);
    }
}

void connection_stop(struct connection *connection, duration grace) {
    struct connection *c = connection;
    if (c->stopping) {
        set_over(c);
        return;
    }
    c->stopping = true;
    c->traffic.hurry = true;
    set_timer(c, &c->grace, on_grace_over, grace);
    if (c->state == STATE_OPEN)
        lws_callback_on_writable(c->wsi);
    else if (is_done(c))
        set_over(c);
}

void connection_turn(struct connection *connection, monotime now) {
    if (tick_take(&connection->look, now))
        look(connection);
    traffic_turn(&connection->traffic);
}

bool connection_is_over(const struct connection *connection) {
    return connection->over;
}

bool connection_is_open(const struct connection *connection) {
    return connection->state == STATE_OPEN;
}

duration connection_heartbeat_age(const struct connection *connection) {
    return monotime_between(connection->traffic.peer.beat_received,
                            clock_monotonic());
}

const struct breaks *connection_breaks(const struct connection *connection) {
    return &connection->breaks;
}

const char *connection_receipts(const struct connection *connection) {
    return peer_receipts_name(&connection->traffic.peer);
}
