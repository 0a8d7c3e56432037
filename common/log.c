#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/day.h"
#include "common/log_limit.h"
#include "common/memory.h"
#include "common/utf8.h"

enum {
    MIN_SECRET_BYTES = 4,
    END_RESERVE = 16, /* room for what closes a cut line */
    SHORT_VALUE = 32, /* a field's name is never left without its value */
    ROW_TITLE = 11
};

/* The words of LOG_LEVEL, and the titles of lines. */
static const struct {
    const char *word, *title;
} levels[LOG_LEVELS] = {
    {"debug", "DEBUG"}, {"info", "INFO"}, {"warn", "WARN"}, {"error", "ERROR"}};

static struct {
    const char *process;
    enum log_level level;
    bool json;
    int fd;
    char **secrets;
    size_t secret_count;
    bool starts_secret[256]; /* whether one begins with this byte */
    uint64_t dropped, reported;
    struct limited {
        struct log_limit limit;
        enum log_level level; /* of the last line */
    } limited[EVENTS];
} logger = {.process = "fxwire", .level = LOG_INFO, .fd = STDERR_FILENO};

static size_t room(const struct log_buffer *line) {
    size_t most = sizeof line->text - END_RESERVE;
    return line->cut || line->len > most ? 0 : most - line->len;
}

/* For the last bytes of a line: they may use the reserve. */
static void put_end(struct log_buffer *line, const char *text) {
    memcpy(line->text + line->len, text, strlen(text));
    line->len += strlen(text);
}

void log_put(struct log_buffer *line, const char *text) {
    if (strlen(text) <= room(line))
        put_end(line, text);
    else
        line->cut = true;
}

static void put_some(struct log_buffer *line, const char *bytes, size_t len) {
    line->cut = line->cut || len > room(line);
    len = len < room(line) ? len : room(line);
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
}

void log_put_number(struct log_buffer *line, uint64_t number, unsigned base) {
    char digits[24];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do
        digits[--at] = "0123456789abcdef"[number % base];
    while ((number /= base) > 0);
    log_put(line, digits + at);
}

/* The length of the longest secret that `text` begins with, or 0. */
static size_t secret_len(struct span text) {
    size_t longest = 0;
    for (size_t i = 0; i < logger.secret_count; i++) {
        size_t len = strlen(logger.secrets[i]);
        if (len > longest && len <= text.len &&
            memcmp(text.data, logger.secrets[i], len) == 0)
            longest = len;
    }
    return longest;
}

static bool is_ascii(char c) {
    return (unsigned char)c < 0x80;
}

static bool is_control(char c) {
    return (unsigned char)c < 0x20 || c == 0x7F;
}

/* A control character, or a quote, as an escape of JSON; or a stray byte. */
static void put_escape(struct log_buffer *line, char c) {
    const char *hex = "0123456789abcdef";
    if (!is_ascii(c))
        log_put(line, "\xEF\xBF\xBD"); /* no UTF-8: U+FFFD in its place */
    else if (c == '\n')
        log_put(line, "\\n");
    else if (is_control(c))
        log_put(line, (char[]){'\\', 'u', '0', '0', hex[c >> 4 & 15],
                               hex[c & 15], '\0'});
    else
        log_put(line, (char[]){'\\', c, '\0'});
}

/* Takes back the last character, which a cut may have left in parts. */
static void drop_last_char(struct log_buffer *line) {
    while (line->len > 0 && (line->text[line->len - 1] & 0xC0) == 0x80)
        line->len--;
    if (line->len > 0 && (line->text[line->len - 1] & 0xC0) == 0xC0)
        line->len--;
}

/* The text with secrets masked, control characters and `quotes` escaped. */
static void put_escaped(struct log_buffer *line, struct span text,
                        const char *quotes) {
    size_t plain = 0; /* bytes before `text` that stand as they are */
    while (text.len > plain && !line->cut) {
        char c = text.data[plain];
        size_t secret = logger.starts_secret[(unsigned char)c]
                            ? secret_len(span_from(text, plain))
                            : 0;
        size_t len = is_ascii(c) ? 1 : utf8_char_len(span_from(text, plain));
        bool escaped = is_control(c) || strchr(quotes, c) != NULL || len == 0;
        if (secret == 0 && !escaped) {
            plain += len;
            continue;
        }
        put_some(line, text.data, plain);
        if (secret > 0)
            log_put(line, "***");
        else
            put_escape(line, c);
        text = span_from(text, plain + (secret > 0 ? secret : 1));
        plain = 0;
    }
    put_some(line, text.data, text.len);
    if (line->cut)
        drop_last_char(line);
}

