/*
 * What the targets share that are about files which are mapped: a folder in
 * memory, a page that nobody may touch behind each mapping of a file, and
 * damage to what is in the file.
 */
#ifndef FXWIRE_TESTS_FUZZ_FILES_H
#define FXWIRE_TESTS_FUZZ_FILES_H

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/fuzz/fuzz.h"

enum { FILES_GUARDS = 4, FILES_PAGE = 4096 };

/* Where mappings of files end. */
static char *files_guards[FILES_GUARDS];

/* These take the place of the library's own. */
void *mmap(void *at, size_t len, int protection, int flags, int fd,
           off_t offset) {
    static size_t next;
    if (fd < 0 || (flags & MAP_FIXED) != 0)
        return (void *)syscall(SYS_mmap, at, len, protection, flags, fd,
                               offset);
    char *room = (char *)syscall(SYS_mmap, NULL, len + FILES_PAGE, PROT_NONE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
    char **guard = &files_guards[next++ % FILES_GUARDS];
    if (*guard != NULL)
        syscall(SYS_munmap, *guard, (size_t)FILES_PAGE);
    *guard = room + (len + FILES_PAGE - 1) / FILES_PAGE * FILES_PAGE;
    return (void *)syscall(SYS_mmap, room, len, protection, flags | MAP_FIXED,
                           fd, offset);
}

/* A folder of this process for files of that name; gone when it ends. */
static char files_folder[64], files_path[80];

static void files_remove(void) {
    char aside[96];
    snprintf(aside, sizeof aside, "%s.aside", files_path);
    unlink(files_path);
    unlink(aside);
    rmdir(files_folder);
}

/* Makes the folder, once; what is logged is lost. */
static inline void files_begin(const char *name) {
    if (files_folder[0] != '\0')
        return;
    strcpy(files_folder, "/dev/shm/fxwire-fuzz-XXXXXX");
    if (mkdtemp(files_folder) == NULL)
        HOLDS(mkdtemp(strcpy(files_folder, "/tmp/fxwire-fuzz-XXXXXX")) != NULL,
              "no folder");
    snprintf(files_path, sizeof files_path, "%s/%s", files_folder, name);
    atexit(files_remove);
    log_open("fuzz", "error", "text", open("/dev/null", O_WRONLY));
}

/* A folder takes the file's place, or does no more. */
static inline void files_block(bool block) {
    unlink(files_path);
    HOLDS(block ? mkdir(files_path, 0700) == 0 : rmdir(files_path) == 0, "%s",
          files_path);
}

/* No file can be longer; 0: as long as the disk has room. */
static inline void files_limit(size_t bytes) {
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes > 0 ? bytes : limit.rlim_max;
    HOLDS(setrlimit(RLIMIT_FSIZE, &limit) == 0, "%zu", bytes);
}

/* Takes a number and the blank behind it off the line. */
static inline uint64_t files_number(struct span *line) {
    uint64_t number = 0;
    struct span word = fuzz_take(line, ' ');
    for (size_t i = 0; i < word.len; i++)
        number =
            number * 10 + ((unsigned char)word.data[i] - (unsigned)'0') % 10;
    return number;
}

/*
 * `PLACE NUMBER`: there, at a multiple of 4 bytes, the file has that number of
 * 8 bytes; `PLACE`: it ends there. Both at most 64 KiB from its begin.
 */
static inline void files_damage(struct span line) {
    bool cut = memchr(line.data, ' ', line.len) == NULL;
    off_t place = (off_t)(files_number(&line) % 65536 / 4 * 4);
    uint64_t number = files_number(&line);
    int fd = open(files_path, O_RDWR | O_CREAT, 0600);
    HOLDS(fd >= 0, "%s", files_path);
    if (cut)
        HOLDS(ftruncate(fd, place) == 0, "%s", files_path);
    else
        HOLDS(pwrite(fd, &number, sizeof number, place) == sizeof number, "%s",
              files_path);
    close(fd);
}

#endif
