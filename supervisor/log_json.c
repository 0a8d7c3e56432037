#include "supervisor/log_json.h"

#include <string.h>

#include "common/json_scan.h"
#include "common/log.h"

/* Digits of a number that any reader of JSON keeps. */
enum { MAX_DIGITS = 15 };

/* Whether the text is one value of that kind. */
static bool is_json(struct span text, enum json_kind kind) {
    struct json_found none[1];
    enum json_kind top;
    return json_scan(text, NULL, 0, none, &top) == JSON_OK && top == kind;
}

static bool is_in(char c, const char *set) {
    return c != '\0' && strchr(set, c) != NULL;
}

/* The bytes up to `end`, which is taken off the line with them. False: there is
 * none before the next blank. */
static bool take(struct span *line, char end, struct span *word) {
    for (size_t i = 0; i < line->len; i++) {
        if (line->data[i] == end) {
            *word = (struct span){line->data, i};
            *line = span_from(*line, i + 1);
            return true;
        }
        if (line->data[i] == ' ')
            return false;
    }
    return false;
}

static void put_string(FILE *out, struct span text) {
    fputc('"', out);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fprintf(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    fputc('"', out);
}

/* `-12.345` and the like, as the log prints them. */
static bool is_number(struct span text) {
    size_t digits = 0, points = 0;
    text = span_from(text, text.len > 0 && text.data[0] == '-');
    for (size_t i = 0; i < text.len; i++) {
        bool is_point = text.data[i] == '.' && i > 0 && i + 1 < text.len;
        if (!is_point && !is_in(text.data[i], "0123456789"))
            return false;
        points += is_point;
        digits += !is_point;
    }
    bool zero_first =
        text.len > 1 && text.data[0] == '0' && text.data[1] != '.';
    return digits > 0 && digits <= MAX_DIGITS && points <= 1 && !zero_first;
}

/* The length of a quoted value, up to its closing quote; or 0. */
static size_t quoted_len(struct span text) {
    for (size_t i = 1; i < text.len; i++) {
        if (text.data[i] == '"')
            return i + 1;
        i += text.data[i] == '\\';
    }
    return 0;
}

/*
 * Takes a value and the blank behind it; one in quotes is a string of JSON
 * already. False: it is none, or has no end.
 */
static bool take_value(struct span *line, struct span *value) {
    bool quoted = line->len > 0 && line->data[0] == '"';
    const char *blank = memchr(line->data, ' ', line->len);
    size_t len = blank != NULL ? (size_t)(blank - line->data) : line->len;
    if (quoted)
        len = quoted_len(*line);
    if ((quoted && len == 0) || (len < line->len && line->data[len] != ' '))
        return false;
    *value = (struct span){line->data, len};
    *line = span_from(*line, len < line->len ? len + 1 : len);
    return !quoted || is_json(*value, JSON_STRING);
}

static bool take_name(struct span *line, struct span *name) {
    if (!take(line, '=', name))
        return false;
    for (size_t i = 0; i < name->len; i++)
        if (!is_in(name->data[i], "abcdefghijklmnopqrstuvwxyz0123456789_"))
            return false;
    return name->len > 0;
}

/* ` name=value name="a value"`; of what is no such list the rest is a text. */
static void put_fields(FILE *out, struct span line) {
    while (line.len > 0) {
        struct span before = line, name, value;
        if (!take_name(&line, &name) || !take_value(&line, &value)) {
            fputs(",\"text\":", out);
            put_string(out, before);
            return;
        }
        fprintf(out, ",\"%.*s\":", (int)name.len, name.data);
        if ((value.len > 0 && value.data[0] == '"') || is_number(value))
            fwrite(value.data, 1, value.len, out);
        else
            put_string(out, value);
    }
}

static enum log_level level_of(struct span title) {
    char word[8] = "";
    if (title.len < sizeof word)
        memcpy(word, title.data, title.len);
    return log_level_of(word);
}

/* `TIME LEVEL process[pid] event fields` */
static bool put_text_line(FILE *out, struct span line) {
    struct span time, title, process, pid, nothing, event;
    if (!take(&line, ' ', &time) || !take(&line, ' ', &title) ||
        !take(&line, '[', &process) || !take(&line, ']', &pid) ||
        !is_number(pid) || !take(&line, ' ', &nothing) || nothing.len > 0)
        return false;
    enum log_level level = level_of(title);
    if (level == LOG_LEVELS)
        return false;
    if (!take(&line, ' ', &event)) {
        event = line;
        line = span_from(line, line.len);
    }
    fputs("{\"time\":", out);
    put_string(out, time);
    fprintf(out, ",\"level\":\"%s\",\"process\":", log_level_word(level));
    put_string(out, process);
    fprintf(out, ",\"pid\":%.*s,\"event\":", (int)pid.len, pid.data);
    put_string(out, event);
    put_fields(out, line);
    fputs("}", out);
    return true;
}

void log_json_put(FILE *out, struct span line) {
    if (span_begins(line, "{\"time\":") && is_json(line, JSON_OBJECT)) {
        fwrite(line.data, 1, line.len, out);
    } else if (!put_text_line(out, line)) {
        fputs("{\"text\":", out);
        put_string(out, line);
        fputs("}", out);
    }
}
