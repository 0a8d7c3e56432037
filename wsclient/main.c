/*
 * wsclient: one WebSocket connection to an upstream; receives requests,
 * converts, answers. Started by the supervisor, or by hand with the same
 * environment.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/claim.h"
#include "common/files.h"
#include "common/lines/child.h"
#include "common/lines/message.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/process.h"
#include "common/runtime_dir.h"
#include "common/sandbox/sandbox.h"
#include "wsclient/audit_trail.h"
#include "wsclient/context.h"
#include "wsclient/fd_watch.h"
#include "wsclient/lately.h"
#include "wsclient/link/connection.h"
#include "wsclient/quarantine.h"
#include "wsclient/ratelink.h"
#include "wsclient/tick.h"
#include "wsclient/trial.h"

/* One that was killed may need a while to let go of it. */
#define CLAIM_PATIENCE MILLISECONDS(1500)
/* The supervisor's pings come as often: with some slack, they wake us up for
 * both. */
#define LOOK_PERIOD SECONDS(1)
#define LOOK_SLACK  MILLISECONDS(100)

struct wsclient {
    const struct settings *settings;
    struct upstream upstream;
    struct lws_context *context;
    struct metrics metrics;
    struct child child;
    struct fd_watch control;
    struct fd_watch signals;
    int signal_fd;
    struct ledger *ledger;
    struct audit_trail *audit; /* NULL: none is wanted */
    struct pipeline *pipeline;
    struct ratelink *ratelink;
    struct connection *connection;
    struct lately lately;
    bool was_connected;           /* at the last report, */
    monotime linked_since;        /* and since when it has been so or not */
    lws_sorted_usec_list_t alarm; /* the pipeline's */
    struct tick look;             /* at what is in the runtime folder */
    struct claim claim;           /* to this upstream */
    bool stuck;                   /* the ledger, at the last look */
};

static void set_gauges(struct wsclient *w, bool connected, duration age,
                       size_t pending) {
    metrics_set(&w->metrics, METRIC_CONNECTED, connected);
    metrics_set(&w->metrics, METRIC_HEARTBEAT_AGE,
                connected ? (double)age.usec / USEC_PER_SEC : 0);
    metrics_set(&w->metrics, METRIC_PENDING, (double)pending);
    metrics_set(&w->metrics, METRIC_LEDGER_BYTES,
                (double)ledger_bytes(w->ledger));
    metrics_set(&w->metrics, METRIC_LEDGER_MAX_BYTES,
                (double)ledger_max_bytes(w->ledger));
    metrics_set(&w->metrics, METRIC_LOG_DROPPED, (double)log_dropped());
}

/* It is told of each change when it happens. */
static void report_connection(struct wsclient *w, struct json_object *report,
                              bool connected, duration age) {
    monotime now = clock_monotonic();
    if (connected != w->was_connected)
        w->linked_since = now;
    w->was_connected = connected;
    json_object_object_add(report, "connected",
                           json_object_new_boolean(connected));
    message_add_duration(report, "since_seconds",
                         monotime_between(w->linked_since, now));
    if (connected)
        message_add_duration(report, "heartbeat_age_seconds", age);
    else
        json_object_object_add(report, "heartbeat_age_seconds", NULL);
    message_add_text(report, "receipts", connection_receipts(w->connection));
    const struct breaks *breaks = connection_breaks(w->connection);
    if (breaks->last[0] != '\0')
        message_add_text(report, "last_break", breaks->last);
    if (!connected && breaks->failed[0] != '\0')
        message_add_text(report, "last_failure", breaks->failed);
}

static void add_count(struct json_object *report, const char *name,
                      size_t count) {
    json_object_object_add(report, name, json_object_new_int64((int64_t)count));
}