static bool needs_quotes(struct span text) {
    if (text.len == 0)
        return true;
    for (size_t i = 0; i < text.len; i++)
        if (is_control(text.data[i]) || strchr(" \"=", text.data[i]) != NULL)
            return true;
    return false;
}

/* The quote that opened has to close, if need be in the reserve. */
static void put_quoted(struct log_buffer *line, struct span text) {
    log_put(line, "\"");
    put_escaped(line, text, "\"\\");
    put_end(line, line->cut ? "...\"" : "\"");
}

static void put_field(struct log_buffer *line, const struct log_field *field) {
    bool is_text = field->decimals < 0;
    if (is_text && field->text.data == NULL)
        return;
    if (strlen(field->name) + SHORT_VALUE > room(line)) {
        line->cut = true;
        return;
    }
    log_put(line, logger.json ? ",\"" : " ");
    log_put(line, field->name);
    log_put(line, logger.json ? "\":" : "=");
    if (is_text && (logger.json || field->decimals == LOG_QUOTED ||
                    needs_quotes(field->text))) {
        put_quoted(line, field->text);
    } else if (is_text) {
        put_escaped(line, field->text, "");
    } else {
        char number[32];
        snprintf(number, sizeof number, "%.*f", field->decimals, field->number);
        log_put(line, number);
    }
}

/* Begins a line with the time, the level, who speaks, and what happened. */
static void put_head(struct log_buffer *line, enum log_level level,
                     enum event_id event) {
    char moment[MOMENT_TEXT_SIZE];
    line->len = 0;
    line->cut = false;
    moment_print_ms(clock_wall_ms(), moment);
    log_put(line, logger.json ? "{\"time\":\"" : "");
    log_put(line, moment);
    log_put(line, logger.json ? "\",\"level\":\"" : " ");
    log_put(line, logger.json ? levels[level].word : levels[level].title);
    log_put(line, logger.json ? "\",\"process\":\"" : " ");
    log_put(line, logger.process);
    log_put(line, logger.json ? "\",\"pid\":" : "[");
    log_put_number(line, (uint64_t)getpid(), 10);
    log_put(line, logger.json ? ",\"event\":\"" : "] ");
    log_put(line, event_name(event));
    log_put(line, logger.json ? "\"" : "");
}

static bool write_to(int fd, const struct log_buffer *line) {
    ssize_t n;
    do
        n = write(fd, line->text, line->len);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)line->len;
}

static bool write_line(const struct log_buffer *line) {
    return write_to(logger.fd, line);
}

static bool log_line(enum log_level level, enum event_id event,
                     const struct log_field *fields) {
    struct log_buffer line;
    put_head(&line, level, event);
    for (; fields != NULL && fields->name != NULL; fields++)
        put_field(&line, fields);
    put_end(&line, logger.json ? "}\n" : "\n");
    return write_line(&line);
}

static void log_event(enum log_level level, enum event_id event,
                      const struct log_field *fields) {
    int saved_errno = errno;
    if (!log_line(level, event, fields)) {
        logger.dropped++;
    } else if (logger.dropped > logger.reported) {
        int64_t lines = (int64_t)(logger.dropped - logger.reported);
        if (log_line(LOG_WARN, EVENT_LOG_LINES_DROPPED,
                     LOG_FIELDS(log_int("lines", lines))))
            logger.reported = logger.dropped;
    }
    errno = saved_errno;
}

void log_open(const char *process, const char *level, const char *format,
              int fd) {
    logger.process = process;
    logger.json = strcmp(format, "json") == 0;
    logger.fd = fd;
    log_set_level(log_level_of(level));
}

