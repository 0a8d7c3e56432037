#include "supervisor/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/child.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/message.h"
#include "common/metrics.h"
#include "common/url.h"
#include "supervisor/environment.h"
#include "supervisor/monitor.h"
#include "supervisor/spawn.h"

#define FIRST_DELAY_USEC (100 * USEC_PER_MSEC)
#define LAST_DELAY_USEC  (5 * USEC_PER_SEC)

static const struct {
    const char *name;
    const char *program;
    const char *argument; /* NULL: none */
    enum settings_reader reader;
} kinds[HELPER_KINDS] = {
    [HELPER_WSCLIENT] = {"wsclient", "wsclient", NULL, SETTINGS_WSCLIENT},
    [HELPER_RATEFETCHER] = {"ratefetcher", "ratefetcher", NULL,
                            SETTINGS_RATEFETCHER},
    [HELPER_MONITOR] = {"monitor", "supervisor", MONITOR_COMMAND,
                        SETTINGS_MONITOR},
};

static void start(struct helper *helper);

const char *helper_name(const struct helper *helper) {
    return kinds[helper->kind].name;
}

static void on_start(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    start(arg);
}

static void start_after(struct helper *helper, int64_t usec) {
    struct timeval delay = {.tv_sec = usec / USEC_PER_SEC,
                            .tv_usec = usec % USEC_PER_SEC};
    evtimer_add(helper->start_event, &delay);
}

struct helper *helper_new(const struct helper_context *context,
                          enum helper_kind kind, struct span upstream) {
    struct helper *helper = memory_new(sizeof *helper);
    helper->context = context;
    helper->kind = kind;
    helper->pid_fd = -1;
    helper->channel.fd = -1;
    helper->backoff = (struct backoff){.first_usec = FIRST_DELAY_USEC,
                                       .ceiling_usec = LAST_DELAY_USEC,
                                       .floor_share = 50};
    struct url url;
    if (upstream.len > 0 && url_parse(upstream, &url)) {
        helper->upstream = memory_copy(upstream.data, upstream.len);
        helper->label = url_label(&url, url_default_port(&url));
    }
    helper->start_event = evtimer_new(context->base, on_start, helper);
    start_after(helper, 0);
    return helper;
}

static void free_event(struct event **event) {
    if (*event != NULL)
        event_free(*event);
    *event = NULL;
}

/* Lets go of all that belongs to the process that was. */
static void forget_process(struct helper *helper) {
    free_event(&helper->channel_event);
    free_event(&helper->death_event);
    channel_clear(&helper->channel);
    if (helper->pid_fd >= 0)
        close(helper->pid_fd);
    helper->pid_fd = -1;
    helper->pid = 0;
    json_object_put(helper->report);
    helper->report = NULL;
}

void helper_free(struct helper **helper) {
    struct helper *h = *helper;
    *helper = NULL;
    forget_process(h);
    free_event(&h->start_event);
    json_object_put(h->counted);
    free(h->upstream);
    free(h->label);
    free(h);
}

static void changed(struct helper *helper) {
    helper->context->changed(helper->context->arg);
}

static void keep_report(struct helper *helper, struct json_object *message) {
    struct json_object *report;
    if (!json_object_object_get_ex(message, "report", &report))
        return;
    json_object_put(helper->report);
    helper->report = json_object_get(report);
}

static void on_line(struct helper *helper, struct span line) {
    struct json_object *message = message_parse(line);
    switch (message_op(message)) {
    case MESSAGE_READY:
        if (helper->state == LIFECYCLE_STARTING)
            helper->state = LIFECYCLE_READY;
        helper->ready_since = clock_monotonic();
        log_info("helper_ready",
                 LOG_FIELDS(log_text("helper", helper_name(helper)),
                            log_int("helper_pid", helper->pid),
                            log_text("upstream", helper->label)));
        break;
    case MESSAGE_PONG:
    case MESSAGE_REPORT:
        keep_report(helper, message);
        break;
    default:
        log_warn("helper_line_bad",
                 LOG_FIELDS(log_text("helper", helper_name(helper)),
                            log_span("line", line)));
    }
    json_object_put(message);
}

