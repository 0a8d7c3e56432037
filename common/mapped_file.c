#include "common/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/memory.h"

/* How often a lock is tried, and how long after each try. */
enum { LOCK_TRIES = 31, LOCK_PAUSE_MS = 50 };

/* A blocking flock() could be ended by a signal alone, which it may miss. */
static int lock(int fd) {
    static const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000};
    for (int tries = 1; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        if (errno != EWOULDBLOCK || tries == LOCK_TRIES)
            return -1;
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int open_own(const char *path) {
    struct stat status;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                  0600);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_uid == geteuid())
        return fd;
    close(fd);
    errno = EPERM;
    return -1;
}

/* Whether the path still leads to the file that was opened. */
static bool is_still_there(int fd, const char *path) {
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

bool mapped_file_is_in_place(const struct mapped_file *file) {
    return is_still_there(file->fd, file->path);
}

int mapped_file_open(struct mapped_file *file, const char *path) {
    *file = (struct mapped_file){.fd = -1};
    int fd;
    while ((fd = open_own(path)) >= 0) {
        int locked = lock(fd);
        if (locked == 0 && is_still_there(fd, path)) {
            file->fd = fd;
            file->path = memory_copy(path, strlen(path));
            return 0;
        }
        int error = errno;
        close(fd); /* if it is locked, its last holder has removed it */
        errno = error;
        if (locked < 0)
            break;
    }
    return -1;
}

static int write_all(int fd, const char *bytes, size_t len) {
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(fd, bytes + done, len - done, (off_t)done);
        if (n < 0 && errno != EINTR)
            return -1;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* A locked file at `path` with all that is in `file`; -1 and errno. */
static int copy_to(const struct mapped_file *file, const char *path) {
    (void)unlink(path); /* of an attempt that failed */
    int fd = open_own(path);
    if (fd < 0)
        return -1;
    int error = posix_fallocate(fd, 0, (off_t)file->allocated);
    if (error == 0 && (flock(fd, LOCK_EX | LOCK_NB) < 0 ||
                       write_all(fd, file->start, file->allocated) < 0))
        error = errno;
    if (error == 0)
        return fd;
    close(fd);
    unlink(path);
    errno = error;
    return -1;
}

/* Whether another process has what stands at the path now. */
static bool is_anothers(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool taken = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
    if (fd >= 0)
        close(fd);
    return taken;
}

/* Takes the old file's place in the folder and in memory. */
static int replace_by(struct mapped_file *file, int fd, const char *path) {
    if (rename(path, file->path) < 0 ||
        mmap(file->start, file->bytes, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
        return -1;
    close(file->fd);
    file->fd = fd;
    return 1;
}

int mapped_file_restore(struct mapped_file *file) {
    if (file->path == NULL || is_still_there(file->fd, file->path))
        return 0;
    if (is_anothers(file->path)) {
        errno = EWOULDBLOCK;
        return -1;
    }
    char *path = memory_print("%s.new", file->path);
    int fd = copy_to(file, path);
    int result = fd >= 0 ? replace_by(file, fd, path) : -1;
    int error = errno;
    if (fd >= 0 && result < 0) {
        close(fd);
        unlink(path);
    }
    free(path);
    errno = error;
    return result;
}

static int map(struct mapped_file *file, size_t bytes, int flags) {
    void *start =
        file->start == NULL
            ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, file->fd, 0)
            : mremap(file->start, file->bytes, bytes, MREMAP_MAYMOVE);
    if (start == MAP_FAILED)
        return -1;
    file->start = start;
    file->bytes = bytes;
    return 0;
}

int mapped_file_reserve(struct mapped_file *file, size_t bytes) {
    return bytes <= file->bytes ? 0 : map(file, bytes, MAP_SHARED);
}

int mapped_file_map(struct mapped_file *file, size_t bytes) {
    size_t before = mapped_file_length(file);
    size_t more = bytes > file->allocated ? bytes - file->allocated : 0;
    int error = more == 0 ? 0
                          : posix_fallocate(file->fd, (off_t)file->allocated,
                                            (off_t)more);
    if (error == 0 && mapped_file_reserve(file, bytes) == 0) {
        file->allocated += more;
        return 0;
    }
    if (error == 0)
        error = errno;
    if (ftruncate(file->fd, (off_t)before) < 0) /* a part may have been had */
        error = errno;
    errno = error;
    return -1;
}

int mapped_file_use_memory(struct mapped_file *file, size_t bytes) {
    *file = (struct mapped_file){.fd = -1};
    file->allocated = bytes;
    return map(file, bytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
}

void mapped_file_shorten(struct mapped_file *file, size_t bytes) {
    if (ftruncate(file->fd, (off_t)bytes) == 0)
        file->allocated = bytes;
}

size_t mapped_file_length(const struct mapped_file *file) {
    struct stat status;
    return fstat(file->fd, &status) == 0 ? (size_t)status.st_size : 0;
}

/* That the present boot's id can not be read proves nothing. */
static bool is_of_another_boot(const struct mapped_header *header) {
    char now[BOOT_ID_SIZE];
    files_boot_id(now);
    return now[0] != '\0' && memcmp(header->boot_id, now, sizeof now) != 0;
}

enum mapped_form mapped_file_form(const struct mapped_file *file,
                                  const char magic[static 8],
                                  uint32_t version) {
    static const char none[sizeof(((struct mapped_header *)0)->magic)];
    struct mapped_header header = {.version = 0}; /* the file may be shorter */
    if (pread(file->fd, &header, sizeof header, 0) <= 0 ||
        memcmp(header.magic, none, sizeof none) == 0)
        return MAPPED_FORM_NONE;
    if (memcmp(header.magic, magic, sizeof header.magic) != 0)
        return MAPPED_FORM_FOREIGN;
    if (header.version != version)
        return MAPPED_FORM_VERSION;
    return is_of_another_boot(&header) ? MAPPED_FORM_BOOT : MAPPED_FORM_SAME;
}

void mapped_file_begin(struct mapped_file *file, const char magic[static 8],
                       uint32_t version) {
    struct mapped_header *header = file->start;
    header->version = version;
    files_boot_id(header->boot_id);
    atomic_thread_fence(memory_order_release);
    memcpy(header->magic, magic, sizeof header->magic);
}

void mapped_file_close(struct mapped_file *file, bool remove) {
    if (remove && file->path != NULL)
        unlink(file->path);
    if (file->start != NULL)
        munmap(file->start, file->bytes);
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    *file = (struct mapped_file){.fd = -1};
}
