/*
 * The provider `file`: a local file of rates in the ECB's CSV form, read anew
 * whenever it changed. A long one is read in slices, one a turn of the loop, so
 * that who asks for what is known does not wait for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"
#include "common/utf8.h"
#include "ratefetcher/providers/ecb_csv.h"
#include "ratefetcher/providers/registry.h"

enum { MAX_FILE_BYTES = 16 * 1024 * 1024, SLICE_BYTES = 64 * 1024 };

/* One that has changed in this time may be on its way still. */
#define SETTLED_AFTER SECONDS(2)

/* It is looked at again after so long then, and while a row of it is cut. */
#define LOOK_AGAIN SECONDS(1)

/* Somebody who waits for the table of a day. */
struct file_asker {
    TAILQ_ENTRY(file_asker) entry;
    day when;
    monotime deadline;
    provider_done *done;
    void *arg;
};

/* The file while it is read. */
struct file_reading {
    int fd;
    struct stat state; /* when it was opened */
    bool settled;
    off_t at;
    struct ecb_csv *csv; /* NULL: the file has another form */
    struct ecb_csv_faults faults;
    const char *other_form;
    char slice[SLICE_BYTES];
};

/* What a look at the file ended in. */
struct file_look {
    enum provider_result result;
    const char *detail; /* "": there is nothing to be said */
    bool settled;       /* else it may be another in a moment */
};

struct rates_file {
    char *path;
    struct stat read_as; /* the file's state when it was read */
    bool read_early;     /* it had only just changed: its time may be the same
                            after the next change */
    struct stat seen_as; /* the state that it was last seen in */
    monotime seen_since;
    bool told_incomplete;
    struct history *history;
    struct rates *answered; /* what was given last */
    char why_ahead[HISTORY_WHY_SIZE];
    struct file_reading *reading; /* NULL: it is not being read */
    struct event *next_slice;
    TAILQ_HEAD(, file_asker) askers;
};

