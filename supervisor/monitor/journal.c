#include "supervisor/monitor/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/day.h"

bool journal_reads(int fd, const char *stream) {
    struct stat status;
    uintmax_t device, inode;
    char rest;
    return stream != NULL && fstat(fd, &status) == 0 &&
           sscanf(stream, "%ju:%ju%c", &device, &inode, &rest) == 2 &&
           device == status.st_dev && inode == status.st_ino;
}

/* What is at the front of a line of the log, but for its time. */
static const char before_time[] = "{\"time\":\"",
                  before_level[] = "\",\"level\":\"";

static size_t level_at(struct span line) {
    enum { TIME_LEN = MOMENT_TEXT_SIZE - 1 };
    bool is_json = line.len > 0 && line.data[0] == '{';
    return is_json ? strlen(before_time) + TIME_LEN + strlen(before_level)
                   : TIME_LEN + strlen(" ");
}

/* The levels of syslog(3); a line without one is not of ours. */
static char priority_of(struct span line) {
    static const struct {
        const char *title, *word;
        char priority;
    } levels[] = {
        {"ERROR ", "error\"", '3'},
        {"WARN ", "warn\"", '4'},
        {"INFO ", "info\"", '6'},
        {"DEBUG ", "debug\"", '7'},
    };
    size_t at = level_at(line);
    struct span level = span_from(line, at < line.len ? at : line.len);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (span_begins(level, levels[i].title) ||
            span_begins(level, levels[i].word))
            return levels[i].priority;
    return '6';
}

size_t journal_put(struct span line, char *out) {
    out[0] = '<';
    out[1] = priority_of(line);
    out[2] = '>';
    memcpy(out + JOURNAL_PREFIX_BYTES, line.data, line.len);
    return JOURNAL_PREFIX_BYTES + line.len;
}
