#include "common/runtime_dir.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/memory.h"

/* Longer than the name of any socket that we put there, with its slash. */
enum { LONGEST_NAME = 16, SOCKET_PATH_BYTES = 107 };

static_assert(sizeof "/control.sock" - 1 <= LONGEST_NAME, "socket's name");
static_assert(sizeof "/rates.sock" - 1 <= LONGEST_NAME, "socket's name");

static char *check_owner(const char *dir) {
    struct stat status;
    if (lstat(dir, &status) < 0)
        return memory_print("RUNTIME_DIR=%s: %s", dir, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return memory_print("RUNTIME_DIR=%s: is no folder (a link is refused)",
                            dir);
    if (status.st_uid != geteuid())
        return memory_print("RUNTIME_DIR=%s: belongs to user %u, not to us; "
                            "choose another folder",
                            dir, (unsigned)status.st_uid);
    if ((status.st_mode & 077) != 0)
        return memory_print("RUNTIME_DIR=%s: mode %03o lets others in; say "
                            "chmod 700",
                            dir, (unsigned)status.st_mode & 0777);
    if (access(dir, R_OK | W_OK | X_OK) < 0)
        return memory_print("RUNTIME_DIR=%s: %s", dir, strerror(errno));
    return NULL;
}

static char *check_length(const char *dir) {
    if (strlen(dir) + LONGEST_NAME <= SOCKET_PATH_BYTES)
        return NULL;
    return memory_print("RUNTIME_DIR=%s: too long for a socket's path; at "
                        "most %d bytes",
                        dir, SOCKET_PATH_BYTES - LONGEST_NAME);
}

static char *cannot_be_made(const char *dir) {
    return memory_print("RUNTIME_DIR=%s: cannot be made: %s; choose a folder "
                        "that this user can make",
                        dir, strerror(errno));
}

char *runtime_dir_prepare(const char *dir) {
    char *fault = check_length(dir);
    if (fault != NULL)
        return fault;
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return cannot_be_made(dir);
    return check_owner(dir);
}

char *runtime_dir_check(const char *dir) {
    char *fault = check_length(dir);
    if (fault != NULL || access(dir, F_OK) == 0)
        return fault != NULL ? fault : check_owner(dir);
    char *copy = memory_copy(dir, strlen(dir));
    char *parent = memory_print("%s/.", dirname(copy));
    if (errno != ENOENT || access(parent, W_OK | X_OK) < 0)
        fault = cannot_be_made(dir);
    free(parent);
    free(copy);
    return fault;
}

bool runtime_dir_is_temporary(const char *dir) {
    static const char *const swept[] = {"/tmp/", "/var/tmp/"};
    for (size_t i = 0; i < sizeof swept / sizeof *swept; i++)
        if (strncmp(dir, swept[i], strlen(swept[i])) == 0)
            return true;
    return false;
}

char *runtime_dir_path(const char *dir, const char *name) {
    return memory_print("%s/%s", dir, name);
}

int runtime_dir_lock(const char *dir, const char *name) {
    char *path = runtime_dir_path(dir, name);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(path);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

void runtime_dir_wait_unlocked(const char *dir, const char *name) {
    char *path = runtime_dir_path(dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    free(path);
    if (fd < 0)
        return;
    while (flock(fd, LOCK_SH) < 0 && errno == EINTR)
        ;
    close(fd);
}
