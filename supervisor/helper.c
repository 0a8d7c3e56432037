#include "supervisor/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/crash.h"
#include "common/lines/child.h"
#include "common/lines/message.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"
#include "common/metrics.h"
#include "common/settings/url.h"
#include "supervisor/launch.h"
#include "supervisor/memory_limit.h"

/* After SIGABRT, until SIGKILL. */
#define ABORT_PATIENCE SECONDS(1)
/* Beyond the grace time, which a helper keeps itself. */
#define STOP_PATIENCE MILLISECONDS(500)
/* A little less than a second, as timers are not exact. */
#define PING_GAP MILLISECONDS(950)
/* Between looks at one that closed its channel: is it dead? */
#define LOOK_GAP MILLISECONDS(20)
/* Of so many deaths as make a crash loop. */
#define LOOP_TIME SECONDS(60)

enum {
    MAX_UNANSWERED = 3,        /* of one that was ready */
    MAX_UNANSWERED_START = 10, /* of one that is still starting */
    MAX_READS = 64             /* at once */
};

static void step(struct helper *helper, enum lifecycle_event event);
static void perform(struct helper *helper, enum lifecycle_action action);
static void on_look(evutil_socket_t fd, short what, void *arg);

static void on_start(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    step(arg, LIFECYCLE_START_DUE);
}

static void on_patience_over(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    step(arg, LIFECYCLE_PATIENCE_OVER);
}

struct helper *helper_new(const struct helper_context *context,
                          enum helper_kind kind, struct span upstream) {
    struct helper *helper = memory_new(sizeof *helper);
    helper->context = context;
    helper->kind = kind;
    helper->channel.fd = -1;
    lifecycle_init(&helper->life);
    if (upstream.len > 0)
        helper_set_upstream(helper, upstream);
    helper->start_event = evtimer_new(context->base, on_start, helper);
    helper->patience_event =
        evtimer_new(context->base, on_patience_over, helper);
    helper->look_event = evtimer_new(context->base, on_look, helper);
    loop_set_timer(helper->start_event, SECONDS(0));
    return helper;
}

static void forget_upstream(struct helper *helper) {
    memory_wipe(helper->upstream);
    memory_wipe(helper->identity);
    free(helper->label);
}

void helper_set_upstream(struct helper *helper, struct span upstream) {
    struct url url;
    if (!url_parse(upstream, &url))
        abort(); /* the settings have checked it */
    forget_upstream(helper);
    helper->upstream = memory_copy(upstream.data, upstream.len);
    helper->label = url_label(&url, url_default_port(&url));
    helper->identity = url_identity(&url);
}

static void free_event(struct event **event) {
    if (*event != NULL)
        event_free(*event);
    *event = NULL;
}

/* A crash of this process waits for the one that writes its last line. */
static void note_log_writer(const struct helper *helper) {
    if (helper->kind == HELPER_MONITOR)
        crash_await_end_of(helper->channel.fd);
}

/* Lets go of all that belongs to the process that was. */
static void forget_process(struct helper *helper) {
    free_event(&helper->channel_event);
    children_forget(&helper->child);
    evtimer_del(helper->look_event);
    evtimer_del(helper->patience_event);
    channel_clear(&helper->channel);
    note_log_writer(helper);
    helper->pid = 0;
    json_object_put(helper->report);
    helper->report = NULL;
}

void helper_free(struct helper **helper) {
    struct helper *h = *helper;
    *helper = NULL;
    forget_process(h);
    free_event(&h->look_event);
    free_event(&h->start_event);
    free_event(&h->patience_event);
    json_object_put(h->counted);
    forget_upstream(h);
    free(h);
}

static void changed(struct helper *helper) {
    helper->context->changed(helper->context->arg);
}

/* Who it is, for an alert: its upstream tells wsclients apart. */
static void alert(const struct helper *helper, enum event_id event,
                  const char *detail) {
    char *subject = memory_print("%s%s%s", helper_name(helper),
                                 helper->label != NULL ? " " : "",
                                 helper->label != NULL ? helper->label : "");
    helper->context->alert(helper->context->arg, event, subject,
                           detail != NULL ? detail : "");
    free(subject);
}

static void keep_report(struct helper *helper, struct json_object *message) {
    struct json_object *report;
    if (!json_object_object_get_ex(message, "report", &report))
        return;
    json_object_put(helper->report);
    helper->report = json_object_get(report);
}

static void log_bad_line(const struct helper *helper, struct span line) {
    log_warn(EVENT_HELPER_LINE_BAD,
             LOG_FIELDS(log_text("helper", helper_name(helper)),
                        log_span("line", line)));
}

static void pass_alert_on(const struct helper *helper,
                          const struct json_object *message, struct span line) {
    const char *name = message_text(message, "event");
    enum event_id event = name != NULL ? event_named(name) : EVENTS;
    if (event != EVENTS)
        alert(helper, event, message_text(message, "detail"));
    else
        log_bad_line(helper, line);
}

