#include "supervisor/monitor/metrics_text.h"

#include <math.h>
#include <string.h>

#include "common/lines/message.h"
#include "common/metrics.h"

static const char *const kinds[METRICS_KINDS] = {
    [METRICS_COUNTER] = "counter",
    [METRICS_GAUGE] = "gauge",
    [METRICS_HISTOGRAM] = "histogram",
    [METRICS_SUMMARY] = "summary",
};

static struct json_object *member(struct json_object *object,
                                  const char *name) {
    struct json_object *found = NULL;
    json_object_object_get_ex(object, name, &found);
    return found;
}

static size_t rows_of(struct json_object *status, const char *list) {
    struct json_object *rows = member(status, list);
    return rows != NULL ? json_object_array_length(rows) : 0;
}

static struct json_object *row_of(struct json_object *status, const char *list,
                                  size_t i) {
    return json_object_array_get_idx(member(status, list), i);
}

/* The series of a histogram or a summary are one family. */
static int family_len(const char *name, enum metrics_kind kind) {
    bool of_many = kind == METRICS_HISTOGRAM || kind == METRICS_SUMMARY;
    return (int)(of_many ? strrchr(name, '_') - name : (long)strlen(name));
}

static void put_family(struct evbuffer *out, const char *name,
                       enum metrics_kind kind, const char *help) {
    int len = family_len(name, kind);
    evbuffer_add_printf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", len, name,
                        help, len, name, kinds[kind]);
}

/* A value of a label, as the format wants it. */
static void put_label(struct evbuffer *out, const char *name,
                      const char *value) {
    evbuffer_add_printf(out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            evbuffer_add(out, "\\", 1);
        evbuffer_add(out, value, 1);
    }
    evbuffer_add(out, "\"", 1);
}

static void put_number(struct evbuffer *out, double value) {
    evbuffer_add_printf(
        out, value == (double)(int64_t)value ? " %.0f\n" : " %.6f\n", value);
}

/* `labels` are as the table has them; `upstream` may be NULL. */
static void put_series(struct evbuffer *out, const char *name,
                       const char *labels, const char *upstream, double value) {
    evbuffer_add_printf(out, "%s", name);
    if (*labels != '\0' || upstream != NULL)
        evbuffer_add_printf(out, "{%s%s", labels,
                            *labels != '\0' && upstream != NULL ? "," : "");
    if (upstream != NULL)
        put_label(out, "upstream", upstream);
    if (*labels != '\0' || upstream != NULL)
        evbuffer_add(out, "}", 1);
    put_number(out, value);
}

/* One that all processes have is told as their sum. */
static void put_sum(struct evbuffer *out, struct json_object *status,
                    enum metric which) {
    double sum = 0;
    for (size_t i = 0; i < rows_of(status, "counters"); i++)
        sum += metrics_value(member(row_of(status, "counters", i), "values"),
                             which);
    put_series(out, metrics_row(which)->name, metrics_row(which)->labels, NULL,
               sum);
}

/* A series of a provider is shown where that is in use. */
static bool is_shown(struct json_object *status, const char *labels) {
    static const char label[] = "provider=\"";
    if (strncmp(labels, label, sizeof label - 1) != 0)
        return true;
    labels += sizeof label - 1;
    for (size_t i = 0; i < rows_of(status, "providers"); i++) {
        const char *name = message_text(row_of(status, "providers", i), "name");
        if (strncmp(labels, name, strlen(name)) == 0 &&
            labels[strlen(name)] == '"')
            return true;
    }
    return false;
}

static void put_metric(struct evbuffer *out, struct json_object *status,
                       enum metric which) {
    const struct metrics_row *metric = metrics_row(which);
    bool begins =
        which == 0 ||
        strcmp(metric->name, metrics_row((enum metric)(which - 1))->name) != 0;
    if (begins && metric->help != NULL)
        put_family(out, metric->name, metric->kind, metric->help);
    if (strcmp(metric->process, "ALL") == 0) {
        put_sum(out, status, which);
        return;
    }
    if (!is_shown(status, metric->labels))
        return;
    for (size_t i = 0; i < rows_of(status, "counters"); i++) {
        struct json_object *row = row_of(status, "counters", i);
        if (strcasecmp(message_text(row, "name"), metric->process) == 0)
            put_series(out, metric->name, metric->labels,
                       message_text(row, "upstream"),
                       metrics_value(member(row, "values"), which));
    }
}

/* `name{process="wsclient",upstream="..."`, open for more. */
static void put_process(struct evbuffer *out, const char *name,
                        struct json_object *helper) {
    const char *upstream = message_text(helper, "upstream");
    evbuffer_add_printf(out, "%s{", name);
    put_label(out, "process", message_text(helper, "name"));
    if (upstream != NULL) {
        evbuffer_add(out, ",", 1);
        put_label(out, "upstream", upstream);
    }
}