static bool same_time(struct timespec a, struct timespec b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_state(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && same_time(a->st_mtim, b->st_mtim) &&
           same_time(a->st_ctim, b->st_ctim);
}

/*
 * Whether it has been like that for a while: by its own time, or since it was
 * first seen so, if one of the clocks is wrong.
 */
static bool is_settled(struct rates_file *file, const struct stat *state) {
    monotime now = clock_monotonic();
    int64_t changed_ms =
        state->st_mtim.tv_sec * MSEC_PER_SEC + state->st_mtim.tv_nsec / 1000000;
    if (!same_state(&file->seen_as, state)) {
        file->seen_as = *state;
        file->seen_since = now;
    }
    return (clock_wall_ms() - changed_ms) * USEC_PER_MSEC >=
               SETTLED_AFTER.usec ||
           monotime_between(file->seen_since, now).usec >= SETTLED_AFTER.usec;
}

static void log_faults(const struct rates_file *file,
                       const struct ecb_csv_faults *faults) {
    if (faults->rows + faults->rates > 0)
        log_warn(EVENT_RATES_LEFT_OUT,
                 LOG_FIELDS(log_text("provider", "file"),
                            log_text("file", file->path),
                            log_int("bad_lines", (int64_t)faults->rows),
                            log_int("bad_rates", (int64_t)faults->rates),
                            log_int("line", (int64_t)faults->line),
                            log_text("text", faults->example)));
}

/* It is told once, until it is whole. */
static void tell_incomplete(struct rates_file *file, const char *serving) {
    if (!file->told_incomplete)
        log_warn(EVENT_RATES_FILE_INCOMPLETE,
                 LOG_FIELDS(log_text("file", file->path),
                            log_text("serving", serving)));
    file->told_incomplete = true;
}

/* What it is that is no table, where people put it there all the same. */
static const char *other_form(struct span text) {
    if (utf8_is_utf16(text))
        return UTF8_SAVE_AS;
    if (span_begins(text, "PK\x03\x04"))
        return "is a zip archive; unpack it";
    if (span_begins(text, "\x1f\x8b"))
        return "is a gzip archive; unpack it";
    return NULL;
}

/* The first slice tells the form. */
static void read_form(struct file_reading *r, struct span *text) {
    r->other_form = other_form(*text);
    *text = utf8_without_mark(*text);
    if (r->other_form == NULL)
        r->csv = ecb_csv_begin("file", clock_wall_ms(), &r->faults);
}

/* Reads a slice; 0: that was the last one, below it: it can not be read. */
static ssize_t read_slice(struct file_reading *r) {
    off_t left = r->state.st_size - r->at;
    ssize_t n = pread(r->fd, r->slice,
                      left < SLICE_BYTES ? (size_t)left : SLICE_BYTES, r->at);
    struct span text = {r->slice, n > 0 ? (size_t)n : 0};
    if (r->at == 0)
        read_form(r, &text);
    if (n > 0)
        r->at += n;
    if (r->csv != NULL)
        ecb_csv_feed(r->csv, text);
    return r->csv == NULL ? 0 : n;
}

/*
 * Takes over what was read. What is cut of a file that has only just changed is
 * on its way; one that has changed meanwhile may be partly the old one. Until
 * it is whole the old tables serve, if there are any.
 */
static const char *take(struct rates_file *file, struct file_reading *r,
                        bool stood) {
    if (r->other_form != NULL)
        return r->other_form;
    struct history *history = ecb_csv_end(&r->csv);
    if (!stood || (!r->settled && (history == NULL || r->faults.cut))) {
        history_free(&history);
        tell_incomplete(file,
                        file->history != NULL ? "its earlier rows" : "nothing");
        return file->history != NULL ? "" : "it is being written";
    }
    log_faults(file, &r->faults);
    if (history == NULL)
        return r->faults.cut ? "its only rows are cut: each needs all fields "
                               "of the first line, and a line feed"
                             : "not in the ECB's CSV form";
    history_free(&file->history);
    file->history = history;
    if (r->faults.cut)
        tell_incomplete(file, "its whole rows");
    file->told_incomplete = r->faults.cut;
    return "";
}

static void free_reading(struct rates_file *file) {
    struct file_reading *r = file->reading;
    file->reading = NULL;
    if (r == NULL)
        return;
    if (r->csv != NULL) {
        struct history *history = ecb_csv_end(&r->csv);
        history_free(&history);
    }
    close(r->fd);
    free(r);
}

/* Ends the reading: `failed`, the number of an error, or 0. */
static struct file_look end_reading(struct rates_file *file, int failed) {
    struct file_reading *r = file->reading;
    struct file_look look = {.result = PROVIDER_UNREACHED,
                             .settled = r->settled};
    struct stat after;
    if (failed != 0) {
        look.detail = strerror(failed);
    } else {
        bool stood = fstat(r->fd, &after) == 0 && same_state(&r->state, &after);
        look.detail = take(file, r, stood);
        look.result = look.detail[0] == '\0' ? PROVIDER_OK : PROVIDER_BAD_TABLE;
        look.settled = r->settled && stood;
        file->read_as = r->state;
        /* Else it is read again at the next look. */
        file->read_early = !look.settled || look.result != PROVIDER_OK;
    }
    free_reading(file);
    return look;
}

/* Reads on; false: there is more to be read, on the next turn of the loop. */
static bool read_on(struct rates_file *file, struct file_look *look) {
    ssize_t n = read_slice(file->reading);
    if (n > 0 && file->reading->at < file->reading->state.st_size) {
        loop_set_timer(file->next_slice, (duration){0});
        return false;
    }
    *look = end_reading(file, n < 0 ? errno : 0);
    return true;
}

static bool is_as_read(const struct rates_file *file,
                       const struct stat *state) {
    return file->history != NULL && !file->read_early &&
           same_state(&file->read_as, state);
}

/* Begins to read the file; false: there is more to be read. */
static bool begin_reading(struct rates_file *file, int fd,
                          const struct stat *state, struct file_look *look) {
    struct file_reading *r = memory_new(sizeof *r);
    r->fd = fd;
    r->state = *state;
    r->settled = look->settled;
    file->reading = r;
    return read_on(file, look);
}

/*
 * Looks at the file, and begins to read it if it is another than before.
 * False: it is being read.
 */
static bool look_at(struct rates_file *file, struct file_look *look) {
    struct stat state;
    *look = (struct file_look){PROVIDER_UNREACHED, "", true};
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &state) < 0) {
        look->detail = strerror(errno);
        if (fd >= 0)
            close(fd);
        return true;
    }
    look->settled = is_settled(file, &state);
    if (is_as_read(file, &state)) {
        look->result = PROVIDER_OK;
    } else if (S_ISREG(state.st_mode) && state.st_size <= MAX_FILE_BYTES) {
        return begin_reading(file, fd, &state, look);
    } else {
        look->result = PROVIDER_BAD_TABLE;
        look->detail = "not in the ECB's CSV form";
    }
    close(fd);
    return true;
}

