#include "common/lines/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_scan.h"
#include "common/memory.h"
#include "common/utf8.h"

static const char *const op_names[MESSAGE_OPS] = {
    [MESSAGE_UNKNOWN] = "",
    [MESSAGE_RATES] = "rates",
    [MESSAGE_ERROR] = "error",
    [MESSAGE_STATUS] = "status",
    [MESSAGE_RELOAD] = "reload",
    [MESSAGE_RESTART] = "restart",
    [MESSAGE_ALERT] = "alert",
    [MESSAGE_STOP] = "stop",
    [MESSAGE_READY] = "ready",
    [MESSAGE_PING] = "ping",
    [MESSAGE_PONG] = "pong",
    [MESSAGE_REPORT] = "report",
    [MESSAGE_LOG_LEVEL] = "log_level",
    [MESSAGE_LOGS] = "logs",
};

/*
 * json-c is no judge of what is JSON: strictly, 0.18 refuses a text beyond
 * ASCII and an integer beyond 64 bits, and 0.16 takes NaN; not strictly, both
 * take what is none.
 */
static bool is_object(struct span text) {
    struct utf8 utf8 = {0};
    struct json_found none[1];
    enum json_kind top;
    return utf8_feed(&utf8, text) && utf8_complete(&utf8) &&
           json_scan(text, NULL, 0, none, &top) == JSON_OK &&
           top == JSON_OBJECT;
}

struct json_object *message_parse(struct span line) {
    if (!is_object(line))
        return NULL;
    /* It counts a value within the innermost object as a level. */
    struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
    if (tokener == NULL)
        return NULL;
    struct json_object *message =
        json_tokener_parse_ex(tokener, line.data, (int)line.len);
    json_tokener_free(tokener);
    return message;
}

enum message_op message_op(const struct json_object *message) {
    const char *name = message_text(message, "op");
    for (int op = MESSAGE_UNKNOWN + 1; name != NULL && op < MESSAGE_OPS; op++)
        if (strcmp(op_names[op], name) == 0)
            return (enum message_op)op;
    return MESSAGE_UNKNOWN;
}

struct json_object *message_new(enum message_op op) {
    struct json_object *message = json_object_new_object();
    message_add_text(message, "op", op_names[op]);
    return message;
}

const char *message_text(const struct json_object *message, const char *name) {
    struct json_object *member;
    if (!json_object_object_get_ex(message, name, &member) ||
        !json_object_is_type(member, json_type_string))
        return NULL;
    return json_object_get_string(member);
}

double message_number(const struct json_object *message, const char *name,
                      double otherwise) {
    struct json_object *member;
    if (!json_object_object_get_ex(message, name, &member) ||
        (!json_object_is_type(member, json_type_int) &&
         !json_object_is_type(member, json_type_double)))
        return otherwise;
    return json_object_get_double(member);
}

struct span message_line(struct json_object *message) {
    size_t len;
    const char *text = json_object_to_json_string_length(
        message, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    return (struct span){text, len};
}

/* JSON is UTF-8: of what is none each byte becomes U+FFFD. free() it. */
static char *as_utf8(struct span text) {
    static const char stray[] = "\xEF\xBF\xBD";
    char *out = memory_new(text.len * (sizeof stray - 1) + 1);
    size_t at = 0;
    while (text.len > 0) {
        size_t len = utf8_char_len(text);
        memcpy(out + at, len > 0 ? text.data : stray,
               len > 0 ? len : sizeof stray - 1);
        at += len > 0 ? len : sizeof stray - 1;
        text = span_from(text, len > 0 ? len : 1);
    }
    return out;
}

void message_add_text(struct json_object *message, const char *name,
                      const char *text) {
    if (text == NULL)
        return;
    char *good = as_utf8(span_of(text));
    json_object_object_add(message, name, json_object_new_string(good));
    free(good);
}

void message_add_duration(struct json_object *message, const char *name,
                          duration time) {
    char text[32];
    snprintf(text, sizeof text, "%.3f", (double)time.usec / 1e6);
    json_object_object_add(
        message, name, json_object_new_double_s((double)time.usec / 1e6, text));
}
