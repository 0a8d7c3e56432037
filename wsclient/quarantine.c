#include "wsclient/quarantine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/day.h"
#include "common/files.h"
#include "common/log.h"
#include "common/memory.h"

#define SUFFIX ".message"

static bool write_file(const char *path, struct span bytes) {
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    ssize_t written = write(fd, bytes.data, bytes.len);
    int error = written < 0 ? errno : ENOSPC;
    close(fd);
    errno = error;
    return written == (ssize_t)bytes.len;
}

static int is_ours(const struct dirent *entry) {
    size_t len = strlen(entry->d_name), suffix_len = strlen(SUFFIX);
    return len > suffix_len &&
           strcmp(entry->d_name + len - suffix_len, SUFFIX) == 0;
}

/* Names sort by their time: the oldest come first. */
static void remove_oldest(const char *folder) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_ours, alphasort);
    for (int i = 0; i < count; i++) {
        if (i < count - QUARANTINE_MAX_FILES) {
            char *path = memory_print("%s/%s", folder, entries[i]->d_name);
            unlink(path);
            free(path);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

void quarantine_save(const char *state_dir, struct span message, int64_t now_ms,
                     uint64_t sequence) {
    char moment[MOMENT_TEXT_SIZE];
    moment_print_ms(now_ms, moment);
    char *folder = memory_print("%s/quarantine", state_dir);
    char *path =
        memory_print("%s/%s-%" PRIu64 SUFFIX, folder, moment, sequence);
    if (files_make_folder(folder) == 0 && write_file(path, message))
        log_error(EVENT_MESSAGE_QUARANTINED,
                  LOG_FIELDS(log_text("path", path)));
    else
        log_error(EVENT_MESSAGE_QUARANTINED,
                  LOG_FIELDS(log_text("not_saved", strerror(errno)),
                             log_text("path", path)));
    remove_oldest(folder);
    free(path);
    free(folder);
}
