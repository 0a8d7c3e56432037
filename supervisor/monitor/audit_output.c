#include "supervisor/monitor/audit_output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/line_ring.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/runtime_dir.h"
#include "supervisor/monitor/day_file.h"

/* How often the rings are looked at: none fills in so short a time. */
#define PERIOD MILLISECONDS(20)
/* While nothing can be written. */
#define PERIOD_OF_FAULT MILLISECONDS(200)
/* A disk that takes longer for a write stalls. */
#define STALL SECONDS(1)
/* How often it is looked for other rings. */
#define SCAN_PERIOD SECONDS(1)

/* So many bytes are written at once at most. */
enum { MAX_AT_ONCE = 1024 * 1024 };

struct source {
    SLIST_ENTRY(source) entry;
    struct line_ring ring;
};

struct audit_output {
    char *dir, *runtime_dir;
    pthread_t thread;
    pthread_mutex_t lock; /* for what follows up to `busy_since` */
    pthread_cond_t changed;
    bool closing;
    int error; /* as audit_output_error() gives it */
    bool busy;
    monotime busy_since;
    int told; /* audit_output_look()'s own: the error that it told of */
    /* The thread's own: */
    SLIST_HEAD(, source) sources;
    struct day_file file;
    monotime next_scan;
    bool began; /* something may have been written */
};

static void note_error(struct audit_output *o, int error) {
    pthread_mutex_lock(&o->lock);
    o->error = error;
    pthread_mutex_unlock(&o->lock);
}

/* From now on it may have to wait for a disk; or does no more. */
static void note_busy(struct audit_output *o, bool busy) {
    pthread_mutex_lock(&o->lock);
    o->busy = busy;
    o->busy_since = clock_monotonic();
    pthread_mutex_unlock(&o->lock);
}

static bool is_ring(const char *name) {
    size_t len = strlen(name), end = strlen(AUDIT_RING_SUFFIX);
    return strncmp(name, AUDIT_RING_PREFIX, strlen(AUDIT_RING_PREFIX)) == 0 &&
           len > end && strcmp(name + len - end, AUDIT_RING_SUFFIX) == 0;
}

static bool is_known(const struct audit_output *o, const char *path) {
    const struct source *source;
    SLIST_FOREACH(source, &o->sources, entry)
    if (strcmp(source->ring.file.path, path) == 0)
        return true;
    return false;
}

static void add_source(struct audit_output *o, const char *name) {
    char *path = runtime_dir_path(o->runtime_dir, name);
    struct line_ring ring;
    if (!is_known(o, path) && line_ring_attach(&ring, path)) {
        struct source *source = memory_new(sizeof *source);
        source->ring = ring;
        SLIST_INSERT_HEAD(&o->sources, source, entry);
    }
    free(path);
}

static void find_sources(struct audit_output *o) {
    DIR *dir = opendir(o->runtime_dir);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (is_ring(entry->d_name))
            add_source(o, entry->d_name);
    if (dir != NULL)
        closedir(dir);
}

static void remove_source(struct audit_output *o, struct source *source) {
    SLIST_REMOVE(&o->sources, source, source, entry);
    line_ring_detach(&source->ring);
    free(source);
}

/* Follows rings that were swept, and leaves those that are done with. */
static void look_after_sources(struct audit_output *o) {
    struct source *next, *source = SLIST_FIRST(&o->sources);
    for (; source != NULL; source = next) {
        next = SLIST_NEXT(source, entry);
        if (!mapped_file_is_in_place(&source->ring.file) &&
            line_ring_follow(&source->ring))
            continue;
        if (line_ring_retire(&source->ring))
            remove_source(o, source);
    }
}