enum log_level log_level_of(const char *word) {
    int level = LOG_DEBUG;
    while (level < LOG_LEVELS && strcasecmp(levels[level].word, word) != 0)
        level++;
    return (enum log_level)level;
}

const char *log_level_word(enum log_level level) {
    return levels[level].word;
}

void log_set_level(enum log_level level) {
    if (level < LOG_LEVELS)
        logger.level = level;
}

static void mask_part(const char *text, size_t len) {
    if (len < MIN_SECRET_BYTES)
        return;
    logger.secrets = memory_resize(logger.secrets, (logger.secret_count + 1) *
                                                       sizeof *logger.secrets);
    logger.secrets[logger.secret_count++] = memory_copy(text, len);
    logger.starts_secret[(unsigned char)*text] = true;
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

bool log_enabled(enum log_level level) {
    return level >= logger.level;
}

/* Tells of lines like one that were held back, and are due or all there are. */
static void tell_more(enum event_id event, bool all) {
    struct limited *limited = &logger.limited[event];
    uint64_t more = limited->limit.more;
    if (more > 0 && !all)
        more = log_limit_due(&limited->limit, clock_monotonic());
    if (more == 0)
        return;
    limited->limit.more = 0;
    log_event(limited->level, event,
              LOG_FIELDS(log_int("more", (int64_t)more)));
}

void log_look(void) {
    for (int event = 0; event < EVENTS; event++)
        tell_more((enum event_id)event, false);
}

/* Each of them is told: they do not come in floods, and none is like another.
 */
static bool is_always_told(enum event_id event) {
    return event == EVENT_DIED || event == EVENT_ALERT;
}

/* Who wants all lines sets the level debug. */
static bool is_held_back(enum log_level level, enum event_id event) {
    struct limited *limited = &logger.limited[event];
    limited->level = level;
    return logger.level > LOG_DEBUG && !is_always_told(event) &&
           !log_limit_take(&limited->limit, clock_monotonic());
}

static void log_if_enabled(enum log_level level, enum event_id event,
                           const struct log_field *fields) {
    if (log_enabled(level) && !is_held_back(level, event))
        log_event(level, event, fields);
}

void log_close(void) {
    for (int event = 0; event < EVENTS; event++)
        tell_more((enum event_id)event, true);
    for (size_t i = 0; i < logger.secret_count; i++)
        memory_wipe(logger.secrets[i]);
    free(logger.secrets);
    logger.secrets = NULL;
    logger.secret_count = 0;
    memset(logger.starts_secret, 0, sizeof logger.starts_secret);
}

void log_debug(enum event_id event, const struct log_field *fields) {
    log_if_enabled(LOG_DEBUG, event, fields);
}

void log_info(enum event_id event, const struct log_field *fields) {
    log_if_enabled(LOG_INFO, event, fields);
}

void log_warn(enum event_id event, const struct log_field *fields) {
    log_if_enabled(LOG_WARN, event, fields);
}

void log_error(enum event_id event, const struct log_field *fields) {
    log_if_enabled(LOG_ERROR, event, fields);
}

void log_show(enum event_id event, struct span message) {
    if (logger.json) {
        log_event(LOG_INFO, event, LOG_FIELDS(log_span("text", message)));
        return;
    }
    int saved_errno = errno;
    struct log_buffer line;
    put_head(&line, LOG_INFO, event);
    log_put(&line, " ");
    put_escaped(&line, message, "");
    put_end(&line, line.cut ? "...\n" : "\n");
    if (!write_line(&line))
        logger.dropped++;
    errno = saved_errno;
}

void log_print_row(int fd, const char *title, const struct log_field *fields) {
    bool json = logger.json;
    struct log_buffer line = {.len = 0};
    logger.json = false;
    log_put(&line, title);
    for (size_t len = strlen(title); len < ROW_TITLE; len++)
        log_put(&line, " ");
    for (; fields->name != NULL; fields++)
        put_field(&line, fields);
    put_end(&line, "\n");
    logger.json = json;
    (void)write_to(fd, &line); /* nobody reads it: nobody misses it */
}

uint64_t log_dropped(void) {
    return logger.dropped;
}