/* Reads all that the helper said; false: its end of the channel is closed. */
static bool read_channel(struct helper *helper) {
    for (;;) {
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
}

static void on_readable(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct helper *helper = arg;
    if (!read_channel(helper))
        event_del(helper->channel_event); /* its death will be told, too */
    changed(helper);
}

/* What the process counted goes on with its successor. */
static void keep_counters(struct helper *helper) {
    struct json_object *counted = helper_counters(helper);
    json_object_put(helper->counted);
    helper->counted = counted;
}

static void on_death(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct helper *helper = arg;
    siginfo_t death;
    if (waitid(P_PIDFD, (id_t)helper->pid_fd, &death, WEXITED) < 0)
        return;
    if (helper->channel.fd >= 0)
        (void)read_channel(helper); /* its last words */
    monotime now = clock_monotonic();
    bool was_ready = helper->state == LIFECYCLE_READY;
    int64_t delay;
    helper->state = lifecycle_after_death(
        helper->state, death.si_code == CLD_EXITED ? death.si_status : -1,
        was_ready ? monotime_between(helper->ready_since, now) : 0,
        &helper->backoff, arc4random(), &delay);
    if (helper->state == LIFECYCLE_STOPPED) {
        log_info("helper_stopped",
                 LOG_FIELDS(log_text("helper", helper_name(helper)),
                            log_int("helper_pid", helper->pid)));
    } else {
        helper->deaths++;
        obituary_cause(&death, helper->last_death);
        obituary_log(
            helper_name(helper), helper->pid, &death, helper_uptime(helper),
            helper->state == LIFECYCLE_WAITING ? delay : OBITUARY_NO_RESTART);
    }
    keep_counters(helper);
    forget_process(helper);
    if (helper->state == LIFECYCLE_WAITING && delay == 0)
        start(helper);
    else if (helper->state == LIFECYCLE_WAITING)
        start_after(helper, delay);
    changed(helper);
}

static int extra_fd(const struct helper *helper) {
    switch (helper->kind) {
    case HELPER_RATEFETCHER:
        return helper->context->rates_fd;
    case HELPER_MONITOR:
        return helper->context->log_read_fd;
    default:
        return -1;
    }
}

/* Forks and execs; gives the pid or -1. */
static pid_t spawn_helper(struct helper *helper, int control_fd) {
    const struct helper_context *context = helper->context;
    char *path = spawn_sibling(kinds[helper->kind].program);
    char *argv[5] = {(char *)(uintptr_t)kinds[helper->kind].program};
    int n = 1;
    if (kinds[helper->kind].argument != NULL)
        argv[n++] = (char *)(uintptr_t)kinds[helper->kind].argument;
    argv[n++] = (char *)(uintptr_t)CHILD_ARGUMENT;
    if (context->show_messages && helper->kind == HELPER_WSCLIENT)
        argv[n++] = (char *)(uintptr_t) "--show-messages";
    char **environment = environment_new(
        context->settings, kinds[helper->kind].reader, helper->upstream);
    struct spawn spawn = {.path = path,
                          .argv = argv,
                          .environment = environment,
                          .control_fd = control_fd,
                          .log_fd = context->log_write_fd,
                          .extra_fd = extra_fd(helper),
                          .keep_stderr = helper->kind == HELPER_MONITOR};
    pid_t pid = spawn_start(&spawn, &helper->pid_fd);
    environment_free(&environment);
    free(path);
    return pid;
}

static void watch_process(struct helper *helper, int channel_fd) {
    struct event_base *base = helper->context->base;
    channel_init(&helper->channel, channel_fd);
    helper->channel_event =
        event_new(base, channel_fd, EV_READ | EV_PERSIST, on_readable, helper);
    helper->death_event =
        event_new(base, helper->pid_fd, EV_READ, on_death, helper);
    event_add(helper->channel_event, NULL);
    event_add(helper->death_event, NULL);
}

/* A start that fails is tried again, as after an early death. */
static void start_failed(struct helper *helper, int error) {
    int64_t delay = backoff_next(&helper->backoff, arc4random());
    log_error("start_failed",
              LOG_FIELDS(log_text("helper", helper_name(helper)),
                         log_text("why", strerror(error)),
                         log_seconds("retry_in", delay)));
    start_after(helper, delay);
}

static void start(struct helper *helper) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   pair) < 0) {
        start_failed(helper, errno);
        return;
    }
    pid_t pid = spawn_helper(helper, pair[1]);
    int error = errno;
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        start_failed(helper, error);
        return;
    }
    helper->pid = pid;
    helper->state = LIFECYCLE_STARTING;
    helper->started = clock_monotonic();
    watch_process(helper, pair[0]);
}

static void tell(struct helper *helper, enum message_op op) {
    if (!lifecycle_is_alive(helper->state))
        return;
    struct json_object *message = message_new(op);
    /* One that does not read is found by its missing answers. */
    (void)channel_write(&helper->channel, message_line(message));
    json_object_put(message);
}

void helper_ping(struct helper *helper) {
    tell(helper, MESSAGE_PING);
}

/* False: there is no process to be ended; it is marked as stopped. */
static bool begin_stop(struct helper *helper) {
    evtimer_del(helper->start_event);
    if (!lifecycle_is_alive(helper->state)) {
        helper->state = LIFECYCLE_STOPPED;
        return false;
    }
    helper->state = LIFECYCLE_STOPPING;
    return true;
}

void helper_stop(struct helper *helper) {
    if (helper->state != LIFECYCLE_STOPPING && begin_stop(helper))
        tell(helper, MESSAGE_STOP);
}

void helper_kill(struct helper *helper) {
    if (begin_stop(helper))
        pidfd_send_signal(helper->pid_fd, SIGKILL, NULL, 0);
}

int64_t helper_uptime(const struct helper *helper) {
    return helper->pid != 0
               ? monotime_between(helper->started, clock_monotonic())
               : 0;
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
