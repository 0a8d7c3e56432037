/* check --live: is there room, and can a file be written and locked, where
 * things are kept? */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/log.h"
#include "common/memory.h"
#include "supervisor/live.h"

enum { WRITTEN_BYTES = 64 * 1024, MEGABYTE = 1024 * 1024 };

/* The folder, or what is there of the way to it; free() it. */
static char *standing_part(const char *path) {
    char *part = memory_print("%s", path);
    while (access(part, F_OK) < 0 && errno == ENOENT &&
           strcmp(part, ".") != 0 && strcmp(part, "/") != 0) {
        char *above = memory_print("%s", dirname(part));
        free(part);
        part = above;
    }
    return part;
}

/* A file in there that nobody else sees; -1 and errno: none can be. */
static int open_file(const char *dir) {
    char *path = memory_print("%s/.fxwire-check.XXXXXX", dir);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    free(path);
    return fd;
}

/* Writes, keeps and locks, as the service does it. False: see errno. */
static bool use_file(int fd) {
    static const char bytes[WRITTEN_BYTES];
    ssize_t n = write(fd, bytes, sizeof bytes);
    if (n >= 0 && n < (ssize_t)sizeof bytes)
        errno = ENOSPC;
    return n == (ssize_t)sizeof bytes && fsync(fd) == 0 &&
           flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* What is left for who is not root. */
static int64_t free_megabytes(const char *dir) {
    struct statvfs room;
    return statvfs(dir, &room) == 0
               ? (int64_t)(room.f_bavail * room.f_frsize / MEGABYTE)
               : 0;
}

static bool try_folder(const struct settings *settings, enum setting which) {
    const char *path = settings_text(settings, which);
    char *dir = standing_part(path);
    int fd = open_file(dir);
    bool good = fd >= 0 && use_file(fd);
    const char *detail = good ? NULL : strerror(errno);
    log_print_row(STDOUT_FILENO, "folder",
                  LOG_FIELDS(log_text("name", settings_name(which)),
                             log_text("path", path),
                             log_text("result", good ? "ok" : "failed"),
                             log_text("detail", detail),
                             log_int("free_mb", free_megabytes(dir))));
    if (fd >= 0)
        close(fd);
    free(dir);
    return good;
}

bool live_folders(const struct settings *settings) {
    static const enum setting folders[] = {SETTING_RUNTIME_DIR,
                                           SETTING_STATE_DIR, SETTING_LOGS_DIR,
                                           SETTING_AUDIT_DIR};
    bool good = true;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (settings_text(settings, folders[i]) != NULL)
            good = try_folder(settings, folders[i]) && good;
    return good;
}