static struct json_object *report(void *arg) {
    struct wsclient *w = arg;
    struct json_object *report = json_object_new_object();
    bool connected = connection_is_open(w->connection);
    duration age = connection_heartbeat_age(w->connection);
    size_t pending = pipeline_pending(w->pipeline);
    set_gauges(w, connected, age, pending);
    report_connection(w, report, connected, age);
    add_count(report, "pending", pending);
    add_count(report, "ledger_bytes", ledger_bytes(w->ledger));
    add_count(report, "ledger_max_bytes", ledger_max_bytes(w->ledger));
    lately_look(&w->lately, &w->metrics, clock_monotonic());
    lately_report(&w->lately, report);
    json_object_object_add(report, "counters", metrics_to_json(&w->metrics));
    return report;
}

static void on_answers_ready(void *arg) {
    struct wsclient *w = arg;
    connection_answers_ready(w->connection);
}

static bool on_ask(void *arg, day when, struct span currency) {
    struct wsclient *w = arg;
    return ratelink_ask(w->ratelink, when, currency);
}

static void on_alert(void *arg, enum event_id event, const char *detail) {
    struct wsclient *w = arg;
    child_alert(&w->child, event, detail);
}

static void on_quarantine(void *arg, struct span bytes, uint64_t sequence) {
    struct wsclient *w = arg;
    quarantine_save(settings_text(w->settings, SETTING_STATE_DIR), bytes,
                    clock_wall_ms(), sequence);
}

static void on_alarm(lws_sorted_usec_list_t *alarm) {
    struct wsclient *w = lws_container_of(alarm, struct wsclient, alarm);
    pipeline_alarm(w->pipeline, clock_monotonic());
}

static void on_set_alarm(void *arg, monotime when) {
    struct wsclient *w = arg;
    int64_t wait = monotime_between(clock_monotonic(), when).usec;
    lws_sul_schedule(w->context, 0, &w->alarm, on_alarm, wait > 1 ? wait : 1);
}

static void stop(struct wsclient *w) {
    pipeline_stop(w->pipeline);
    connection_stop(
        w->connection,
        settings_duration(w->settings, SETTING_SHUTDOWN_GRACE_SECONDS));
}

static void on_control(void *arg) {
    struct wsclient *w = arg;
    switch (child_read(&w->child)) {
    case CHILD_GO_ON:
        break;
    case CHILD_STOP:
        stop(w);
        break;
    case CHILD_ORPHANED:
        _exit(0); /* without grace: whoever comes next finds a free place */
    }
}

static void on_signal(void *arg) {
    struct wsclient *w = arg;
    char number;
    if (read(w->signal_fd, &number, 1) == 1)
        stop(w);
}

/* What the library tells of the link to the upstream. */
static int on_upstream(struct lws *wsi, enum lws_callback_reasons reason,
                       void *user, void *in, size_t len) {
    (void)user;
    struct wsclient *w = lws_context_user(lws_get_context(wsi));
    return w->connection != NULL
               ? connection_callback(w->connection, wsi, reason, in, len)
               : 0;
}

/* Nothing can go on without this: the supervisor tries again. */
static _Noreturn void give_up(const char *what) {
    log_error(
        EVENT_START_FAILED,
        LOG_FIELDS(log_text("why", what), log_text("error", strerror(errno))));
    exit(EX_SOFTWARE);
}

/* The messages are another wsclient's: two would answer each twice. */
static _Noreturn void leave_to_another(const char *path) {
    log_error(EVENT_START_FAILED,
              LOG_FIELDS(log_text("why", "another wsclient has "
                                         "this upstream's "
                                         "messages in hand"),
                         log_text("path", path)));
    exit(EX_TEMPFAIL);
}

/* Somebody may just have swept it. What is wrong, the ledger will say. */
static void make_folder(const char *dir) {
    if (access(dir, F_OK) < 0) {
        int ignored = files_make_folder(dir);
        (void)ignored;
    }
}

