#include "supervisor/top/layout.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/lines/message.h"
#include "supervisor/top/cells.h"

enum { USUAL_WIDTH = 80, MAX_COLUMNS = 7 };

/* Of a list; the last column is as wide as the row. */
struct column {
    const char *title, *member;
    int width; /* negative: text stands at its left */
    cell_printer *print;
};

/* A member of the status that is an array, with a title over its rows. */
struct list {
    const char *member;
    bool grows; /* its first column, with the screen */
    bool (*is_bad)(struct json_object *row);
    struct column columns[MAX_COLUMNS];
};

static struct json_object *member(struct json_object *object,
                                  const char *name) {
    struct json_object *found = NULL;
    json_object_object_get_ex(object, name, &found);
    return found;
}

static bool is_one_of(struct json_object *row, const char *name, const char *a,
                      const char *b) {
    const char *word = message_text(row, name);
    return word != NULL && (strcmp(word, a) == 0 || strcmp(word, b) == 0);
}

static bool is_not_connected(struct json_object *row) {
    return !json_object_get_boolean(member(row, "connected"));
}

static bool is_no_good_provider(struct json_object *row) {
    return !is_one_of(row, "state", "ok", "unused");
}

static bool is_not_ready(struct json_object *row) {
    return !is_one_of(row, "state", "ready", "ready");
}

static bool is_error(struct json_object *row) {
    return is_one_of(row, "level", "error", "ERROR");
}

/* From the top to the bottom. */
static const struct list lists[] = {
    {"upstreams",
     true,
     is_not_connected,
     {{"UPSTREAM", "upstream", -24, cell_text},
      {"LINK", "connected", -10, cell_link},
      {"BEAT", "heartbeat_age_seconds", 8, cell_age},
      {"PENDING", "pending", 8, cell_count},
      {"REQ/S", "requests_per_second", 8, cell_rate},
      {"P50", "p50_seconds", 8, cell_latency},
      {"P99", "p99_seconds", 8, cell_latency}}},
    {"providers",
     false,
     is_no_good_provider,
     {{"PROVIDER", "name", -17, cell_text},
      {"STATE", "state", -13, cell_provider},
      {"CALLS/MIN", "calls_minute", 9, cell_calls},
      {"MONTH", "calls_month", 7, cell_count},
      {"LAST SUCCESS", "last_success", -14, cell_moment},
      {"FAILURE", "failure", 0, cell_text}}},
    {"helpers",
     true,
     is_not_ready,
     {{"PROCESS", "name", -26, cell_process},
      {"PID", "pid", 8, cell_count},
      {"STATE", "state", -9, cell_text},
      {"UPTIME", "uptime_seconds", 9, cell_duration},
      {"DEATHS", "deaths", 6, cell_count},
      {"LAST DEATH", "last_death", 0, cell_text}}},
    {"last_warnings",
     false,
     is_error,
     {{"WARNING", "time", -8, cell_clock},
      {"LEVEL", "level", -5, cell_text},
      {"PROCESS", "process", -11, cell_text},
      {"EVENT", "event", -22, cell_text},
      {"DETAIL", "detail", 0, cell_text}}},
};

enum { LISTS = sizeof lists / sizeof *lists };

static size_t rows_of(struct json_object *list) {
    return list != NULL ? json_object_array_length(list) : 0;
}

/* Cuts what is wider than the screen, and takes controls and the end out. */
static void finish(char *text, int width) {
    int seen = 0;
    char *at = text;
    for (; *at != '\0'; at++) {
        bool begins = ((unsigned char)*at & 0xc0) != 0x80;
        if (begins && width > 0 && seen++ == width)
            break;
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    }
    while (at > text && at[-1] == ' ')
        at--;
    *at = '\0';
}

static void __attribute__((format(printf, 3, 4)))
put(struct top_rows *out, enum top_look look, const char *format, ...) {
    if (out->count == TOP_MAX_ROWS ||
        (out->height > 0 && out->count >= out->height))
        return;
    struct top_row *row = &out->rows[out->count++];
    va_list arguments;
    row->look = look;
    va_start(arguments, format);
    vsnprintf(row->text, sizeof row->text, format, arguments);
    va_end(arguments);
    finish(row->text, out->width);
}

