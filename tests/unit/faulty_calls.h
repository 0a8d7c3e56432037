/*
 * System calls that a test can make fail, or be strict: these take the place of
 * the library's own in its program.
 */
#ifndef FXWIRE_TESTS_UNIT_FAULTY_CALLS_H
#define FXWIRE_TESTS_UNIT_FAULTY_CALLS_H

#include <errno.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Behind each new mapping of a file lies a page that nobody may read. */
static bool mmap_strictly;

/* What flock() fails with; 0: it works. */
static int flock_error;

static void *mmap_really(void *at, size_t len, int protection, int flags,
                         int fd, off_t offset) {
    return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, offset);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd,
           off_t offset) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (!mmap_strictly || fd < 0)
        return mmap_really(at, len, protection, flags, fd, offset);
    char *room = mmap_really(NULL, len + page, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return room;
    return mmap_really(room, len, protection, flags | MAP_FIXED, fd, offset);
}

int flock(int fd, int operation) {
    if (flock_error != 0) {
        errno = flock_error;
        return -1;
    }
    return (int)syscall(SYS_flock, fd, operation);
}

#endif
