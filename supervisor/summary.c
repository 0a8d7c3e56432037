#include "supervisor/summary.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/lines/message.h"

enum {
    LOOPING_DEATHS = 3, /* so many in a minute are worth a word */
    FULL_PERCENT = 80,  /* of the room for messages in hand */
    HOUR_SECONDS = 3600
};

static struct json_object *member(struct json_object *object,
                                  const char *name) {
    struct json_object *found = NULL;
    json_object_object_get_ex(object, name, &found);
    return found;
}

static size_t rows_of(struct json_object *list) {
    return list != NULL ? json_object_array_length(list) : 0;
}

static void __attribute__((format(printf, 2, 3)))
add(struct json_object *list, const char *format, ...) {
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_object_array_add(list, json_object_new_string(text));
}

static bool is(struct json_object *row, const char *name, const char *word) {
    const char *text = message_text(row, name);
    return text != NULL && strcmp(text, word) == 0;
}

static void look_at_helper(struct json_object *list, struct json_object *row) {
    double deaths = message_number(row, "deaths_minute", 0);
    const char *last = message_text(row, "last_death");
    if (is(row, "state", "refused"))
        add(list, "%s refuses its configuration", message_text(row, "name"));
    else if (deaths >= LOOPING_DEATHS)
        add(list, "%s died %.0f times in a minute, last by %s",
            message_text(row, "name"), deaths, last != NULL ? last : "?");
}

static void look_at_upstream(struct json_object *list,
                             struct json_object *row) {
    double most = message_number(row, "ledger_max_bytes", 0);
    double used = message_number(row, "ledger_bytes", 0);
    if (most > 0 && used * 100 >= most * FULL_PERCENT)
        add(list, "the room for messages in hand of %s is used to %.0f %%",
            message_text(row, "upstream"), used * 100 / most);
}

static void look_at_provider(struct json_object *list,
                             struct json_object *row) {
    static const struct {
        const char *state, *means;
    } states[] = {
        {"key_refused", "refuses its key"},
        {"waiting", "wants fewer calls"},
        {"skipped", "is skipped, as it fails"},
        {"failing", "fails"},
        {"limited", "had all its calls of this minute"},
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (is(row, "state", states[i].state))
            add(list, "provider %s %s", message_text(row, "name"),
                states[i].means);
}

static void look_at_redis(struct json_object *list,
                          struct json_object *status) {
    if (is(status, "redis", "down"))
        add(list, "Redis is down");
    else if (is(status, "redis", "refused"))
        add(list, "Redis refuses us");
    else if (is(status, "redis", "read only"))
        add(list, "Redis takes no writes");
}

static void look_at_table(struct json_object *list,
                          struct json_object *latest) {
    double days = message_number(latest, "working_days_without_new", 0);
    if (days > 0)
        add(list, "today's table is of %s, %.0f working days without a new one",
            message_text(latest, "as_of"), days);
}

/* Of earlier tables it was told when they came. */
static void look_at_differences(struct json_object *list,
                                struct json_object *rows,
                                struct json_object *latest) {
    struct json_object *first = NULL;
    size_t count = 0;
    for (size_t i = 0; latest != NULL && i < rows_of(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        if (!is(row, "as_of", message_text(latest, "as_of")))
            continue;
        first = first != NULL ? first : row;
        count++;
    }
    if (count > 0)
        add(list, "today's rate of %s%s differs much: %s has %s, %s has %s",
            message_text(first, "currency"), count > 1 ? " and others" : "",
            message_text(first, "provider"), message_text(first, "rate"),
            message_text(first, "other"), message_text(first, "other_rate"));
}

static void look_at_rows(struct json_object *list, struct json_object *rows,
                         void (*look)(struct json_object *,
                                      struct json_object *)) {
    for (size_t i = 0; i < rows_of(rows); i++)
        look(list, json_object_array_get_idx(rows, i));
}

/* "for 12 s", as far as it is known. */
static void print_time(double seconds, char *out, size_t size) {
    if (seconds < 0)
        *out = '\0';
    else if (seconds < HOUR_SECONDS)
        snprintf(out, size, " for %.0f s", seconds);
    else
        snprintf(out, size, " for %.1f h", seconds / HOUR_SECONDS);
}

/* The first upstream that is not connected; false: there is none. */
static bool print_upstream(struct json_object *status, char *out, size_t size) {
    struct json_object *rows = member(status, "upstreams");
    for (size_t i = 0; i < rows_of(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        char since[32];
        if (json_object_get_boolean(member(row, "connected")))
            continue;
        print_time(message_number(row, "since_seconds", -1), since,
                   sizeof since);
        snprintf(out, size, "upstream %s not connected%s",
                 message_text(row, "upstream"), since);
        return true;
    }
    return false;
}

/* The first of the reasons, in more words, and how many more there are. */
static void print_reason(struct json_object *status, char *out, size_t size) {
    struct json_object *reasons = member(status, "reasons");
    const char *first =
        json_object_get_string(json_object_array_get_idx(reasons, 0));
    size_t more = rows_of(reasons) - 1;
    if (strncmp(first, "upstream", 8) != 0 ||
        !print_upstream(status, out, size))
        snprintf(out, size, "%s", first);
    if (more > 0)
        snprintf(out + strlen(out), size - strlen(out),
                 ", and %zu more reason%s", more, more > 1 ? "s" : "");
}

void summary_add(struct json_object *status) {
    struct json_object *list = json_object_new_array();
    char reason[400] = "", text[1000];
    look_at_rows(list, member(status, "helpers"), look_at_helper);
    look_at_rows(list, member(status, "upstreams"), look_at_upstream);
    look_at_rows(list, member(status, "providers"), look_at_provider);
    look_at_redis(list, status);
    look_at_table(list, member(status, "latest"));
    look_at_differences(list, member(status, "rates_differ"),
                        member(status, "latest"));
    bool ready = rows_of(member(status, "reasons")) == 0;
    const char *but =
        ready && rows_of(list) > 0
            ? json_object_get_string(json_object_array_get_idx(list, 0))
            : "";
    if (!ready)
        print_reason(status, reason, sizeof reason);
    snprintf(text, sizeof text, "%s%s%s%s",
             ready ? "Converting" : "Not ready: ", reason,
             *but != '\0' ? ", but " : "", but);
    message_add_text(status, "summary", text);
    json_object_object_add(status, "attention", list);
}
