#include "common/metrics.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct metrics_row rows[METRICS] = {
#define METRIC(id, kind, process, name, labels, help)                          \
    [METRIC_##id] = {METRICS_##kind, #process, name, labels, help},
#include "common/metrics.def"
#undef METRIC
};

const struct metrics_row *metrics_row(enum metric which) {
    return &rows[which];
}

static const struct {
    enum metric metric;
    int64_t usec;
} buckets[] = {
    {METRIC_REQUEST_UNDER_10US, 10},      {METRIC_REQUEST_UNDER_100US, 100},
    {METRIC_REQUEST_UNDER_1MS, 1000},     {METRIC_REQUEST_UNDER_10MS, 10000},
    {METRIC_REQUEST_UNDER_100MS, 100000}, {METRIC_REQUEST_UNDER_1S, 1000000},
    {METRIC_REQUEST_UNDER_10S, 10000000}, {METRIC_REQUEST_ALL, INT64_MAX},
};

void metrics_observe_request(struct metrics *metrics, duration took) {
    size_t i = 0;
    while (took.usec > buckets[i].usec)
        i++;
    metrics->values[buckets[i].metric]++;
    metrics->values[METRIC_REQUEST_SUM] += (double)took.usec / 1e6;
    latency_count(&metrics->recent, took);
}

/* Each bucket holds what is in those before it, as Prometheus wants. */
static void cumulate(struct metrics *metrics) {
    double sum = 0;
    for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++)
        sum = metrics->values[buckets[i].metric] += sum;
    metrics->values[METRIC_REQUEST_COUNT] = sum;
}

static void series_name(enum metric which, char *out, size_t size) {
    const struct metrics_row *row = &rows[which];
    bool labels = *row->labels != '\0';
    snprintf(out, size, "%s%s%s%s", row->name, labels ? "{" : "", row->labels,
             labels ? "}" : "");
}

static struct json_object *number(double value) {
    if (value == (double)(int64_t)value)
        return json_object_new_int64((int64_t)value);
    char text[32];
    snprintf(text, sizeof text, "%.6f", value);
    return json_object_new_double_s(value, text);
}

static struct json_object *to_json(const struct metrics *metrics) {
    struct json_object *object = json_object_new_object();
    for (int i = 0; i < METRICS; i++) {
        char name[256];
        if (metrics->values[i] == 0)
            continue;
        series_name((enum metric)i, name, sizeof name);
        json_object_object_add(object, name, number(metrics->values[i]));
    }
    return object;
}

struct json_object *metrics_to_json(const struct metrics *metrics) {
    struct metrics reported = *metrics;
    cumulate(&reported);
    return to_json(&reported);
}

double metrics_value(struct json_object *object, enum metric which) {
    struct json_object *member = NULL;
    char name[256];
    if (object == NULL)
        return 0;
    series_name(which, name, sizeof name);
    json_object_object_get_ex(object, name, &member);
    return json_object_get_double(member);
}

struct json_object *metrics_merge(struct json_object *past,
                                  struct json_object *now) {
    struct metrics merged = {0};
    for (int i = 0; i < METRICS; i++) {
        merged.values[i] = metrics_value(now, (enum metric)i);
        if (rows[i].kind != METRICS_GAUGE)
            merged.values[i] += metrics_value(past, (enum metric)i);
    }
    return to_json(&merged);
}
