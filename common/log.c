#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/day.h"
#include "common/memory.h"

enum {
    MAX_SECRETS = 32,
    MIN_SECRET_BYTES = 4,
    END_RESERVE = 16 /* room for what closes a cut line */
};

static const char *const level_words[LOG_LEVELS] = {"debug", "info", "warn",
                                                    "error"};
static const char *const level_titles[LOG_LEVELS] = {"DEBUG", "INFO", "WARN",
                                                     "ERROR"};

static struct {
    const char *process;
    enum log_level level;
    bool json;
    int fd;
    char *secrets[MAX_SECRETS];
    size_t secret_count;
    uint64_t dropped, reported;
} logger = {.process = "fxwire", .level = LOG_INFO, .fd = STDERR_FILENO};

/* A line under construction; what does not fit is left out. */
struct line {
    char text[LOG_LINE_BYTES];
    size_t len;
    bool cut;
};

static void put(struct line *line, const char *text, size_t len) {
    if (line->cut || line->len + len > sizeof line->text - END_RESERVE) {
        line->cut = true;
        return;
    }
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text) {
    put(line, text, strlen(text));
}

/* For the last bytes of a line: they may use the reserve. */
static void put_end(struct line *line, const char *text) {
    memcpy(line->text + line->len, text, strlen(text));
    line->len += strlen(text);
}

/* The length of the secret that stands at `at`, or 0. */
static size_t secret_at(struct span text, size_t at) {
    size_t longest = 0;
    for (size_t i = 0; i < logger.secret_count; i++) {
        size_t len = strlen(logger.secrets[i]);
        if (len > longest && len <= text.len - at &&
            memcmp(text.data + at, logger.secrets[i], len) == 0)
            longest = len;
    }
    return longest;
}

/* A control character, or one of `also`, becomes an escape of JSON. */
static void put_escaped_char(struct line *line, char c, const char *also) {
    char escape[8];
    if (c == '\n')
        snprintf(escape, sizeof escape, "\\n");
    else if ((unsigned char)c < 0x20 || c == 0x7F)
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)c);
    else if (strchr(also, c) != NULL)
        snprintf(escape, sizeof escape, "\\%c", c);
    else
        snprintf(escape, sizeof escape, "%c", c);
    put_text(line, escape);
}

/* Takes back the last character, which a cut may have left in parts. */
static void drop_last_char(struct line *line) {
    while (line->len > 0 && (line->text[line->len - 1] & 0xC0) == 0x80)
        line->len--;
    if (line->len > 0 && (line->text[line->len - 1] & 0xC0) == 0xC0)
        line->len--;
}

/* The text with secrets masked, control characters and `also` escaped. */
static void put_escaped(struct line *line, struct span text, const char *also) {
    for (size_t i = 0; i < text.len; i++) {
        size_t secret = secret_at(text, i);
        if (secret > 0) {
            put_text(line, "***");
            i += secret - 1;
        } else {
            put_escaped_char(line, text.data[i], also);
        }
    }
    if (line->cut)
        drop_last_char(line);
}

static bool needs_quotes(struct span text) {
    if (text.len == 0)
        return true;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] <= ' ' || text.data[i] == '"' ||
            text.data[i] == '=' || text.data[i] == 0x7F)
            return true;
    return false;
}

/* The quote that opened has to close, if need be in the reserve. */
static void put_quoted(struct line *line, struct span text) {
    put_text(line, "\"");
    put_escaped(line, text, "\"\\");
    put_end(line, line->cut ? "...\"" : "\"");
}

static void put_value(struct line *line, const struct log_field *field) {
    char number[32];
    if (field->decimals < 0 && (logger.json || needs_quotes(field->text))) {
        put_quoted(line, field->text);
    } else if (field->decimals < 0) {
        put_escaped(line, field->text, "");
    } else {
        snprintf(number, sizeof number, "%.*f", field->decimals, field->number);
        put_text(line, number);
    }
}

static void put_field(struct line *line, const struct log_field *field) {
    if (field->decimals < 0 && field->text.data == NULL)
        return;
    /* A name is never left without its value. */
    if (line->len + strlen(field->name) + 32 > sizeof line->text - END_RESERVE)
        line->cut = true;
    put_text(line, logger.json ? ",\"" : " ");
    put_text(line, field->name);
    put_text(line, logger.json ? "\":" : "=");
    if (!line->cut)
        put_value(line, field);
}

