#include "common/lines/message.h"

#include <stdio.h>

#include "common/json_scan.h"

static const char *const op_names[MESSAGE_OPS] = {
    [MESSAGE_UNKNOWN] = "",      [MESSAGE_RATES] = "rates",
    [MESSAGE_ERROR] = "error",   [MESSAGE_STATUS] = "status",
    [MESSAGE_RELOAD] = "reload", [MESSAGE_RESTART] = "restart",
    [MESSAGE_ALERT] = "alert",   [MESSAGE_STOP] = "stop",
    [MESSAGE_READY] = "ready",   [MESSAGE_PING] = "ping",
    [MESSAGE_PONG] = "pong",     [MESSAGE_REPORT] = "report",
};

/* json-c stops at a NUL byte, whatever stands behind it. */
static bool is_blank(struct span text) {
    for (size_t i = 0; i < text.len; i++)
        if (memchr(" \t\r", text.data[i], 3) == NULL)
            return false;
    return true;
}

struct json_object *message_parse(struct span line) {
    struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH);
    if (tokener == NULL)
        return NULL;
    json_tokener_set_flags(tokener,
                           JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *message =
        json_tokener_parse_ex(tokener, line.data, (int)line.len);
    bool whole = json_tokener_get_error(tokener) == json_tokener_success &&
                 is_blank(span_from(line, json_tokener_get_parse_end(tokener)));
    json_tokener_free(tokener);
    if (whole && json_object_is_type(message, json_type_object))
        return message;
    json_object_put(message);
    return NULL;
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

void message_add_text(struct json_object *message, const char *name,
                      const char *text) {
    if (text != NULL)
        json_object_object_add(message, name, json_object_new_string(text));
}

void message_add_duration(struct json_object *message, const char *name,
                          duration time) {
    char text[32];
    snprintf(text, sizeof text, "%.3f", (double)time.usec / 1e6);
    json_object_object_add(
        message, name, json_object_new_double_s((double)time.usec / 1e6, text));
}
