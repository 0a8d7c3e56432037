#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/memory.h"

enum { MAX_FILE_BYTES = 1024 * 1024, FRESH_SECONDS = 3600 };

char *files_read(const char *path, size_t *len) {
    /* Non-blocking, so that a FIFO in its place can not hold us up. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    char *text = memory_new(MAX_FILE_BYTES + 1);
    ssize_t n;
    *len = 0;
    while ((n = read(fd, text + *len, MAX_FILE_BYTES - *len)) > 0)
        *len += (size_t)n;
    int error = n < 0 ? errno : *len == MAX_FILE_BYTES ? EFBIG : 0;
    close(fd);
    if (error == 0)
        return text;
    explicit_bzero(text, *len); /* part of a secret, it may be */
    free(text);
    errno = error;
    return NULL;
}

/* What is there has to be a folder in which this process may write. */
static int check_writable(const char *path) {
    struct stat status;
    if (stat(path, &status) < 0)
        return -1;
    if (!S_ISDIR(status.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    return access(path, W_OK | X_OK);
}

int files_make_folder(const char *path) {
    char *part = memory_copy(path, strlen(path));
    for (char *end = part + 1; (end = strchr(end, '/')) != NULL; end++) {
        *end = '\0';
        (void)mkdir(part, 0700); /* the last one tells whether it worked */
        *end = '/';
    }
    int made = mkdir(part, 0700);
    free(part);
    return made < 0 && errno != EEXIST ? -1 : check_writable(path);
}

/* Looks at the nearest folder that is there, from `path` upwards. */
int files_check_folder(const char *path) {
    char *copy = memory_copy(path, strlen(path)), *at = copy;
    int result;
    while ((result = check_writable(at)) < 0 && errno == ENOENT &&
           strcmp(at, "/") != 0 && strcmp(at, ".") != 0)
        at = dirname(at);
    int error = errno;
    free(copy);
    errno = error;
    return result;
}

void files_freshen(const char *path) {
    struct stat status;
    if (lstat(path, &status) < 0)
        return;
    time_t now = time(NULL);
    if (now - status.st_mtime > FRESH_SECONDS ||
        now - status.st_atime > FRESH_SECONDS)
        (void)utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}

/* Read once: later this process may not be allowed to. */
void files_boot_id(char out[static BOOT_ID_SIZE]) {
    static char known[BOOT_ID_SIZE];
    size_t len;
    char *id = known[0] == '\0'
                   ? files_read("/proc/sys/kernel/random/boot_id", &len)
                   : NULL;
    if (id != NULL)
        memcpy(known, id, len < BOOT_ID_SIZE ? len : BOOT_ID_SIZE - 1);
    free(id);
    memcpy(out, known, BOOT_ID_SIZE);
}