static void put_head(struct line *line, enum log_level level,
                     const char *event) {
    char moment[MOMENT_TEXT_SIZE], head[256];
    moment_print_ms(clock_wall_ms(), moment);
    const char *title = logger.json ? level_words[level] : level_titles[level];
    if (logger.json)
        snprintf(head, sizeof head,
                 "{\"time\":\"%s\",\"level\":\"%s\",\"process\":\"%s\","
                 "\"pid\":%d,\"event\":\"%s\"",
                 moment, title, logger.process, (int)getpid(), event);
    else
        snprintf(head, sizeof head, "%s %s %s[%d] %s", moment, title,
                 logger.process, (int)getpid(), event);
    put_text(line, head);
}

static bool write_line(const struct line *line) {
    ssize_t n;
    do
        n = write(logger.fd, line->text, line->len);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)line->len;
}

static bool log_line(enum log_level level, const char *event,
                     const struct log_field *fields) {
    struct line line = {.len = 0};
    put_head(&line, level, event);
    for (; fields != NULL && fields->name != NULL; fields++)
        put_field(&line, fields);
    put_end(&line, logger.json ? "}\n" : "\n");
    return write_line(&line);
}

static void log_event(enum log_level level, const char *event,
                      const struct log_field *fields) {
    int saved_errno = errno;
    if (!log_line(level, event, fields)) {
        logger.dropped++;
    } else if (logger.dropped > logger.reported &&
               log_line(
                   LOG_WARN, "log_lines_dropped",
                   LOG_FIELDS(log_int("lines", (int64_t)(logger.dropped -
                                                         logger.reported))))) {
        logger.reported = logger.dropped;
    }
    errno = saved_errno;
}

void log_open(const char *process, const char *level, const char *format,
              int fd) {
    logger.process = process;
    logger.json = strcmp(format, "json") == 0;
    logger.fd = fd;
    for (int i = 0; i < LOG_LEVELS; i++)
        if (strcmp(level_words[i], level) == 0)
            logger.level = (enum log_level)i;
}

static void mask_part(const char *text, size_t len) {
    if (len < MIN_SECRET_BYTES || logger.secret_count == MAX_SECRETS)
        return;
    logger.secrets[logger.secret_count++] = memory_copy(text, len);
}

/* Of an address, user-info and query are secret, and nothing else. */
static void mask_address(const char *authority) {
    size_t end = strcspn(authority, "/?");
    const char *at = memrchr(authority, '@', end);
    if (at != NULL) {
        size_t len = (size_t)(at - authority);
        const char *password = memchr(authority, ':', len);
        mask_part(authority, len);
        if (password != NULL)
            mask_part(password + 1, (size_t)(at - password) - 1);
    }
    const char *query = strchr(authority, '?');
    if (query != NULL)
        mask_part(query + 1, strlen(query + 1));
}

void log_mask(const char *secret) {
    const char *scheme_end = strstr(secret, "://");
    if (scheme_end != NULL) {
        mask_address(scheme_end + 3);
        return;
    }
    mask_part(secret, strlen(secret));
    const char *blank = strrchr(secret, ' ');
    if (blank != NULL)
        mask_part(blank + 1, strlen(blank + 1));
}

void log_close(void) {
    for (size_t i = 0; i < logger.secret_count; i++)
        free(logger.secrets[i]);
    logger.secret_count = 0;
}

bool log_enabled(enum log_level level) {
    return level >= logger.level;
}

static void log_if_enabled(enum log_level level, const char *event,
                           const struct log_field *fields) {
    if (log_enabled(level))
        log_event(level, event, fields);
}

void log_debug(const char *event, const struct log_field *fields) {
    log_if_enabled(LOG_DEBUG, event, fields);
}

void log_info(const char *event, const struct log_field *fields) {
    log_if_enabled(LOG_INFO, event, fields);
}

void log_warn(const char *event, const struct log_field *fields) {
    log_if_enabled(LOG_WARN, event, fields);
}

void log_error(const char *event, const struct log_field *fields) {
    log_if_enabled(LOG_ERROR, event, fields);
}

void log_show(const char *event, struct span message) {
    if (logger.json) {
        log_event(LOG_INFO, event, LOG_FIELDS(log_span("text", message)));
        return;
    }
    int saved_errno = errno;
    struct line line = {.len = 0};
    put_head(&line, LOG_INFO, event);
    put_text(&line, " ");
    put_escaped(&line, message, "");
    put_end(&line, line.cut ? "...\n" : "\n");
    if (!write_line(&line))
        logger.dropped++;
    errno = saved_errno;
}

uint64_t log_dropped(void) {
    return logger.dropped;
}
