#include "supervisor/monitor/daily_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/day.h"
#include "common/files.h"
#include "common/memory.h"

/* So many bytes wait at most while the disk does not take them. */
enum { MAX_WAITING_BYTES = 4 * 1024 * 1024 };

struct lines {
    char *bytes; /* room for MAX_WAITING_BYTES */
    size_t len;
};

struct daily_file {
    struct daily_file_form form;
    char *dir; /* as in `form`, for the thread may outlive who lent it */
    pthread_t thread;
    pthread_mutex_t lock; /* for what follows up to `error` */
    pthread_cond_t changed;
    struct lines waiting;
    bool closing;
    bool busy; /* the thread writes, since: */
    monotime since;
    struct daily_file_state state;
    /* The thread's own: */
    struct lines writing;
    int fd; /* -1: none is open */
    day day;
    char *path;
};

static uint64_t count_lines(struct span lines) {
    uint64_t count = 0;
    for (size_t i = 0; i < lines.len; i++)
        count += lines.data[i] == '\n';
    return count;
}

/* The day in the name of a file of this form. */
static bool read_name(const struct daily_file_form *form, const char *name,
                      day *out) {
    size_t prefix = strlen(form->prefix), date = DAY_TEXT_SIZE - 1;
    return strlen(name) == prefix + date + strlen(form->suffix) &&
           strncmp(name, form->prefix, prefix) == 0 &&
           strcmp(name + prefix + date, form->suffix) == 0 &&
           day_parse((struct span){name + prefix, date}, out) == DAY_OK;
}

static void remove_old(const struct daily_file_form *form, day today) {
    DIR *dir = form->keep_days > 0 ? opendir(form->dir) : NULL;
    struct dirent *entry;
    day when;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (read_name(form, entry->d_name, &when) &&
            when.number < today.number - form->keep_days)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        closedir(dir);
}

static void let_go(struct daily_file *f) {
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    free(f->path);
    f->path = NULL;
}

/* Whether what is open is still the file of that name. */
static bool is_in_place(const struct daily_file *f) {
    struct stat open_one, named;
    return fstat(f->fd, &open_one) == 0 && stat(f->path, &named) == 0 &&
           open_one.st_ino == named.st_ino && open_one.st_dev == named.st_dev;
}

/* Opens the day's file, unless it is open. -1 and errno. */
static int open_today(struct daily_file *f) {
    enum { FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW };
    day today = day_of_ms(clock_wall_ms());
    if (f->fd >= 0 && today.number == f->day.number && is_in_place(f))
        return 0;
    let_go(f);
    char date[DAY_TEXT_SIZE];
    day_print(today, date);
    f->path = memory_print("%s/%s%s%s", f->form.dir, f->form.prefix, date,
                           f->form.suffix);
    f->day = today;
    f->fd = open(f->path, FLAGS, 0640);
    if (f->fd < 0 && errno == ENOENT && files_make_folder(f->form.dir) == 0)
        f->fd = open(f->path, FLAGS, 0640);
    if (f->fd < 0)
        return -1;
    remove_old(&f->form, today);
    return 0;
}

/* Takes back the part of a line that a full disk has still taken. */
static size_t end_with_a_line(const struct daily_file *f, struct span written) {
    const char *end = memrchr(written.data, '\n', written.len);
    size_t whole = end != NULL ? (size_t)(end + 1 - written.data) : 0;
    struct stat status;
    if (fstat(f->fd, &status) == 0 &&
        ftruncate(f->fd, status.st_size - (off_t)(written.len - whole)) < 0)
        return written.len;
    return whole;
}

/* Gives how many bytes of them are in the file; fewer than all: see errno. */
static size_t write_lines(struct daily_file *f, struct span lines) {
    size_t at = 0;
    while (at < lines.len) {
        ssize_t n = write(f->fd, lines.data + at, lines.len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int error = errno;
            at = end_with_a_line(f, (struct span){lines.data, at});
            errno = error;
            return at;
        }
        at += (size_t)n;
    }
    return at;
}

/* False: the file is to be closed. */
static bool take_waiting(struct daily_file *f) {
    pthread_mutex_lock(&f->lock);
    while (f->waiting.len == 0 && !f->closing)
        pthread_cond_wait(&f->changed, &f->lock);
    struct lines taken = f->waiting;
    f->waiting = f->writing;
    f->waiting.len = 0;
    f->writing = taken;
    f->busy = taken.len > 0;
    f->since = clock_monotonic();
    pthread_mutex_unlock(&f->lock);
    return taken.len > 0;
}

static void note_time(struct daily_file *f) {
    duration time = monotime_between(f->since, clock_monotonic());
    if (time.usec > f->state.slowest.usec)
        f->state.slowest = time;
}

static void note(struct daily_file *f, uint64_t lost, int error) {
    pthread_mutex_lock(&f->lock);
    f->state.lost_lines += lost;
    f->state.error = error;
    note_time(f);
    f->busy = false;
    pthread_mutex_unlock(&f->lock);
}

static void *write_all(void *arg) {
    struct daily_file *f = arg;
    while (take_waiting(f)) {
        struct span lines = {f->writing.bytes, f->writing.len};
        size_t written = open_today(f) == 0 ? write_lines(f, lines) : 0;
        bool all = written == lines.len;
        note(f, count_lines(span_from(lines, written)), all ? 0 : errno);
    }
    let_go(f);
    return NULL;
}

static void clear(struct daily_file *f) {
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    free(f->dir);
    free(f->waiting.bytes);
    free(f->writing.bytes);
    free(f);
}

struct daily_file *daily_file_open(const struct daily_file_form *form) {
    struct daily_file *f = memory_new(sizeof *f);
    f->form = *form;
    f->form.dir = f->dir = memory_copy(form->dir, strlen(form->dir));
    f->fd = -1;
    f->waiting.bytes = memory_new(MAX_WAITING_BYTES);
    f->writing.bytes = memory_new(MAX_WAITING_BYTES);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    errno = pthread_create(&f->thread, NULL, write_all, f);
    if (errno == 0)
        return f;
    clear(f);
    return NULL;
}

void daily_file_close(struct daily_file **file, duration limit) {
    struct daily_file *f = *file;
    struct timespec end;
    *file = NULL;
    pthread_mutex_lock(&f->lock);
    f->closing = true;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
    clock_gettime(CLOCK_REALTIME, &end);
    int64_t nsec = end.tv_nsec + limit.usec % USEC_PER_SEC * 1000;
    end.tv_sec += limit.usec / USEC_PER_SEC + nsec / 1000000000;
    end.tv_nsec = nsec % 1000000000;
    if (pthread_timedjoin_np(f->thread, NULL, &end) == 0)
        clear(f);
}

void daily_file_add(struct daily_file *file, struct span lines) {
    pthread_mutex_lock(&file->lock);
    struct lines *waiting = &file->waiting;
    if (lines.len <= MAX_WAITING_BYTES - waiting->len) {
        memcpy(waiting->bytes + waiting->len, lines.data, lines.len);
        waiting->len += lines.len;
        pthread_cond_signal(&file->changed);
    } else {
        file->state.lost_lines += count_lines(lines);
    }
    pthread_mutex_unlock(&file->lock);
}

struct daily_file_state daily_file_state(struct daily_file *file) {
    pthread_mutex_lock(&file->lock);
    if (file->busy)
        note_time(file);
    struct daily_file_state state = file->state;
    file->state.slowest = SECONDS(0);
    pthread_mutex_unlock(&file->lock);
    return state;
}