/* Lists */

static int column_width(const struct list *list, int column,
                        const struct top_rows *out) {
    int width = list->columns[column].width;
    bool grows = list->grows && column == 0 && out->width > USUAL_WIDTH;
    return grows ? width - (out->width - USUAL_WIDTH) : width;
}

/* Adds a cell to a row; on a screen it keeps to its column. */
static void add_cell(const struct list *list, int column, const char *text,
                     const struct top_rows *out, char *row) {
    int width = column_width(list, column, out);
    int most = width < 0 ? -width : width;
    size_t len = strlen(row);
    if (most == 0 || out->width == 0)
        most = CELL_SIZE;
    snprintf(row + len, TOP_ROW_SIZE - len, "%s%*.*s", column > 0 ? " " : "",
             width, most, text);
}

static bool has_column(const struct list *list, int column) {
    return column < MAX_COLUMNS && list->columns[column].title != NULL;
}

static void put_title(struct top_rows *out, const struct list *list) {
    char row[TOP_ROW_SIZE] = "";
    for (int i = 0; has_column(list, i); i++)
        add_cell(list, i, list->columns[i].title, out, row);
    put(out, TOP_TITLE, "%s", row);
}

static void put_row(struct top_rows *out, const struct list *list,
                    struct json_object *of) {
    char row[TOP_ROW_SIZE] = "", cell[CELL_SIZE];
    for (int i = 0; has_column(list, i); i++) {
        list->columns[i].print(of, list->columns[i].member, cell);
        add_cell(list, i, cell, out, row);
    }
    put(out, list->is_bad(of) ? TOP_BAD : TOP_PLAIN, "%s", row);
}

static void put_list(struct top_rows *out, const struct list *list,
                     struct json_object *rows, size_t room) {
    size_t count = rows_of(rows), shown = count > room ? room - 1 : count;
    if (count == 0 || room == 0)
        return;
    put_title(out, list);
    for (size_t i = 0; i < shown; i++)
        put_row(out, list, json_object_array_get_idx(rows, i));
    if (shown < count)
        put(out, TOP_PLAIN, "and %zu more", count - shown);
}

/* Deals out `left` rows, one to each list in turn, until all have theirs. */
static void deal(struct json_object *status, int left, size_t room[LISTS]) {
    memset(room, 0, LISTS * sizeof *room);
    for (bool any = true; any;) {
        any = false;
        for (int i = 0; i < LISTS; i++) {
            bool first = room[i] == 0;
            if (room[i] == rows_of(member(status, lists[i].member)) ||
                left < (first ? 2 : 1))
                continue;
            left -= first ? 2 : 1; /* the first one has a title */
            room[i]++;
            any = true;
        }
    }
}

/* What stands in one row */

static void add_up(struct json_object *sums, struct json_object *counts) {
    if (counts == NULL)
        return;
    json_object_object_foreach (counts, name, value) {
        int64_t sum = json_object_get_int64(member(sums, name)) +
                      json_object_get_int64(value);
        json_object_object_add(sums, name, json_object_new_int64(sum));
    }
}

/* The counts, but those of 0, in such an object of each upstream. */
static void print_counts(struct json_object *status, const char *of,
                         char *out) {
    struct json_object *upstreams = member(status, "upstreams");
    struct json_object *sums = json_object_new_object();
    for (size_t i = 0; i < rows_of(upstreams); i++)
        add_up(sums, member(json_object_array_get_idx(upstreams, i), of));
    *out = '\0';
    json_object_object_foreach (sums, name, value) {
        size_t len = strlen(out);
        if (json_object_get_int64(value) > 0)
            snprintf(out + len, CELL_SIZE - len, "%s%s %s", len > 0 ? ", " : "",
                     name, json_object_get_string(value));
    }
    json_object_put(sums);
}