static void on_line(struct helper *helper, struct span line) {
    struct json_object *message = message_parse(line);
    switch (message_op(message)) {
    case MESSAGE_READY:
        step(helper, LIFECYCLE_SAID_READY);
        helper->unanswered = 0;
        log_info(EVENT_HELPER_READY,
                 LOG_FIELDS(log_text("helper", helper_name(helper)),
                            log_int("helper_pid", helper->pid),
                            log_text("upstream", helper->label)));
        break;
    case MESSAGE_PONG:
        if (helper->life.ready)
            helper->unanswered = 0;
        keep_report(helper, message);
        break;
    case MESSAGE_REPORT:
        keep_report(helper, message);
        break;
    case MESSAGE_ALERT:
        pass_alert_on(helper, message, line);
        break;
    case MESSAGE_RESTART:
        helper_restart(helper);
        break;
    default:
        log_bad_line(helper, line);
    }
    json_object_put(message);
}

/*
 * Reads what the helper said; false: its end of the channel is closed. One
 * that never stops is read on in the loop's next turn.
 */
static bool read_channel(struct helper *helper) {
    for (int round = 0; round < MAX_READS; round++) {
        switch (channel_read(&helper->channel)) {
        case CHANNEL_IDLE:
            return true;
        case CHANNEL_LINES:
            break;
        case CHANNEL_CLOSED:
        case CHANNEL_BROKEN:
            return false;
        }
        struct span line;
        while (channel_next_line(&helper->channel, &line))
            on_line(helper, line);
    }
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct helper *helper = arg;
    if (!read_channel(helper)) {
        event_del(helper->channel_event); /* its death will be told, too */
        loop_set_timer(helper->look_event, LOOK_GAP);
    }
    changed(helper);
}

/* What the process counted goes on with its successor. */
static void keep_counters(struct helper *helper) {
    struct json_object *counted = helper_counters(helper);
    json_object_put(helper->counted);
    helper->counted = counted;
}

/* Whether this death makes it HELPER_LOOP_DEATHS within a minute. */
static bool is_crash_loop(struct helper *helper, monotime now) {
    monotime *ring = helper->recent_deaths;
    ring[helper->deaths++ % HELPER_LOOP_DEATHS] = now;
    monotime oldest = ring[helper->deaths % HELPER_LOOP_DEATHS];
    return helper->deaths >= HELPER_LOOP_DEATHS &&
           !monotime_reached(now, monotime_add(oldest, LOOP_TIME));
}

static void log_death(struct helper *helper, const siginfo_t *death,
                      monotime now) {
    bool again = helper->life.state != LIFECYCLE_REFUSED;
    death_print_cause(death, helper->last_death);
    if (memory_limit_has_killed(death)) {
        snprintf(helper->last_death, sizeof helper->last_death,
                 "signal SIGKILL, memory limit");
        alert(helper, EVENT_MEMORY_LIMIT_KILL, helper->last_death);
    }
    helper->killed += death->si_code != CLD_EXITED;
    death_log(helper_name(helper), helper->pid, death, helper_uptime(helper),
              again ? helper->life.delay : FOREVER);
    if (is_crash_loop(helper, now))
        alert(helper, EVENT_CRASH_LOOP, helper->last_death);
    if (!again)
        alert(helper, EVENT_CONFIGURATION_REFUSED, helper->last_death);
}

static void on_death(void *arg, const siginfo_t *death) {
    struct helper *helper = arg;
    if (helper->channel.fd >= 0)
        (void)read_channel(helper); /* its last words */
    bool asked_to = helper->life.state == LIFECYCLE_STOPPING;
    monotime now = clock_monotonic();
    bool refuses =
        death->si_code == CLD_EXITED && death->si_status == EX_CONFIG;
    enum lifecycle_action action = lifecycle_step(
        &helper->life, refuses ? LIFECYCLE_DIED_REFUSING : LIFECYCLE_DIED, now,
        arc4random());
    if (action != LIFECYCLE_START_LATER)
        helper->life.delay = SECONDS(0);
    if (asked_to)
        log_info(EVENT_HELPER_STOPPED,
                 LOG_FIELDS(log_text("helper", helper_name(helper)),
                            log_int("helper_pid", helper->pid)));
    else
        log_death(helper, death, now);
    keep_counters(helper);
    forget_process(helper);
    perform(helper, action);
    changed(helper);
}

/*
 * One that a debugger holds may be dead, but is not given to its parent before
 * the debugger lets go: how it ended is not known.
 */
static void on_look(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    static const siginfo_t killed = {.si_code = CLD_KILLED,
                                     .si_status = SIGKILL};
    struct helper *helper = arg;
    struct death_hindrance state = death_hindrance_of(helper->pid);
    if (state.dead && state.traced)
        on_death(helper, &killed);
    else
        loop_set_timer(helper->look_event, LOOK_GAP);
}

static void watch_process(struct helper *helper, int channel_fd) {
    struct event_base *base = helper->context->base;
    channel_init(&helper->channel, channel_fd);
    note_log_writer(helper);
    helper->channel_event =
        loop_watch(base, channel_fd, EV_READ | EV_PERSIST, on_readable, helper);
    children_watch(helper->context->children, &helper->child, helper->pid,
                   on_death, helper);
}

