#include "ratefetcher/providers/file.h"

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

enum { MAX_FILE_BYTES = 16 * 1024 * 1024 };

struct file {
    struct event_base *base;
    char *path;
    struct stat read_as; /* the file's state when it was read */
    struct history *history;
};

/* A fetch that was begun and is answered on the loop's next turn. */
struct fetch {
    struct file *file;
    day when;
    provider_done *done;
    void *arg;
};

static void *file_open(const struct provider_class *class,
                       const struct provider_context *context) {
    (void)class;
    struct file *file = memory_new(sizeof *file);
    const char *path = settings_text(context->settings, SETTING_RATES_FILE);
    file->base = context->base;
    file->path = memory_copy(path, strlen(path));
    return file;
}

static void file_close(void *state) {
    struct file *file = state;
    history_free(&file->history);
    free(file->path);
    free(file);
}

static bool is_unchanged(const struct file *file, const struct stat *now) {
    const struct stat *then = &file->read_as;
    return file->history != NULL && then->st_dev == now->st_dev &&
           then->st_ino == now->st_ino && then->st_size == now->st_size &&
           then->st_mtim.tv_sec == now->st_mtim.tv_sec &&
           then->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

static void log_faults(const struct file *file,
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

static enum provider_result read_text(struct file *file, struct span text) {
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
static enum provider_result read_fd(struct file *file, int fd) {
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

static enum provider_result refresh(struct file *file, const char **detail) {
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

static void on_turn(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct fetch *fetch = arg;
    int64_t now_ms = clock_wall_ms();
    struct provider_answer answer = {.rates = NULL};
    answer.result = refresh(fetch->file, &answer.detail);
    const struct rates *found = NULL;
    if (answer.result == PROVIDER_OK) {
        found =
            history_find(fetch->file->history, fetch->when, day_of_ms(now_ms));
        answer.result = found != NULL ? PROVIDER_OK : PROVIDER_NO_TABLE;
    }
    if (found != NULL)
        answer.rates = rates_copy(found, now_ms);
    fetch->done(fetch->arg, &answer);
    rates_release(&answer.rates);
    free(fetch);
}

static void file_fetch(void *state, day when, int64_t timeout_usec,
                       provider_done *done, void *arg) {
    (void)timeout_usec; /* reading a file is done in one turn */
    struct fetch *fetch = memory_new(sizeof *fetch);
    *fetch = (struct fetch){state, when, done, arg};
    struct timeval at_once = {0};
    event_base_once(fetch->file->base, -1, EV_TIMEOUT, on_turn, fetch,
                    &at_once);
}

const struct provider_class provider_file = {
    .name = "file",
    .calls_ok = METRIC_CALLS_OK_FILE,
    .calls_failed = METRIC_CALLS_FAILED_FILE,
    .open = file_open,
    .close = file_close,
    .fetch = file_fetch,
};