static struct ledger *open_ledger(struct wsclient *w) {
    const char *dir = settings_text(w->settings, SETTING_RUNTIME_DIR);
    char *path = runtime_dir_path(dir, w->upstream.ledger_name);
    make_folder(dir);
    if (claim_take(&w->claim, dir, w->upstream.ledger_name, CLAIM_PATIENCE) <
            0 &&
        errno == EADDRINUSE)
        leave_to_another(path);
    struct ledger *ledger =
        ledger_open(path, (size_t)settings_count(w->settings,
                                                 SETTING_PENDING_MAX_BYTES, 0));
    if (ledger == NULL && errno != EWOULDBLOCK)
        give_up("memory for messages in hand");
    if (ledger == NULL)
        leave_to_another(path);
    free(path);
    return ledger;
}

/* The monitor writes what is put into it, see supervisor/monitor/. */
static struct audit_trail *open_audit(struct wsclient *w) {
    if (settings_text(w->settings, SETTING_AUDIT_DIR) == NULL)
        return NULL;
    char *name = memory_print(AUDIT_RING_PREFIX "%s" AUDIT_RING_SUFFIX,
                              w->upstream.ledger_name);
    char *path =
        runtime_dir_path(settings_text(w->settings, SETTING_RUNTIME_DIR), name);
    struct audit_trail *audit =
        audit_trail_new(path, w->upstream.label, w->ledger);
    free(name);
    free(path);
    return audit;
}

static void look_at_audit(struct wsclient *w) {
    if (audit_trail_look(w->audit))
        child_alert(&w->child, EVENT_RUNTIME_DIR_SWEPT, "the audit's lines");
    uint64_t lost = audit_trail_take_lost(w->audit);
    if (lost == 0)
        return;
    metrics_add(&w->metrics, METRIC_AUDIT_LOST, (double)lost);
    log_error(EVENT_AUDIT_LINES_DROPPED,
              LOG_FIELDS(log_int("lines", (int64_t)lost)));
    child_alert(&w->child, EVENT_AUDIT_LINES_DROPPED,
                "lines of the audit found no room");
}

/* A full disk under the ledger is told once, until it has grown again. */
static void look_at_room(struct wsclient *w) {
    bool stuck = ledger_is_stuck(w->ledger);
    if (stuck && !w->stuck)
        child_alert(&w->child, EVENT_LEDGER_NOT_GROWN, w->upstream.label);
    w->stuck = stuck;
}

/* What is in hand stays in a file with a name, and claimed, whatever is done to
 * the folder. */
static void look(struct wsclient *w) {
    const char *dir = settings_text(w->settings, SETTING_RUNTIME_DIR);
    make_folder(dir);
    claim_renew(&w->claim, dir, w->upstream.ledger_name);
    if (ledger_restore(w->ledger))
        child_alert(&w->child, EVENT_RUNTIME_DIR_SWEPT,
                    w->upstream.ledger_name);
    look_at_room(w);
    if (w->audit != NULL)
        look_at_audit(w);
}

/* While a new start interrupts nothing, and nothing is in hand that the next
 * one would not find. */
static void look_at_sandbox(struct wsclient *w) {
    if (!sandbox_is_outdated() ||
        (ledger_count(w->ledger) > 0 &&
         (!ledger_has_name(w->ledger) || connection_is_open(w->connection))))
        return;
    log_info(EVENT_SANDBOX_OUTDATED, NULL);
    child_ask_restart(&w->child);
}

static void plan_look(struct wsclient *w, monotime now) {
    tick_set(&w->look, w->context, monotime_add(now, LOOK_PERIOD), LOOK_SLACK);
}

static void turn(struct wsclient *w) {
    monotime now = clock_monotonic();
    connection_turn(w->connection, now);
    if (!tick_take(&w->look, now))
        return;
    look(w);
    look_at_sandbox(w);
    log_look();
    plan_look(w, now);
}