static void put_counts(struct top_rows *out, struct json_object *status) {
    char results[CELL_SIZE], refused[CELL_SIZE], reconnects[CELL_SIZE];
    print_counts(status, "results", results);
    print_counts(status, "refused", refused);
    print_counts(status, "reconnects", reconnects);
    put(out, TOP_PLAIN, "requests   %s%s%s%s",
        *results != '\0' ? results : "none", *refused != '\0' ? " (" : "",
        refused, *refused != '\0' ? ")" : "");
    put(out, TOP_PLAIN, "reconnects %s",
        *reconnects != '\0' ? reconnects : "none");
}

/* Of each layer: how often it had what it was asked for. */
static void print_lookups(struct json_object *lookups, char *out) {
    *out = '\0';
    if (lookups == NULL)
        return;
    json_object_object_foreach (lookups, layer, results) {
        size_t len = strlen(out);
        double hit = message_number(results, "hit", 0);
        double asked = hit + message_number(results, "miss", 0) +
                       message_number(results, "bad", 0);
        snprintf(out + len, CELL_SIZE - len, "%s%s %.0f of %.0f",
                 len > 0 ? ", " : "", layer, hit, asked);
    }
}

static void put_lookups(struct top_rows *out, struct json_object *status) {
    char text[CELL_SIZE], redis[CELL_SIZE];
    print_lookups(member(status, "lookups"), text);
    cell_text(status, "redis", redis);
    put(out, TOP_PLAIN, "look-ups   %s; redis is %s",
        *text != '\0' ? text : "none", redis);
}

static void put_latest(struct top_rows *out, struct json_object *status) {
    static const char *const names[] = {"as_of", "provider", "layer"};
    struct json_object *latest = member(status, "latest");
    char age[CELL_SIZE], currencies[CELL_SIZE], texts[3][CELL_SIZE];
    if (latest == NULL) {
        put(out, TOP_BAD, "rates      none for today");
        return;
    }
    cell_duration(latest, "age_seconds", age);
    cell_count(latest, "currencies", currencies);
    for (int i = 0; i < 3; i++)
        cell_text(latest, names[i], texts[i]);
    put(out, TOP_PLAIN, "rates      of %s, %s currencies, %s, %s, %s old",
        texts[0], currencies, texts[1], texts[2], age);
}

static void put_head(struct top_rows *out, struct json_object *status) {
    char version[CELL_SIZE], uptime[CELL_SIZE], moment[CELL_SIZE],
        summary[CELL_SIZE];
    bool ready = json_object_get_boolean(member(status, "ready"));
    cell_text(status, "version", version);
    cell_duration(status, "uptime_seconds", uptime);
    cell_moment(status, "time", moment);
    cell_text(status, "summary", summary);
    put(out, TOP_HEAD, "fxwire %s, up %s, %s UTC, ready: %s", version, uptime,
        moment, ready ? "yes" : "NO");
    put(out, ready ? TOP_PLAIN : TOP_BAD, "%s", summary);
}

/* What the summary does not say: if the service is ready, it has the first. */
static void put_attention(struct top_rows *out, struct json_object *status) {
    struct json_object *list = member(status, "attention");
    size_t said = json_object_get_boolean(member(status, "ready")) ? 1 : 0;
    char text[TOP_ROW_SIZE] = "";
    for (size_t i = said; i < rows_of(list); i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%s", i > said ? "; " : "",
                 json_object_get_string(json_object_array_get_idx(list, i)));
    }
    if (*text != '\0')
        put(out, TOP_BAD, "attention  %s", text);
}

void top_layout(struct json_object *status, int width, int height,
                struct top_rows *out) {
    size_t room[LISTS];
    out->width = width;
    out->height = height;
    out->count = 0;
    put_head(out, status);
    put_attention(out, status);
    put_latest(out, status);
    put_lookups(out, status);
    put_counts(out, status);
    deal(status, (height > 0 ? height : TOP_MAX_ROWS) - out->count, room);
    for (int i = 0; i < LISTS; i++)
        put_list(out, &lists[i], member(status, lists[i].member), room[i]);
}