/* Answers for a day. The table is as fresh as the look at the file. */
static void answer_with(struct rates_file *file, const struct file_look *look,
                        day when, struct provider_answer *answer) {
    int64_t now_ms = clock_wall_ms();
    *answer = (struct provider_answer){.result = look->result,
                                       .detail = look->detail};
    rates_release(&file->answered);
    bool is_cut = file->told_incomplete && look->result == PROVIDER_OK;
    if (!look->settled || is_cut) /* its writer may be slow */
        answer->fresh = LOOK_AGAIN;
    if (answer->result != PROVIDER_OK)
        return;
    const struct rates *found =
        history_find(file->history, when, day_of_ms(now_ms));
    if (found != NULL) {
        file->answered = rates_copy(found, now_ms);
    } else {
        bool ahead =
            rates_day_is_latest(when) &&
            history_is_ahead(file->history, day_of_ms(now_ms), file->why_ahead);
        answer->result = ahead ? PROVIDER_AHEAD : PROVIDER_NO_TABLE;
        answer->detail = ahead ? file->why_ahead : "";
    }
    answer->rates = file->answered;
}

/* Answers all who wait; `late_only`: who can wait no longer. */
static void tell_askers(struct rates_file *file, const struct file_look *look,
                        bool late_only) {
    monotime now = clock_monotonic();
    struct file_asker *asker, *next;
    struct provider_answer answer;
    for (asker = TAILQ_FIRST(&file->askers); asker != NULL; asker = next) {
        next = TAILQ_NEXT(asker, entry);
        if (late_only && !monotime_reached(now, asker->deadline))
            continue;
        TAILQ_REMOVE(&file->askers, asker, entry);
        answer_with(file, look, asker->when, &answer);
        asker->done(asker->arg, &answer);
        free(asker);
    }
}

static void on_next_slice(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct rates_file *file = arg;
    struct file_look look;
    bool over = read_on(file, &look);
    if (!over)
        look = (struct file_look){PROVIDER_UNREACHED, "it takes long to read",
                                  true};
    tell_askers(file, &look, !over);
}

static void *file_open(const struct provider_class *class,
                       const struct provider_context *context) {
    (void)class;
    struct rates_file *file = memory_new(sizeof *file);
    const char *path = settings_text(context->settings, SETTING_RATES_FILE);
    file->path = memory_copy(path, strlen(path));
    file->next_slice = evtimer_new(context->base, on_next_slice, file);
    TAILQ_INIT(&file->askers);
    return file;
}

static void file_close(void *state) {
    struct rates_file *file = state;
    struct file_asker *asker;
    while ((asker = TAILQ_FIRST(&file->askers)) != NULL) {
        TAILQ_REMOVE(&file->askers, asker, entry);
        free(asker);
    }
    free_reading(file);
    event_free(file->next_slice);
    history_free(&file->history);
    rates_release(&file->answered);
    free(file->path);
    free(file);
}

static bool file_fetch(void *state, day when, duration timeout,
                       struct provider_answer *answer, provider_done *done,
                       void *arg) {
    struct rates_file *file = state;
    struct file_look look;
    if (file->reading == NULL && look_at(file, &look)) {
        answer_with(file, &look, when, answer);
        return true;
    }
    struct file_asker *asker = memory_new(sizeof *asker);
    *asker = (struct file_asker){.when = when,
                                 .deadline =
                                     monotime_add(clock_monotonic(), timeout),
                                 .done = done,
                                 .arg = arg};
    TAILQ_INSERT_TAIL(&file->askers, asker, entry);
    return false;
}

const struct provider_class provider_file = {
    .name = "file",
    .calls_ok = METRIC_CALLS_OK_FILE,
    .calls_failed = METRIC_CALLS_FAILED_FILE,
    .open = file_open,
    .close = file_close,
    .fetch = file_fetch,
};