static struct pipeline *new_pipeline(struct wsclient *w, bool show_messages) {
    const struct pipeline_ports ports = {
        .answers_ready = on_answers_ready,
        .ask = on_ask,
        .alert = on_alert,
        .set_alarm = on_set_alarm,
        .quarantine = on_quarantine,
        .arg = w,
    };
    struct pipeline *pipeline = pipeline_new(
        w->settings, w->ledger, &w->metrics, &ports, show_messages);
    w->audit = open_audit(w);
    if (w->audit != NULL)
        pipeline_set_audit(pipeline, w->audit);
    return pipeline;
}

/* Without these the process would be deaf to all that want it to end. */
static void watch_orders(struct wsclient *w) {
    w->signal_fd = process_catch_ends();
    if (w->signal_fd < 0 ||
        fd_watch_start(&w->signals, w->context, w->signal_fd, on_signal, w) < 0)
        give_up("signals can not be watched");
    if (child_is_supervised(&w->child) &&
        fd_watch_start(&w->control, w->context, w->child.channel.fd, on_control,
                       w) < 0)
        give_up("the channel to the supervisor can not be watched");
}

/* What may need more than the rest is open by now. */
static void confine(struct wsclient *w, bool debugged) {
    w->child.sandbox = sandbox_enter(SETTINGS_WSCLIENT, w->settings, debugged);
}

static void open_parts(struct wsclient *w, bool show_messages, bool debugged) {
    upstream_init(&w->upstream,
                  settings_text(w->settings, SETTING_REQUESTS_WS_URL),
                  settings_text(w->settings, SETTING_WS_AUTHORIZATION));
    upstream_introduce(&w->upstream,
                       settings_text(w->settings, SETTING_WS_PROTOCOL),
                       settings_text(w->settings, SETTING_WS_ORIGIN));
    w->ledger = open_ledger(w);
    w->pipeline = new_pipeline(w, show_messages);
    w->context = context_new(w->settings, on_upstream, w);
    if (w->context == NULL)
        give_up("libwebsockets");
    watch_orders(w);
    plan_look(w, clock_monotonic());
    confine(w, debugged);
    w->ratelink = ratelink_new(w->context, w->settings, w->pipeline);
    w->connection = connection_new(w->context, w->settings, &w->upstream,
                                   w->pipeline, &w->metrics, &w->child);
}

static void close_parts(struct wsclient *w) {
    lws_sul_cancel(&w->alarm);
    tick_cancel(&w->look);
    fd_watch_stop(&w->control);
    fd_watch_stop(&w->signals);
    ratelink_free(&w->ratelink);
    connection_free(&w->connection);
    lws_context_destroy(w->context);
    pipeline_free(&w->pipeline);
    if (w->audit != NULL)
        audit_trail_free(&w->audit);
    ledger_close(&w->ledger);
    upstream_clear(&w->upstream);
    close(w->signal_fd);
    claim_release(&w->claim);
}

static int try(struct settings *settings) {
    int code = trial_run(settings);
    settings_free(&settings);
    log_close();
    return code;
}

int main(int argc, char *argv[], char *envp[]) {
    process_init(argc, argv, envp);
    process_hold_ends();
    bool supervised = child_has_argument(argc, argv, CHILD_ARGUMENT);
    struct settings *settings =
        process_begin_helper("wsclient", argc, argv, SETTINGS_WSCLIENT);
    if (child_has_argument(argc, argv, CHILD_TRIAL_ARGUMENT))
        return try(settings);
    struct wsclient w = {.settings = settings,
                         .linked_since = clock_monotonic()};
    lately_init(&w.lately, w.linked_since);
    child_init(&w.child, supervised, report, &w);
    open_parts(&w, child_has_argument(argc, argv, "--show-messages"),
               child_has_argument(argc, argv, CHILD_DEBUG_ARGUMENT));
    process_title("wsclient %s", w.upstream.label);
    child_ready(&w.child);
    pipeline_recover(w.pipeline, clock_now());
    while (!connection_is_over(w.connection) && lws_service(w.context, 0) >= 0)
        turn(&w);
    child_report(&w.child);
    close_parts(&w);
    child_clear(&w.child);
    settings_free(&settings);
    log_close();
    return 0;
}
