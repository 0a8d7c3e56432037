#include "supervisor/monitor/log_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "supervisor/monitor/journal.h"

#define LAST_WRITE_LIMIT SECONDS(1)

/* A write that takes longer is none of a disk that is well. */
#define STALL         SECONDS(1)
#define STALL_IS_OVER SECONDS(60)

/*
 * Standard error is shared with the user's shell, so it is never made
 * non-blocking itself. A terminal may block a write although there is room: it
 * is opened anew, which gives a description of our own that can be.
 */
static int open_standard_error(void) {
    int fd = -1;
    if (isatty(STDERR_FILENO))
        fd = open("/proc/self/fd/2",
                  O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 ? fd : STDERR_FILENO;
}

void log_output_open(struct log_output *output,
                     const struct settings *settings) {
    *output = (struct log_output){.fd = open_standard_error()};
    output->to_journal = journal_reads(STDERR_FILENO, getenv("JOURNAL_STREAM"));
    if (settings == NULL || settings_text(settings, SETTING_LOGS_DIR) == NULL)
        return;
    const struct daily_file_form form = {
        .dir = settings_text(settings, SETTING_LOGS_DIR),
        .prefix = "fxwire-",
        .suffix = ".log",
        .keep_days =
            (int)settings_count(settings, SETTING_LOGS_EXPIRATION_DAYS, 0),
    };
    output->file = daily_file_open(&form);
    if (output->file == NULL)
        log_error(EVENT_LOGS_NOT_WRITTEN,
                  LOG_FIELDS(log_text("path", form.dir),
                             log_text("why", strerror(errno))));
}

void log_output_close(struct log_output *output) {
    if (output->file != NULL)
        daily_file_close(&output->file, LAST_WRITE_LIMIT);
    if (output->fd != STDERR_FILENO)
        close(output->fd);
}

/* Whether it takes PIPE_BUF bytes without blocking (see pipe(7)). */
static bool takes_bytes(int fd) {
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    return poll(&one, 1, 0) == 1;
}

bool log_output_is_ready(struct log_output *output) {
    struct log_output *o = output;
    while (o->at < o->len && takes_bytes(o->fd)) {
        size_t left = o->len - o->at;
        ssize_t n =
            write(o->fd, o->text + o->at, left < PIPE_BUF ? left : PIPE_BUF);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0 && errno != EINTR)
            o->at = o->len; /* nobody reads any more: nothing can be said */
        if (n > 0)
            o->at += (size_t)n;
    }
    return o->at == o->len && (o->file != NULL || takes_bytes(o->fd));
}

static size_t put_prefixed(struct span lines, char *out) {
    size_t len = 0;
    while (lines.len > 0) {
        const char *end = memchr(lines.data, '\n', lines.len);
        size_t line = end != NULL ? (size_t)(end + 1 - lines.data) : lines.len;
        len += journal_put((struct span){lines.data, line}, out + len);
        lines = span_from(lines, line);
    }
    return len;
}

void log_output_add(struct log_output *output, struct span lines) {
    if (output->file != NULL) {
        daily_file_add(output->file, lines);
        return;
    }
    output->at = 0;
    output->len = lines.len;
    if (output->to_journal)
        output->len = put_prefixed(lines, output->text);
    else
        memcpy(output->text, lines.data, lines.len);
}

/* Said once for stalls that follow each other: then each line would be one. */
static void look_for_stall(struct log_output *output, duration slowest,
                           struct child *child) {
    monotime now = clock_monotonic(), before = output->stalled;
    if (slowest.usec <= STALL.usec)
        return;
    output->stalled = now;
    if (before.usec != 0 &&
        !monotime_reached(now, monotime_add(before, STALL_IS_OVER)))
        return;
    log_error(EVENT_LOGS_STALLED, LOG_FIELDS(log_duration("for", slowest)));
    child_alert(child, EVENT_LOGS_STALLED,
                "the disk of LOGS_DIR takes longer than a second for a write");
}

void log_output_look(struct log_output *output, struct child *child) {
    if (output->file == NULL)
        return;
    struct daily_file_state state = daily_file_state(output->file);
    look_for_stall(output, state.slowest, child);
    bool loses = state.lost_lines > output->lost;
    output->lost = state.lost_lines;
    if (state.error != 0 && !output->failing) {
        const char *why = strerror(state.error);
        log_error(EVENT_LOGS_NOT_WRITTEN, LOG_FIELDS(log_text("why", why)));
        child_alert(child, EVENT_LOGS_NOT_WRITTEN, why);
    }
    output->failing = state.error != 0;
    /* Only now may there be a file to which it can be said. */
    if (loses || output->failing || output->lost == output->reported)
        return;
    int64_t lines = (int64_t)(output->lost - output->reported);
    log_warn(EVENT_LOG_LINES_DROPPED, LOG_FIELDS(log_int("lines", lines)));
    output->reported = output->lost;
}
