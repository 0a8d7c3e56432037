#include "ratefetcher/providers/copy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/files.h"
#include "common/memory.h"
#include "ratefetcher/providers/http.h"

/*
 * The lines at the front, in this order, each with its value; the body follows
 * the last one. The first one tells the form.
 */
static const char form[] = "fxwire-rates 1\n";
static const char *const names[] = {"sha256 ", "address ", "etag ", "changed "};
enum { SUM, ADDRESS, ETAG, CHANGED, LINES };

enum {
    HEAD_BYTES = 2 * COPY_HASH_SIZE + 2 * COPY_TEXT_BYTES + 64,
    MAX_FILE_BYTES = HEAD_BYTES + HTTP_MAX_BODY_BYTES
};

static void print_hash(struct span text, char out[static COPY_HASH_SIZE]) {
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text.data, text.len, hash);
    for (size_t i = 0; i < sizeof hash; i++)
        sprintf(out + 2 * i, "%02x", hash[i]);
}

void copy_hash(const char *address, char out[static COPY_HASH_SIZE]) {
    print_hash(span_of(address), out);
}

/* Takes `name` and the rest of its line off the front of the text. */
static bool take_line(struct span *text, const char *name, struct span *value) {
    size_t len = strlen(name);
    if (text->len < len || memcmp(text->data, name, len) != 0)
        return false;
    const char *end = memchr(text->data, '\n', text->len);
    if (end == NULL)
        return false;
    *value = (struct span){text->data + len, (size_t)(end - text->data) - len};
    *text = span_from(*text, (size_t)(end - text->data) + 1);
    return true;
}

static bool take_text(struct span value, char out[static COPY_TEXT_BYTES]) {
    if (value.len >= COPY_TEXT_BYTES)
        return false;
    memcpy(out, value.data, value.len);
    out[value.len] = '\0';
    return true;
}

/* What is wrong with the text of a file, or NULL. */
static const char *read_text(struct span text, const char *hash,
                             struct copy *out) {
    struct span lines[LINES];
    char sum[COPY_HASH_SIZE];
    size_t len = sizeof form - 1;
    if (text.len < len || memcmp(text.data, form, len) != 0)
        return "of another form";
    text = span_from(text, len);
    for (size_t i = 0; i < LINES; i++) {
        if (!take_line(&text, names[i], &lines[i]))
            return "damaged";
        if (i == SUM) /* of all that follows its line */
            print_hash(text, sum);
    }
    if (!span_equals(lines[SUM], sum) ||
        !take_text(lines[ETAG], out->version.etag) ||
        !take_text(lines[CHANGED], out->version.changed))
        return "damaged";
    out->body = text;
    return span_equals(lines[ADDRESS], hash) ? NULL : "of another address";
}

/* All bytes of a file of this size; NULL and errno: it can not be read. */
static char *read_all(int fd, size_t size) {
    char *text = memory_new(size + 1);
    size_t len = 0;
    ssize_t n;
    while ((n = read(fd, text + len, size - len)) > 0)
        len += (size_t)n;
    if (n == 0 && len == size)
        return text;
    errno = n < 0 ? errno : EIO;
    free(text);
    return NULL;
}

