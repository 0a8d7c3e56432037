#include "supervisor/monitor.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "common/lines/child.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/process.h"

/* How often a standard error that takes nothing is looked at again. */
#define BLOCKED_RETRY MILLISECONDS(20)

/* So much is copied at once at most, that a flood leaves time for a ping. */
enum { MAX_ROUNDS = 64 };

/* Some ten thousand lines; the kernel may allow less to an ordinary user. */
enum { WANTED_PIPE_BYTES = 1024 * 1024 };

struct monitor {
    struct event_base *base;
    struct child child;
    struct event *readable; /* the log pipe */
    struct event *retry;    /* standard error took nothing */
    bool stopping;          /* as soon as the pipe is empty */
    int output;
    char text[PIPE_BUF]; /* what was read, and is written from `at` on */
    size_t at, len;
};

int monitor_pipe_open(struct monitor_pipe *pipe) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    (void)fcntl(fds[1], F_SETPIPE_SZ, WANTED_PIPE_BYTES);
    *pipe = (struct monitor_pipe){fds[0], fds[1]};
    return 0;
}

/* Whether the output takes PIPE_BUF bytes without blocking (see pipe(7)). */
static bool output_takes(int output) {
    struct pollfd fd = {.fd = output, .events = POLLOUT};
    return poll(&fd, 1, 0) == 1;
}

void monitor_pipe_drain(const struct monitor_pipe *pipe) {
    char text[PIPE_BUF];
    ssize_t n;
    while (output_takes(STDERR_FILENO) &&
           (n = read(pipe->read_fd, text, sizeof text)) > 0) {
        ssize_t ignored = write(STDERR_FILENO, text, (size_t)n);
        (void)ignored; /* nobody reads it: nothing can be said */
    }
}

static struct json_object *report(void *arg) {
    (void)arg;
    struct metrics metrics = {0};
    metrics_set(&metrics, METRIC_LOG_DROPPED, (double)log_dropped());
    struct json_object *report = json_object_new_object();
    json_object_object_add(report, "counters", metrics_to_json(&metrics));
    return report;
}

/*
 * Standard error is shared with the user's shell, so it is never made
 * non-blocking itself. A terminal may block a write although there is room: it
 * is opened anew, which gives a description of our own that can be.
 */
static int open_output(void) {
    int fd = -1;
    if (isatty(STDERR_FILENO))
        fd = open("/proc/self/fd/2",
                  O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 ? fd : STDERR_FILENO;
}

/* Writes what was read; false: the output takes no more for now. */
static bool flush(struct monitor *m) {
    while (m->at < m->len) {
        ssize_t n = write(m->output, m->text + m->at, m->len - m->at);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0 && errno != EINTR)
            m->at = m->len; /* nobody reads any more: nothing can be said */
        if (n > 0)
            m->at += (size_t)n;
    }
    return true;
}

/*
 * Copies until the pipe is empty or the output takes no more, or for some
 * rounds: then the pipe is still readable in the loop's next turn.
 */
static void copy(struct monitor *m) {
    for (int round = 0; flush(m) && output_takes(m->output); round++) {
        if (round == MAX_ROUNDS)
            return;
        ssize_t n = read(CHILD_FD_EXTRA, m->text, sizeof m->text);
        if (n <= 0) {
            if (m->stopping)
                event_base_loopbreak(m->base);
            return;
        }
        m->at = 0;
        m->len = (size_t)n;
    }
    event_del(m->readable);
    loop_set_timer(m->retry, BLOCKED_RETRY);
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
    struct monitor m = {.base = loop_new(), .output = open_output()};
    child_init(&m.child, true, report, &m);
    struct event *control = loop_watch(m.base, m.child.channel.fd,
                                       EV_READ | EV_PERSIST, on_control, &m);
    m.readable = loop_watch(m.base, CHILD_FD_EXTRA, EV_READ | EV_PERSIST,
                            on_readable, &m);
    m.retry = evtimer_new(m.base, on_retry, &m);
    child_ready(&m.child);
    loop_run(m.base);
    event_free(control);
    event_free(m.readable);
    event_free(m.retry);
    child_clear(&m.child);
    loop_free(&m.base);
    settings_free(&settings);
    log_close();
    return 0;
}
