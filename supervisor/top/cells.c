#include "supervisor/top/cells.h"

#include <stdio.h>
#include <string.h>

#include "common/lines/message.h"

enum { DATE_LEN = 10, CLOCK_LEN = 8, YEAR_LEN = 5 };

static void say_nothing(char *out) {
    strcpy(out, "-");
}

void cell_text(struct json_object *row, const char *member, char *out) {
    const char *text = message_text(row, member);
    snprintf(out, CELL_SIZE, "%s", text != NULL ? text : "-");
}

/* What the status does not have is shown as nothing. */
static void print_number(struct json_object *row, const char *member,
                         int decimals, const char *unit, char *out) {
    double value = message_number(row, member, -1);
    if (value < 0)
        say_nothing(out);
    else
        snprintf(out, CELL_SIZE, "%.*f%s", decimals, value, unit);
}

void cell_count(struct json_object *row, const char *member, char *out) {
    print_number(row, member, 0, "", out);
}

void cell_rate(struct json_object *row, const char *member, char *out) {
    print_number(row, member, 1, "", out);
}

void cell_age(struct json_object *row, const char *member, char *out) {
    print_number(row, member, 2, " s", out);
}

void cell_duration(struct json_object *row, const char *member, char *out) {
    static const struct {
        double below, unit;
        int decimals;
        const char *name;
    } units[] = {{100, 1, 0, "s"},
                 {6000, 60, 1, "min"},
                 {172800, 3600, 1, "h"},
                 {0, 86400, 1, "d"}};
    double seconds = message_number(row, member, -1);
    int i = 0;
    if (seconds < 0) {
        say_nothing(out);
        return;
    }
    while (units[i].below != 0 && seconds >= units[i].below)
        i++;
    snprintf(out, CELL_SIZE, "%.*f %s", units[i].decimals,
             seconds / units[i].unit, units[i].name);
}

void cell_latency(struct json_object *row, const char *member, char *out) {
    double seconds = message_number(row, member, -1);
    if (seconds < 0)
        say_nothing(out);
    else if (seconds < 1)
        snprintf(out, CELL_SIZE, "%.3g ms", seconds * 1000);
    else
        snprintf(out, CELL_SIZE, "%.3g s", seconds);
}

/* A part of a moment such as 2026-11-28T16:32:38.123Z. */
static void print_moment(struct json_object *row, const char *member,
                         size_t from, char *out) {
    const char *text = message_text(row, member);
    if (text == NULL || strlen(text) < DATE_LEN + 1 + CLOCK_LEN) {
        say_nothing(out);
        return;
    }
    snprintf(out, CELL_SIZE, "%.*s", (int)(DATE_LEN + 1 + CLOCK_LEN - from),
             text + from);
    if (from < DATE_LEN)
        out[DATE_LEN - from] = ' '; /* for the T */
}

void cell_moment(struct json_object *row, const char *member, char *out) {
    print_moment(row, member, YEAR_LEN, out);
}

void cell_clock(struct json_object *row, const char *member, char *out) {
    print_moment(row, member, DATE_LEN + 1, out);
}

void cell_link(struct json_object *row, const char *member, char *out) {
    struct json_object *connected = NULL;
    char since[CELL_SIZE];
    json_object_object_get_ex(row, member, &connected);
    cell_duration(row, "since_seconds", since);
    snprintf(out, CELL_SIZE, "%s%s%.*s",
             json_object_get_boolean(connected) ? "up" : "DOWN",
             *since != '-' ? " " : "", *since != '-' ? 16 : 0, since);
}

void cell_provider(struct json_object *row, const char *member, char *out) {
    char skipped[CELL_SIZE];
    cell_text(row, member, out);
    if (message_number(row, "skipped_seconds", 0) <= 0)
        return;
    cell_duration(row, "skipped_seconds", skipped);
    snprintf(out + strlen(out), CELL_SIZE - strlen(out), " %s", skipped);
}

void cell_calls(struct json_object *row, const char *member, char *out) {
    double most = message_number(row, "calls_minute_max", -1);
    cell_count(row, member, out);
    if (*out != '-' && most >= 0)
        snprintf(out + strlen(out), CELL_SIZE - strlen(out), "/%.0f", most);
}

void cell_process(struct json_object *row, const char *member, char *out) {
    const char *upstream = message_text(row, "upstream");
    cell_text(row, member, out);
    if (upstream != NULL)
        snprintf(out + strlen(out), CELL_SIZE - strlen(out), " %s", upstream);
}
