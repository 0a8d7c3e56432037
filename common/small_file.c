#include "common/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/memory.h"

enum { MAX_FILE_BYTES = 1024 * 1024 };

char *small_file_read(const char *path, size_t *len) {
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
    free(text);
    errno = error;
    return NULL;
}
