/*
 * The JSON lines that the processes exchange: one object a line, its kind in
 * "op". Everything that is said on a socket of ours is named here.
 */
#ifndef FXWIRE_COMMON_LINES_MESSAGE_H
#define FXWIRE_COMMON_LINES_MESSAGE_H

#include <json-c/json.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/span.h"

enum message_op {
    MESSAGE_UNKNOWN,
    MESSAGE_RATES,   /* rates.sock: the question, and its good answer */
    MESSAGE_ERROR,   /* any socket: the bad answer */
    MESSAGE_STATUS,  /* control.sock: the question, and its answer; and
                        supervisor to monitor: the same, each second */
    MESSAGE_STOP,    /* control.sock, and supervisor to helper: end in order */
    MESSAGE_RELOAD,  /* control.sock: read the configuration anew */
    MESSAGE_RESTART, /* control.sock: restart the helpers of one name; helper to
                        supervisor: itself */
    MESSAGE_LOGS,    /* logs.sock: the question, and for each line of the log
                        from then on "line"; "lost": how many were not told */
    MESSAGE_LOG_LEVEL, /* control.sock, and supervisor to helper: log from this
                          "level" on */
    MESSAGE_READY,     /* helper to supervisor, once */
    MESSAGE_ALERT,     /* helper to supervisor: a person is needed */
    MESSAGE_PING,      /* supervisor to helper */
    MESSAGE_PONG,      /* helper to supervisor: its answer, with its report */
    MESSAGE_REPORT,    /* helper to supervisor: its report unasked */
    MESSAGE_OPS
};

/*
 * Reads a line that is exactly one JSON object in UTF-8. The caller releases
 * it with json_object_put(). NULL: it is none.
 */
MUST_CHECK struct json_object *message_parse(struct span line);

enum message_op message_op(const struct json_object *message);

/* A new message of that kind; the caller fills and releases it. */
MUST_CHECK struct json_object *message_new(enum message_op op);

/* A member's text, lent; NULL if there is none or it is no string. */
const char *message_text(const struct json_object *message, const char *name);

/* A member's number; `otherwise` if there is none or it is no number. */
double message_number(const struct json_object *message, const char *name,
                      double otherwise);

/* The message as one line without its end, lent until the message changes. */
struct span message_line(struct json_object *message);

/*
 * Adds a string member, or nothing if `text` is NULL. What is no UTF-8, as in a
 * path, is replaced: a line of JSON with it would be refused as a whole.
 */
void message_add_text(struct json_object *message, const char *name,
                      const char *text);

/* Adds a length of time as a number of seconds with three decimals. */
void message_add_duration(struct json_object *message, const char *name,
                          duration time);

#endif
