#include "supervisor/monitor/warnings.h"

#include <stdio.h>
#include <string.h>

#include "common/day.h"
#include "common/lines/message.h"

/* What stands before the level in either format, and how long the time is. */
static const char json_start[] = "{\"time\":\"",
                  json_level[] = "\",\"level\":\"";
enum { TIME_LEN = MOMENT_TEXT_SIZE - 1, MAX_WORD = 64 };

/* Takes the next word off the line, as far as it fits. */
static void take_word(struct span *line, char out[static MAX_WORD]) {
    const char *end = memchr(line->data, ' ', line->len);
    size_t len = end != NULL ? (size_t)(end - line->data) : line->len;
    snprintf(out, MAX_WORD, "%.*s", (int)len, line->data);
    *line = span_from(*line, end != NULL ? len + 1 : len);
}

/* Of a detail that is too long the last character is not cut in two. */
static void cut(const char *text, size_t len, char *out) {
    if (len >= WARNINGS_DETAIL_SIZE)
        for (len = WARNINGS_DETAIL_SIZE - 1; (text[len] & 0xC0) == 0x80;)
            len--;
    memcpy(out, text, len);
    out[len] = '\0';
}

static void keep(struct warnings *warnings, const char *const members[5]) {
    static const char *const names[] = {"time", "level", "process", "event",
                                        "detail"};
    struct json_object *row = json_object_new_object();
    for (size_t i = 0; i < 5; i++)
        message_add_text(row, names[i], members[i]);
    struct json_object **place =
        &warnings->rows[warnings->count++ % WARNINGS_KEPT];
    json_object_put(*place);
    *place = row;
}

/* `TIME LEVEL process[pid] event name=value ...` */
static void keep_text(struct warnings *warnings, struct span line) {
    char time[MAX_WORD], level[MAX_WORD], process[MAX_WORD], event[MAX_WORD];
    char detail[WARNINGS_DETAIL_SIZE];
    take_word(&line, time);
    take_word(&line, level);
    take_word(&line, process);
    take_word(&line, event);
    process[strcspn(process, "[")] = '\0';
    cut(line.data, line.len, detail);
    const char *word = *level == 'E' ? "error" : "warn";
    keep(warnings, (const char *[]){time, word, process, event, detail});
}

/* What is no part of the detail has a place of its own. */
static void put_member(const char *name, struct json_object *value, char *out,
                       size_t size) {
    static const char *const others[] = {"time", "level", "process", "pid",
                                         "event"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name, others[i]) == 0)
            return;
    size_t len = strlen(out);
    snprintf(out + len, size - len, "%s%s=%s", len > 0 ? " " : "", name,
             json_object_get_string(value));
}

static void keep_json(struct warnings *warnings, struct span text) {
    struct json_object *line = message_parse(text);
    char all[2 * WARNINGS_DETAIL_SIZE] = "", detail[WARNINGS_DETAIL_SIZE];
    if (line == NULL)
        return;
    json_object_object_foreach (line, name, value) {
        put_member(name, value, all, sizeof all);
    }
    cut(all, strlen(all), detail);
    keep(warnings, (const char *[]){message_text(line, "time"),
                                    message_text(line, "level"),
                                    message_text(line, "process"),
                                    message_text(line, "event"), detail});
    json_object_put(line);
}

static bool stands_at(struct span line, size_t at, const char *text) {
    return line.len >= at + strlen(text) &&
           memcmp(line.data + at, text, strlen(text)) == 0;
}

/* Most lines are none: that is seen at their beginning. */
static void look(struct warnings *warnings, struct span line) {
    size_t end = sizeof json_start - 1 + TIME_LEN;
    size_t word = end + sizeof json_level - 1;
    if (stands_at(line, TIME_LEN, " WARN ") ||
        stands_at(line, TIME_LEN, " ERROR "))
        keep_text(warnings, line);
    else if (stands_at(line, 0, json_start) &&
             stands_at(line, end, json_level) &&
             (stands_at(line, word, "warn\"") ||
              stands_at(line, word, "error\"")))
        keep_json(warnings, line);
}

void warnings_look(struct warnings *warnings, struct span lines) {
    while (lines.len > 0) {
        const char *end = memchr(lines.data, '\n', lines.len);
        size_t len = end != NULL ? (size_t)(end - lines.data) : lines.len;
        look(warnings, (struct span){lines.data, len});
        lines = span_from(lines, end != NULL ? len + 1 : len);
    }
}

struct json_object *warnings_rows(const struct warnings *warnings) {
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < WARNINGS_KEPT && i < warnings->count; i++)
        json_object_array_add(
            rows,
            json_object_get(
                warnings->rows[(warnings->count - 1 - i) % WARNINGS_KEPT]));
    return rows;
}

void warnings_clear(struct warnings *warnings) {
    for (size_t i = 0; i < WARNINGS_KEPT; i++)
        json_object_put(warnings->rows[i]);
    *warnings = (struct warnings){0};
}