/* A start that fails is tried again, as after an early death. */
static void start_failed(struct helper *helper, int error) {
    step(helper, LIFECYCLE_START_FAILED);
    log_error(EVENT_START_FAILED,
              LOG_FIELDS(log_text("helper", helper_name(helper)),
                         log_text("why", strerror(error)),
                         log_duration("retry_in", helper->life.delay)));
}

static void start(struct helper *helper) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   pair) < 0) {
        start_failed(helper, errno);
        return;
    }
    memory_limit_look();
    pid_t pid = launch_helper(helper, pair[1]);
    int error = errno;
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        start_failed(helper, error);
        return;
    }
    evtimer_del(helper->start_event);
    helper->pid = pid;
    helper->started = clock_monotonic();
    helper->unanswered = 0;
    helper->debugged = false;
    watch_process(helper, pair[0]);
}

void helper_tell(struct helper *helper, struct json_object *message) {
    if (lifecycle_has_process(&helper->life))
        (void)channel_write(&helper->channel, message_line(message));
}

static void tell(struct helper *helper, enum message_op op) {
    struct json_object *message = message_new(op);
    helper_tell(helper, message);
    json_object_put(message);
}

static void stop(struct helper *helper) {
    tell(helper, MESSAGE_STOP);
    duration grace = settings_duration(helper->context->settings,
                                       SETTING_SHUTDOWN_GRACE_SECONDS);
    loop_set_timer(helper->patience_event,
                   (duration){grace.usec + STOP_PATIENCE.usec});
}

/* To one that is not yet waited for, so that the pid is still its own. */
static void send_signal(const struct helper *helper, int number) {
    if (helper->pid > 0)
        kill(helper->pid, number);
}

/* A stopped process would not take SIGABRT before it is continued. */
static void end_hanging(struct helper *helper) {
    log_error(EVENT_HANGS, LOG_FIELDS(log_text("process", helper_name(helper)),
                                      log_int("helper_pid", helper->pid)));
    alert(helper, EVENT_HANG, "no answer to the supervisor");
    send_signal(helper,
                death_hindrance_of(helper->pid).stopped ? SIGKILL : SIGABRT);
    loop_set_timer(helper->patience_event, ABORT_PATIENCE);
}

static void perform(struct helper *helper, enum lifecycle_action action) {
    switch (action) {
    case LIFECYCLE_NOTHING:
    case LIFECYCLE_ACTIONS:
        break;
    case LIFECYCLE_START:
        start(helper);
        break;
    case LIFECYCLE_START_LATER:
        loop_set_timer(helper->start_event, helper->life.delay);
        break;
    case LIFECYCLE_FORGET_START:
        evtimer_del(helper->start_event);
        break;
    case LIFECYCLE_STOP:
        stop(helper);
        break;
    case LIFECYCLE_ABORT:
        end_hanging(helper);
        break;
    case LIFECYCLE_KILL:
        send_signal(helper, SIGKILL);
        break;
    }
}

static void step(struct helper *helper, enum lifecycle_event event) {
    perform(helper, lifecycle_step(&helper->life, event, clock_monotonic(),
                                   arc4random()));
}

/* One that a debugger holds, or that waits for one, is not asked to hurry. */
static bool is_debugged(const struct helper *helper) {
    struct death_hindrance state = death_hindrance_of(helper->pid);
    return state.traced || (state.stopped && !helper->life.ready &&
                            launch_waits_for_debugger(helper));
}

void helper_ping(struct helper *helper) {
    monotime now = clock_monotonic();
    unsigned most = helper->life.ready ? MAX_UNANSWERED : MAX_UNANSWERED_START;
    if (!lifecycle_has_process(&helper->life) ||
        !monotime_reached(now, monotime_add(helper->last_ping, PING_GAP)))
        return;
    helper->last_ping = now;
    helper->debugged = helper->unanswered > 0 && is_debugged(helper);
    if (helper->debugged)
        helper->unanswered = 0;
    if (helper->unanswered++ >= most)
        step(helper, LIFECYCLE_SILENT);
    else
        tell(helper, MESSAGE_PING);
}

void helper_stop(struct helper *helper) {
    step(helper, LIFECYCLE_WANT_DOWN);
}

void helper_restart(struct helper *helper) {
    step(helper, LIFECYCLE_WANT_RESTART);
}

void helper_kill(struct helper *helper) {
    step(helper, LIFECYCLE_WANT_DOWN);
    send_signal(helper, SIGKILL);
}

bool helper_is_stopped(const struct helper *helper) {
    return !helper->life.wanted && !lifecycle_has_process(&helper->life);
}

duration helper_uptime(const struct helper *helper) {
    return helper->pid != 0
               ? monotime_between(helper->started, clock_monotonic())
               : SECONDS(0);
}

struct json_object *helper_reported(const struct helper *helper,
                                    const char *name) {
    struct json_object *member = NULL;
    json_object_object_get_ex(helper->report, name, &member);
    return member;
}

struct json_object *helper_counters(const struct helper *helper) {
    return metrics_merge(helper->counted, helper_reported(helper, "counters"));
}
