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
#include "ratefetcher/providers/ecb_csv.h"
#include "ratefetcher/providers/registry.h"

enum { MAX_FILE_BYTES = 16 * 1024 * 1024 };

struct rates_file {
    char *path;
    struct stat read_as; /* the file's state when it was read */
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

static bool is_unchanged(const struct rates_file *file,
                         const struct stat *now) {
    const struct stat *then = &file->read_as;
    return file->history != NULL && then->st_dev == now->st_dev &&
           then->st_ino == now->st_ino && then->st_size == now->st_size &&
           then->st_mtim.tv_sec == now->st_mtim.tv_sec &&
           then->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
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

static enum provider_result read_text(struct rates_file *file,
                                      struct span text) {
    struct ecb_csv_faults faults;
    struct history *history =
        ecb_csv_read(text, "file", clock_wall_ms(), &faults);
    log_faults(file, &faults);
    if (history == NULL)
        return PROVIDER_BAD_TABLE;
    history_free(&file->history);
    file->history = history;
    return PROVIDER_OK;
}

/* Reads the file behind `fd` if it is another than before. */
static enum provider_result read_fd(struct rates_file *file, int fd) {
    struct stat now;
    if (fstat(fd, &now) < 0)
        return PROVIDER_UNREACHED;
    if (is_unchanged(file, &now))
        return PROVIDER_OK;
    if (!S_ISREG(now.st_mode) || now.st_size == 0 ||
        now.st_size > MAX_FILE_BYTES)
        return PROVIDER_BAD_TABLE;
    char *text = memory_new((size_t)now.st_size);
    ssize_t n = pread(fd, text, (size_t)now.st_size, 0);
    enum provider_result result = PROVIDER_UNREACHED;
    if (n >= 0)
        result = read_text(file, (struct span){text, (size_t)n});
    free(text);
    if (result == PROVIDER_OK)
        file->read_as = now;
    return result;
}

static enum provider_result refresh(struct rates_file *file,
                                    const char **detail) {
    *detail = "";
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        *detail = strerror(errno);
        return PROVIDER_UNREACHED;
    }
    enum provider_result result = read_fd(file, fd);
    close(fd);
    if (result == PROVIDER_BAD_TABLE)
        *detail = "not in the ECB's CSV form";
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
    answer->result = refresh(file, &answer->detail);
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
