#include "supervisor/monitor.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "common/child.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/process.h"

/* How often a standard error that takes nothing is looked at again. */
enum { BLOCKED_RETRY_MS = 20 };

struct monitor {
    struct event_base *base;
    struct child child;
    struct event *readable; /* the log pipe */
    struct event *retry;    /* standard error took nothing */
    bool stopping;          /* as soon as the pipe is empty */
};

static struct json_object *report(void *arg) {
    (void)arg;
    struct metrics metrics = {0};
    metrics_set(&metrics, METRIC_LOG_DROPPED, (double)log_dropped());
    struct json_object *report = json_object_new_object();
    json_object_object_add(report, "counters", metrics_to_json(&metrics));
    return report;
}

/*
 * Whether PIPE_BUF bytes can be written without blocking. Standard error is
 * shared with the user's shell, so it is never made non-blocking.
 */
static bool stderr_takes(void) {
    struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&fd, 1, 0) == 1;
}

static void write_all(const char *text, size_t len) {
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, text, len);
        if (n < 0 && errno != EINTR)
            return; /* nobody reads any more: nothing can be said */
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
}

/* Copies until the pipe is empty or standard error takes no more. */
static void copy(struct monitor *m) {
    char text[PIPE_BUF];
    while (stderr_takes()) {
        ssize_t n = read(CHILD_FD_EXTRA, text, sizeof text);
        if (n <= 0) {
            if (m->stopping)
                event_base_loopbreak(m->base);
            return;
        }
        write_all(text, (size_t)n);
    }
    struct timeval later = {.tv_usec = BLOCKED_RETRY_MS * 1000};
    event_del(m->readable);
    evtimer_add(m->retry, &later);
}

static void on_readable(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    copy(arg);
}

static void on_retry(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct monitor *m = arg;
    event_add(m->readable, NULL);
    copy(m);
}

static void on_control(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct monitor *m = arg;
    switch (child_read(&m->child)) {
    case CHILD_GO_ON:
        break;
    case CHILD_STOP:
    case CHILD_ORPHANED:
        m->stopping = true;
        event_del_noblock(m->readable);
        event_add(m->readable, NULL);
        copy(m);
    }
}

int monitor_run(int argc, char *argv[]) {
    struct settings *settings =
        process_begin_helper("monitor", argc, argv, SETTINGS_MONITOR);
    struct monitor m = {.base = event_base_new()};
    child_init(&m.child, true, report, &m);
    struct event *control = event_new(m.base, m.child.channel.fd,
                                      EV_READ | EV_PERSIST, on_control, &m);
    m.readable = event_new(m.base, CHILD_FD_EXTRA, EV_READ | EV_PERSIST,
                           on_readable, &m);
    m.retry = evtimer_new(m.base, on_retry, &m);
    event_add(control, NULL);
    event_add(m.readable, NULL);
    child_ready(&m.child);
    event_base_dispatch(m.base);
    event_free(control);
    event_free(m.readable);
    event_free(m.retry);
    child_clear(&m.child);
    event_base_free(m.base);
    libevent_global_shutdown();
    settings_free(&settings);
    log_close();
    return 0;
}