static void put_processes(struct evbuffer *out, struct json_object *status) {
    static const char *const reasons[] = {"exit", "signal"};
    put_family(out, "fxwire_process_up", METRICS_GAUGE,
               "1 while the process runs");
    for (size_t i = 0; i < rows_of(status, "helpers"); i++) {
        struct json_object *helper = row_of(status, "helpers", i);
        put_process(out, "fxwire_process_up", helper);
        evbuffer_add(out, "}", 1);
        put_number(out, member(helper, "pid") != NULL);
    }
    put_family(out, "fxwire_process_restarts_total", METRICS_COUNTER,
               "deaths of a process, by how it ended");
    for (size_t i = 0; i < rows_of(status, "helpers"); i++)
        for (size_t r = 0; r < sizeof reasons / sizeof *reasons; r++) {
            struct json_object *helper = row_of(status, "helpers", i);
            put_process(out, "fxwire_process_restarts_total", helper);
            evbuffer_add_printf(out, ",reason=\"%s\"}", reasons[r]);
            put_number(out, message_number(member(helper, "death_reasons"),
                                           reasons[r], 0));
        }
}

static void put_service(struct evbuffer *out, struct json_object *status) {
    put_family(out, "fxwire_build_info", METRICS_GAUGE, "the version");
    put_series(out, "fxwire_build_info", "version=\"" FXWIRE_VERSION "\"", NULL,
               1);
    put_family(out, "fxwire_ready", METRICS_GAUGE,
               "1 while every upstream is connected and today's table is at "
               "hand");
    put_series(out, "fxwire_ready", "", NULL,
               json_object_get_boolean(member(status, "ready")));
}

/* Where there is no such table, fxwire_ready says so. */
static void put_table(struct evbuffer *out, struct json_object *status) {
    struct json_object *latest = member(status, "latest");
    if (latest == NULL)
        return;
    put_family(out, "fxwire_table_age_seconds", METRICS_GAUGE,
               "of today's table, since the beginning (UTC) of its own date: "
               "alert on this one, over Easter it comes to 5.7 days");
    put_series(out, "fxwire_table_age_seconds", "", NULL,
               message_number(latest, "table_age_seconds", 0));
    put_family(out, "fxwire_table_fetched_age_seconds", METRICS_GAUGE,
               "since today's table was fetched");
    put_series(out, "fxwire_table_fetched_age_seconds", "", NULL,
               message_number(latest, "age_seconds", 0));
}

static double is_up(struct json_object *row) {
    static const char *const good[] = {"ok", "unused", "limited"};
    const char *state = message_text(row, "state");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (strcmp(state, good[i]) == 0)
            return 1;
    return 0;
}

static double breaker_open(struct json_object *row) {
    const char *breaker = message_text(row, "breaker");
    return breaker != NULL ? strcmp(breaker, "open") == 0 : NAN;
}

static double calls_month(struct json_object *row) {
    return message_number(row, "calls_month", 0);
}

static double calls_minute(struct json_object *row) {
    return message_number(row, "calls_minute", NAN);
}

static double calls_minute_max(struct json_object *row) {
    return message_number(row, "calls_minute_max", NAN);
}

/* Of each provider in use; not a number: it has none, as it is a file. */
static const struct provider_gauge {
    const char *name, *help;
    double (*value)(struct json_object *row);
} provider_gauges[] = {
    {"fxwire_provider_up", "1 while the provider works, or was not asked yet",
     is_up},
    {"fxwire_provider_breaker_open",
     "1 while the provider is skipped, as it failed too often", breaker_open},
    {"fxwire_provider_calls_month", "calls to the provider this month (UTC)",
     calls_month},
    {"fxwire_provider_calls_minute", "calls to the provider in the last minute",
     calls_minute},
    {"fxwire_provider_calls_minute_max",
     "calls a minute that it may have (PROVIDER_CALLS_PER_MINUTE)",
     calls_minute_max},
};

static void put_provider_gauge(struct evbuffer *out, struct json_object *status,
                               const struct provider_gauge *gauge) {
    put_family(out, gauge->name, METRICS_GAUGE, gauge->help);
    for (size_t i = 0; i < rows_of(status, "providers"); i++) {
        struct json_object *row = row_of(status, "providers", i);
        double value = gauge->value(row);
        if (isnan(value))
            continue;
        evbuffer_add_printf(out, "%s{", gauge->name);
        put_label(out, "provider", message_text(row, "name"));
        evbuffer_add(out, "}", 1);
        put_number(out, value);
    }
}

static void put_providers(struct evbuffer *out, struct json_object *status) {
    for (size_t i = 0; i < sizeof provider_gauges / sizeof *provider_gauges;
         i++)
        put_provider_gauge(out, status, &provider_gauges[i]);
}

void metrics_text_write(struct evbuffer *out, struct json_object *status) {
    for (int i = 0; i < METRICS; i++)
        put_metric(out, status, (enum metric)i);
    put_processes(out, status);
    put_service(out, status);
    put_table(out, status);
    put_providers(out, status);
}
