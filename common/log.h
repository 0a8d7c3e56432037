/*
 * One line per event, as text (logfmt fields) or JSON, with secrets masked by
 * value. Logging never blocks: a line that the descriptor does not take at
 * once is dropped and counted.
 */
#ifndef FXWIRE_COMMON_LOG_H
#define FXWIRE_COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/events.h"
#include "common/span.h"

/* A line is written whole or not at all: PIPE_BUF of Linux, see pipe(7). */
enum { LOG_LINE_BYTES = 4096 };

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVELS };

/* Text that is quoted where it needs it, and such that always is. */
enum { LOG_TEXT = -1, LOG_QUOTED = -2 };

/* A named value of an event. */
struct log_field {
    const char *name; /* NULL ends a list of fields */
    struct span text;
    double number;
    int decimals; /* of a number; LOG_TEXT, LOG_QUOTED: it is text */
};

#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {0}})

static inline struct log_field log_span(const char *name, struct span text) {
    return (struct log_field){name, text, 0, LOG_TEXT};
}

/* A field whose text is NULL is left out. */
static inline struct log_field log_text(const char *name, const char *text) {
    return log_span(name, text != NULL ? span_of(text) : (struct span){0});
}

static inline struct log_field log_int(const char *name, int64_t number) {
    return (struct log_field){name, {0}, (double)number, 0};
}

/* In seconds with three decimals. */
static inline struct log_field log_duration(const char *name, duration time) {
    return (struct log_field){name, {0}, (double)time.usec / 1e6, 3};
}

/*
 * Sets who speaks and in which form. `process` is lent for ever; `level` and
 * `format` are the words of LOG_LEVEL and LOG_FORMAT. Before this call, lines
 * of level info and above go to standard error as text.
 */
void log_open(const char *process, const char *level, const char *format,
              int fd);

/*
 * Masks this value and what stands in it behind a blank, in all further
 * lines; of an address, its user-info and its query instead. Texts below 4
 * bytes are not masked: they would garble everything.
 */
void log_mask(const char *secret) NONNULL_ALL;

/* Forgets what log_mask() was told, and tells what log_look() has not yet. */
void log_close(void);

/*
 * Logs `event` with `fields`, which may be NULL. errno stays as it was. Of a
 * flood of one event some lines are held back, but at the level debug: see
 * common/log_limit.h.
 */
void log_debug(enum event_id event, const struct log_field *fields);
void log_info(enum event_id event, const struct log_field *fields);
void log_warn(enum event_id event, const struct log_field *fields);
void log_error(enum event_id event, const struct log_field *fields);

/* To be called each second: says how many lines were held back (`more`). */
void log_look(void);

/*
 * A text under construction, of which the end is cut off when it is too long.
 * Nothing here or in log_error() allocates or locks: a crash handler may use
 * them.
 */
struct log_buffer {
    char text[LOG_LINE_BYTES];
    size_t len;
    bool cut;
};

void log_put(struct log_buffer *buffer, const char *text) NONNULL_ALL;

/* Puts a number in base 10 or 16. */
void log_put_number(struct log_buffer *buffer, uint64_t number,
                    unsigned base) NONNULL_ALL;

/*
 * Logs a message that somebody asked to see, whatever the level: in text form
 * as it is at the line's end, but for control characters.
 */
void log_show(enum event_id event, struct span message);

/*
 * Prints a row for people to `fd`: a title and fields, without time or level,
 * with secrets masked as in the log.
 */
void log_print_row(int fd, const char *title,
                   const struct log_field *fields) NONNULL_ALL;

bool log_enabled(enum log_level level);

/* The level of that name, as LOG_LEVEL has it, in any case; or LOG_LEVELS. */
enum log_level log_level_of(const char *word) NONNULL_ALL;

/* Its name, lent for ever. */
const char *log_level_word(enum log_level level);

/* Lines below `level` are left out from now on; LOG_LEVELS: as before. */
void log_set_level(enum log_level level);

/* Lines dropped so far by this process. */
uint64_t log_dropped(void);

#endif