const char *copy_read(const char *path, const char *hash, struct copy *out) {
    struct stat state;
    *out = (struct copy){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? "" : "it can not be opened";
    bool fits = fstat(fd, &state) == 0 && S_ISREG(state.st_mode) &&
                state.st_uid == geteuid() && state.st_size <= MAX_FILE_BYTES;
    out->text = fits ? read_all(fd, (size_t)state.st_size) : NULL;
    close(fd);
    if (out->text == NULL)
        return fits ? "it can not be read" : "no file of ours";
    out->confirmed_ms = state.st_mtim.tv_sec * INT64_C(1000);
    const char *why =
        read_text((struct span){out->text, (size_t)state.st_size}, hash, out);
    if (why == NULL)
        return NULL;
    free(out->text);
    out->text = NULL;
    return why;
}

void copy_confirm(const char *path) {
    (void)utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}

/*
 * The thread and its owner hold it, and whoever lets go last frees it: so a
 * disk that hangs holds up nobody. All but `holders` is the thread's until the
 * pipe is readable.
 */
struct copy_writer {
    atomic_int holders;
    char *path;
    char *text;
    size_t len;
    int done_fds[2]; /* a pipe */
    atomic_int error;
};

static void let_go(struct copy_writer *writer) {
    if (atomic_fetch_sub(&writer->holders, 1) > 1)
        return;
    if (writer->done_fds[0] >= 0) {
        close(writer->done_fds[0]);
        close(writer->done_fds[1]);
    }
    free(writer->path);
    free(writer->text);
    free(writer);
}

/* Writes all to a file of that name that is not there yet. */
static int write_new(const char *path, struct span text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    ssize_t n = 0;
    while (text.len > 0 && (n = write(fd, text.data, text.len)) > 0)
        text = span_from(text, (size_t)n);
    int error = text.len > 0    ? (n < 0 ? errno : ENOSPC)
                : fsync(fd) < 0 ? errno
                                : 0;
    return close(fd) < 0 && error == 0 ? errno : error;
}

/* The name is on the disk, too. */
static void sync_folder(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

/*
 * Whole or not at all. Should another process do the same at the same time,
 * the sum tells what came of it.
 */
static int write_file(const char *path, struct span text) {
    char *copy = memory_copy(path, strlen(path));
    char *next = memory_print("%s.new", path);
    const char *folder = dirname(copy);
    int error = files_make_folder(folder) < 0 ? errno : 0;
    (void)unlink(next);
    if (error == 0)
        error = write_new(next, text);
    if (error == 0 && rename(next, path) < 0)
        error = errno;
    if (error == 0)
        sync_folder(folder);
    else
        (void)unlink(next);
    free(next);
    free(copy);
    return error;
}

static void *run(void *arg) {
    struct copy_writer *writer = arg;
    atomic_store(
        &writer->error,
        write_file(writer->path, (struct span){writer->text, writer->len}));
    ssize_t ignored = write(writer->done_fds[1], "", 1);
    (void)ignored; /* there is room for it */
    let_go(writer);
    return NULL;
}

/* 0, or the number of an error. */
static int start_thread(struct copy_writer *writer) {
    pthread_t thread;
    if (pipe2(writer->done_fds, O_CLOEXEC | O_NONBLOCK) < 0) {
        writer->done_fds[0] = -1;
        return errno;
    }
    atomic_store(&writer->holders, 2);
    int error = pthread_create(&thread, NULL, run, writer);
    if (error != 0)
        atomic_store(&writer->holders, 1);
    else
        pthread_detach(thread);
    return error;
}

/* The file's text, in one piece of memory. */
static void print_file(struct copy_writer *writer, const char *hash,
                       const struct copy_version *version, struct span body) {
    char sum[COPY_HASH_SIZE], rest[HEAD_BYTES];
    int rest_len =
        snprintf(rest, sizeof rest, "%s%s\n%s%s\n%s%s\n", names[ADDRESS], hash,
                 names[ETAG], version->etag, names[CHANGED], version->changed);
    size_t front = sizeof form - 1 + strlen(names[SUM]) + COPY_HASH_SIZE;
    writer->len = front + (size_t)rest_len + body.len;
    writer->text = memory_new(writer->len + 1);
    char *at = writer->text + front;
    memcpy(at, rest, (size_t)rest_len);
    if (body.len > 0)
        memcpy(at + rest_len, body.data, body.len);
    print_hash((struct span){at, (size_t)rest_len + body.len}, sum);
    char first = *at;
    sprintf(writer->text, "%s%s%s\n", form, names[SUM], sum);
    *at = first; /* where that put its NUL */
}

struct copy_writer *copy_write(const char *path, const char *hash,
                               const struct copy_version *version,
                               struct span body) {
    struct copy_writer *writer = memory_new(sizeof *writer);
    atomic_init(&writer->holders, 1);
    writer->path = memory_copy(path, strlen(path));
    print_file(writer, hash, version, body);
    int error = start_thread(writer);
    if (error == 0)
        return writer;
    let_go(writer);
    errno = error;
    return NULL;
}

int copy_writer_fd(const struct copy_writer *writer) {
    return writer->done_fds[0];
}

int copy_writer_end(struct copy_writer **writer) {
    int error = atomic_load(&(*writer)->error); /* if it is over */
    let_go(*writer);
    *writer = NULL;
    return error;
}
