#include "supervisor/monitor/monitor.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "common/lines/child.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/process.h"
#include "common/sandbox/sandbox.h"
#include "supervisor/monitor/audit_output.h"
#include "supervisor/monitor/log_feed.h"
#include "supervisor/monitor/log_output.h"
#include "supervisor/monitor/status_server.h"
#include "supervisor/monitor/warnings.h"

/* How often an output that takes nothing is looked at again. */
#define BLOCKED_RETRY MILLISECONDS(20)

/* How long the last lines of the audit may take at the end. */
#define LAST_AUDIT_LIMIT SECONDS(2)

/* So much is copied at once at most, that a flood leaves time for a ping. */
enum { MAX_ROUNDS = 64 };

/* Some ten thousand lines; the kernel may allow less to an ordinary user. */
enum { WANTED_PIPE_BYTES = 1024 * 1024 };

/* From the pipe to the output, line by line. */
struct copier {
    int pipe_fd;
    struct log_output output;
    struct warnings warnings;
    struct log_feed *feed;       /* NULL: nobody can follow */
    char text[LOG_OUTPUT_BYTES]; /* what was read of a line */
    size_t len;
};

struct monitor {
    struct event_base *base;
    struct child child;
    struct event *readable; /* the log pipe */
    struct event *retry;    /* the output took nothing */
    struct event *look;     /* at the output, see CHILD_LOOK_PERIOD */
    bool stopping;          /* as soon as the pipe is empty */
    struct copier copier;
    struct status_server *status; /* NULL: none is wanted */
    struct audit_output *audit;   /* the same */
};

int monitor_pipe_open(struct monitor_pipe *pipe) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    (void)fcntl(fds[1], F_SETPIPE_SZ, WANTED_PIPE_BYTES);
    *pipe = (struct monitor_pipe){fds[0], fds[1]};
    return 0;
}

/* Hands over the lines that are whole; what is none keeps no other waiting. */
static void hand_over(struct copier *c) {
    const char *end = memrchr(c->text, '\n', c->len);
    size_t whole = end != NULL ? (size_t)(end + 1 - c->text) : 0;
    if (whole == 0 && c->len > LOG_LINE_BYTES)
        whole = c->len;
    log_output_add(&c->output, (struct span){c->text, whole});
    /* At once: a supervisor that crashes takes this process with it, and what
     * was read of its last line and not written would be lost. */
    (void)log_output_is_ready(&c->output);
    warnings_look(&c->warnings, (struct span){c->text, whole});
    if (c->feed != NULL)
        log_feed_add(c->feed, (struct span){c->text, whole});
    c->len -= whole;
    memmove(c->text, c->text + whole, c->len);
}

/* Copies a part, once the output is ready; false: the pipe is empty. */
static bool copy_some(struct copier *c) {
    ssize_t n = read(c->pipe_fd, c->text + c->len, PIPE_BUF);
    if (n <= 0)
        return false;
    c->len += (size_t)n;
    hand_over(c);
    return true;
}

void monitor_pipe_drain(const struct monitor_pipe *pipe) {
    struct copier copier = {.pipe_fd = pipe->read_fd};
    log_output_open(&copier.output, NULL);
    while (log_output_is_ready(&copier.output) && copy_some(&copier))
        ;
    log_output_close(&copier.output);
    warnings_clear(&copier.warnings);
}

static struct json_object *report(void *arg) {
    struct monitor *m = arg;
    struct metrics metrics = {0};
    metrics_set(&metrics, METRIC_LOG_DROPPED,
                (double)(log_dropped() + m->copier.output.lost));
    struct json_object *report = json_object_new_object();
    json_object_object_add(report, "counters", metrics_to_json(&metrics));
    json_object_object_add(report, "last_warnings",
                           warnings_rows(&m->copier.warnings));
    return report;
}

/*
 * Copies until the pipe is empty or the output takes no more, or for some
 * rounds: then the pipe is still readable in the loop's next turn.
 */
static void copy(struct monitor *m) {
    for (int round = 0; log_output_is_ready(&m->copier.output); round++) {
        if (round == MAX_ROUNDS)
            return;
        if (!copy_some(&m->copier)) {
            if (m->stopping)
                event_base_loopbreak(m->base);
            return;
        }
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

static void on_look(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct monitor *m = arg;
    log_output_look(&m->copier.output, &m->child);
    log_look();
    if (m->audit != NULL)
        audit_output_look(m->audit, &m->child);
    if (sandbox_is_outdated()) {
        log_info(EVENT_SANDBOX_OUTDATED, NULL);
        child_ask_restart(&m->child);
    }
    loop_set_timer(m->look, CHILD_LOOK_PERIOD);
}

static void on_status(void *arg, struct json_object *status) {
    struct monitor *m = arg;
    status_server_take(m->status, status);
}

static void on_control(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct monitor *m = arg;
    switch (child_read(&m->child)) {
    case CHILD_GO_ON:
        on_look(-1, 0, m);
        break;
    case CHILD_STOP:
    case CHILD_ORPHANED:
        m->stopping = true;
        event_del_noblock(m->readable);
        event_add(m->readable, NULL);
        copy(m);
    }
}

static struct audit_output *open_audit(const struct settings *settings) {
    const char *dir = settings_text(settings, SETTING_AUDIT_DIR);
    if (dir == NULL)
        return NULL;
    struct audit_output *output =
        audit_output_new(dir, settings_text(settings, SETTING_RUNTIME_DIR));
    if (output == NULL)
        log_error(EVENT_AUDIT_NOT_WRITTEN,
                  LOG_FIELDS(log_text("path", dir),
                             log_text("why", strerror(errno))));
    return output;
}

static void run(struct monitor *m) {
    struct event *control = loop_watch(m->base, m->child.channel.fd,
                                       EV_READ | EV_PERSIST, on_control, m);
    m->look = loop_repeat(m->base, CHILD_LOOK_PERIOD, on_look, m);
    m->readable = loop_watch(m->base, CHILD_FD_EXTRA, EV_READ | EV_PERSIST,
                             on_readable, m);
    m->retry = evtimer_new(m->base, on_retry, m);
    child_ready(&m->child);
    loop_run(m->base);
    event_free(control);
    event_free(m->look);
    event_free(m->readable);
    event_free(m->retry);
}

int monitor_run(int argc, char *argv[]) {
    struct settings *settings =
        process_begin_helper("monitor", argc, argv, SETTINGS_MONITOR);
    struct monitor m = {.base = loop_new(), .copier.pipe_fd = CHILD_FD_EXTRA};
    child_init(&m.child, true, report, &m);
    m.status = status_server_new(m.base, settings);
    if (m.status != NULL)
        m.child.on_status = on_status;
    m.child.sandbox =
        sandbox_enter(SETTINGS_MONITOR, settings,
                      child_has_argument(argc, argv, CHILD_DEBUG_ARGUMENT));
    log_output_open(&m.copier.output, settings);
    m.copier.feed = log_feed_new(m.base, CHILD_FD_SECOND);
    m.audit = open_audit(settings);
    run(&m);
    if (m.audit != NULL)
        audit_output_close(&m.audit, LAST_AUDIT_LIMIT);
    log_feed_free(&m.copier.feed);
    if (m.status != NULL)
        status_server_free(&m.status);
    log_output_close(&m.copier.output);
    warnings_clear(&m.copier.warnings);
    child_clear(&m.child);
    loop_free(&m.base);
    settings_free(&settings);
    log_close();
    return 0;
}
