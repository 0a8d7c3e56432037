#include "supervisor/monitor/daily_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/memory.h"

/* So many bytes wait at most while the disk does not take them. */
enum { MAX_WAITING_BYTES = 4 * 1024 * 1024 };

struct lines {
    char *bytes; /* room for MAX_WAITING_BYTES */
    size_t len;
};

struct daily_file {
    char *dir; /* the thread may outlive who lent it */
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
    struct day_file file;
};

static uint64_t count_lines(struct span lines) {
    uint64_t count = 0;
    for (size_t i = 0; i < lines.len; i++)
        count += lines.data[i] == '\n';
    return count;
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
        size_t written = day_file_open_today(&f->file) == 0
                             ? day_file_write(&f->file, lines)
                             : 0;
        bool all = written == lines.len;
        note(f, count_lines(span_from(lines, written)), all ? 0 : errno);
    }
    day_file_let_go(&f->file);
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
    f->dir = memory_copy(form->dir, strlen(form->dir));
    day_file_init(&f->file, form);
    f->file.form.dir = f->dir;
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