/* How many bytes of `lines` from its begin on are the file's from `at` on. */
static size_t compare(const char *path, uint64_t at, struct span lines) {
    char text[4096];
    size_t same = 0;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    while (fd >= 0 &&
           (n = pread(fd, text, sizeof text, (off_t)(at + same))) > 0) {
        if ((size_t)n > lines.len - same ||
            memcmp(text, lines.data + same, (size_t)n) != 0)
            break;
        same += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    return n == 0 ? same : 0; /* all that is there, or nothing */
}

/*
 * An earlier monitor was killed while it wrote lines that are still in the
 * ring: those that are in the file are done with, the rest of one is taken
 * back.
 */
static void resume(struct audit_output *o, struct line_ring *ring) {
    struct line_ring_append append;
    struct stat status;
    if (!line_ring_unfinished_append(ring, &append) ||
        day_file_open_today(&o->file) < 0 || fstat(o->file.fd, &status) < 0 ||
        status.st_ino != append.inode)
        return;
    struct span lines = line_ring_lines(ring);
    size_t len = compare(o->file.path, append.size, lines);
    const char *end = len > 0 ? memrchr(lines.data, '\n', len) : NULL;
    size_t whole = end != NULL ? (size_t)(end + 1 - lines.data) : 0;
    if (len > whole && ftruncate(o->file.fd, (off_t)(append.size + whole)) < 0)
        return;
    line_ring_taken(ring, whole);
}

static void scan(struct audit_output *o) {
    struct source *source;
    o->next_scan = monotime_add(clock_monotonic(), SCAN_PERIOD);
    find_sources(o);
    if (!o->began)
        SLIST_FOREACH(source, &o->sources, entry)
    resume(o, &source->ring);
    look_after_sources(o);
}

/* Whole lines of the ring, of so many bytes as are written at once. */
static struct span next_lines(struct line_ring *ring) {
    struct span lines = line_ring_lines(ring);
    if (lines.len > MAX_AT_ONCE) {
        const char *end = memrchr(lines.data, '\n', MAX_AT_ONCE);
        if (end != NULL)
            lines.len = (size_t)(end + 1 - lines.data);
    }
    return lines;
}

/* Writes a part of what is in the ring; 0: there was nothing; -1 and errno. */
static int write_some(struct audit_output *o, struct line_ring *ring) {
    struct span lines = next_lines(ring);
    struct stat status;
    if (lines.len == 0)
        return 0;
    if (day_file_open_today(&o->file) < 0 || fstat(o->file.fd, &status) < 0)
        return -1;
    o->began = true;
    line_ring_begin_append(ring, (struct line_ring_append){
                                     status.st_ino, (uint64_t)status.st_size});
    size_t written = day_file_write(&o->file, lines);
    int error = errno;
    line_ring_taken(ring, written);
    errno = error;
    return written == lines.len ? 1 : -1;
}

/* Whether all is written. */
static bool drain(struct audit_output *o) {
    struct source *source;
    note_busy(o, true);
    SLIST_FOREACH(source, &o->sources, entry) {
        int result;
        while ((result = write_some(o, &source->ring)) > 0)
            ;
        if (result < 0) {
            note_error(o, errno);
            note_busy(o, false);
            return false;
        }
    }
    note_error(o, 0);
    note_busy(o, false);
    return true;
}

static struct timespec wall_in(duration time) {
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    int64_t nsec = end.tv_nsec + time.usec % USEC_PER_SEC * 1000;
    end.tv_sec += time.usec / USEC_PER_SEC + nsec / 1000000000;
    end.tv_nsec = nsec % 1000000000;
    return end;
}

/* False: it is to be closed. */
static bool wait_for(struct audit_output *o, duration time) {
    struct timespec end = wall_in(time);
    pthread_mutex_lock(&o->lock);
    if (!o->closing)
        pthread_cond_timedwait(&o->changed, &o->lock, &end);
    bool goes_on = !o->closing;
    pthread_mutex_unlock(&o->lock);
    return goes_on;
}

static void *write_all(void *arg) {
    struct audit_output *o = arg;
    bool good = true;
    while (wait_for(o, good ? PERIOD : PERIOD_OF_FAULT)) {
        if (monotime_reached(clock_monotonic(), o->next_scan))
            scan(o);
        good = drain(o);
    }
    scan(o);
    (void)drain(o);
    scan(o); /* rings that are done with go */
    day_file_let_go(&o->file);
    return NULL;
}

static void clear(struct audit_output *o) {
    while (!SLIST_EMPTY(&o->sources))
        remove_source(o, SLIST_FIRST(&o->sources));
    pthread_mutex_destroy(&o->lock);
    pthread_cond_destroy(&o->changed);
    free(o->dir);
    free(o->runtime_dir);
    free(o);
}

struct audit_output *audit_output_new(const char *dir,
                                      const char *runtime_dir) {
    struct audit_output *o = memory_new(sizeof *o);
    o->dir = memory_copy(dir, strlen(dir));
    o->runtime_dir = memory_copy(runtime_dir, strlen(runtime_dir));
    SLIST_INIT(&o->sources);
    day_file_init(&o->file, &(struct daily_file_form){.dir = o->dir,
                                                      .prefix = "audit-",
                                                      .suffix = ".jsonl"});
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->changed, NULL);
    errno = pthread_create(&o->thread, NULL, write_all, o);
    if (errno == 0)
        return o;
    int error = errno;
    clear(o);
    errno = error;
    return NULL;
}

void audit_output_close(struct audit_output **output, duration limit) {
    struct audit_output *o = *output;
    *output = NULL;
    pthread_mutex_lock(&o->lock);
    o->closing = true;
    pthread_cond_signal(&o->changed);
    pthread_mutex_unlock(&o->lock);
    struct timespec end = wall_in(limit);
    if (pthread_timedjoin_np(o->thread, NULL, &end) == 0)
        clear(o); /* else the thread still uses it */
}

int audit_output_error(struct audit_output *output) {
    pthread_mutex_lock(&output->lock);
    int error = output->error;
    duration busy = monotime_between(output->busy_since, clock_monotonic());
    if (error == 0 && output->busy && busy.usec > STALL.usec)
        error = ETIMEDOUT;
    pthread_mutex_unlock(&output->lock);
    return error;
}

void audit_output_look(struct audit_output *output, struct child *child) {
    int error = audit_output_error(output);
    if (error != 0 && output->told == 0) {
        const char *why = error == ETIMEDOUT
                              ? "a write takes longer than a second"
                              : strerror(error);
        log_error(EVENT_AUDIT_NOT_WRITTEN, LOG_FIELDS(log_text("why", why)));
        child_alert(child, EVENT_AUDIT_NOT_WRITTEN, why);
    }
    if (error == 0 && output->told != 0)
        log_info(EVENT_AUDIT_WRITTEN_AGAIN, NULL);
    output->told = error;
}
