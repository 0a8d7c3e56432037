/*
 * The provider `file`: a local file of rates in the ECB's CSV form, read anew
 * whenever it changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/utf8.h"
#include "ratefetcher/providers/ecb_csv.h"
#include "ratefetcher/providers/registry.h"

enum { MAX_FILE_BYTES = 16 * 1024 * 1024 };

/* One that has changed in this time may be on its way still. */
#define SETTLED_AFTER SECONDS(2)

/* It is looked at again after so long then, and while a row of it is cut. */
#define LOOK_AGAIN SECONDS(1)

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
};

static void *file_open(const struct provider_class *class,
                       const struct provider_context *context) {
    (void)class;
    struct rates_file *file = memory_new(sizeof *file);
    const char *path = settings_text(context->settings, SETTING_RATES_FILE);
    file->path = memory_copy(path, strlen(path));
    return file;
}

static void file_close(void *state) {
    struct rates_file *file = state;
    history_free(&file->history);
    rates_release(&file->answered);
    free(file->path);
    free(file);
}

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
        log_warn("rates_left_out",
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
        log_warn("rates_file_incomplete",
                 LOG_FIELDS(log_text("file", file->path),
                            log_text("serving", serving)));
    file->told_incomplete = true;
}

/* What it is that is no table, where people put it there all the same. */
static const char *other_form(struct span text) {
    static const char zip[] = "PK\x03\x04";
    if (utf8_is_utf16(text))
        return UTF8_SAVE_AS;
    if (text.len >= sizeof zip - 1 &&
        memcmp(text.data, zip, sizeof zip - 1) == 0)
        return "is a zip archive; unpack it";
    return NULL;
}

/*
 * Takes over what the text says. What is cut of one that has only just changed
 * is on its way: until then the old tables serve, if there are any.
 */
static const char *take(struct rates_file *file, struct span text,
                        bool settled) {
    struct ecb_csv_faults faults;
    if (other_form(text) != NULL)
        return other_form(text);
    text = utf8_without_mark(text);
    struct history *history =
        ecb_csv_read(text, "file", clock_wall_ms(), &faults);
    if (!settled && (history == NULL || faults.cut)) {
        history_free(&history);
        tell_incomplete(file,
                        file->history != NULL ? "its earlier rows" : "nothing");
        return file->history != NULL ? NULL : "it is being written";
    }
    log_faults(file, &faults);
    if (history == NULL)
        return faults.cut ? "its only rows are cut: each needs all fields of "
                            "the first line, and a line feed"
                          : "not in the ECB's CSV form";
    history_free(&file->history);
    file->history = history;
    if (faults.cut)
        tell_incomplete(file, "its whole rows");
    file->told_incomplete = faults.cut;
    return NULL;
}

/* All that is in the file; false: it can not be read. free() the text. */
static bool read_all(int fd, size_t size, struct span *text) {
    char *data = memory_new(size + 1);
    size_t len = 0;
    ssize_t n = 1;
    while (len < size && n > 0) {
        n = pread(fd, data + len, size - len, (off_t)len);
        if (n > 0)
            len += (size_t)n;
    }
    *text = (struct span){data, len};
    return n >= 0;
}

static enum provider_result read_file(struct rates_file *file, int fd,
                                      const struct stat *state, bool settled,
                                      const char **detail) {
    struct span text;
    struct stat after;
    enum provider_result result = PROVIDER_UNREACHED;
    if (read_all(fd, (size_t)state->st_size, &text)) {
        bool stood = fstat(fd, &after) == 0 && same_state(state, &after);
        *detail = take(file, text, settled && stood);
        result = *detail == NULL ? PROVIDER_OK : PROVIDER_BAD_TABLE;
        file->read_as = *state;
        /* Else it is read again at the next look. */
        file->read_early = !settled || !stood || result != PROVIDER_OK;
    } else {
        *detail = strerror(errno);
    }
    free((char *)text.data);
    return result;
}

/* Reads the file behind `fd` if it is another than before. */
static enum provider_result read_fd(struct rates_file *file, int fd,
                                    bool *settled, const char **detail) {
    struct stat state;
    if (fstat(fd, &state) < 0)
        return PROVIDER_UNREACHED;
    *settled = is_settled(file, &state);
    if (file->history != NULL && !file->read_early &&
        same_state(&file->read_as, &state))
        return PROVIDER_OK;
    *detail = "not in the ECB's CSV form";
    if (!S_ISREG(state.st_mode) || state.st_size > MAX_FILE_BYTES)
        return PROVIDER_BAD_TABLE;
    return read_file(file, fd, &state, *settled, detail);
}

/* `settled` false: it may be another in a moment. */
static enum provider_result refresh(struct rates_file *file, bool *settled,
                                    const char **detail) {
    *detail = NULL;
    *settled = true;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        *detail = strerror(errno);
        return PROVIDER_UNREACHED;
    }
    enum provider_result result = read_fd(file, fd, settled, detail);
    close(fd);
    return result;
}

/* The table is as fresh as the look at the file. */
static bool file_fetch(void *state, day when, duration timeout,
                       struct provider_answer *answer, provider_done *done,
                       void *arg) {
    (void)timeout, (void)done, (void)arg;
    struct rates_file *file = state;
    int64_t now_ms = clock_wall_ms();
    *answer = (struct provider_answer){.rates = NULL};
    rates_release(&file->answered);
    bool settled;
    answer->result = refresh(file, &settled, &answer->detail);
    if (answer->detail == NULL)
        answer->detail = "";
    if (!settled || file->told_incomplete) /* its writer may be slow */
        answer->fresh = LOOK_AGAIN;
    if (answer->result != PROVIDER_OK)
        return true;
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
    return true;
}

const struct provider_class provider_file = {
    .name = "file",
    .calls_ok = METRIC_CALLS_OK_FILE,
    .calls_failed = METRIC_CALLS_FAILED_FILE,
    .open = file_open,
    .close = file_close,
    .fetch = file_fetch,
};
