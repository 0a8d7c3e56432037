#include "common/metrics.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum kind { COUNTER, GAUGE };

struct row {
    enum kind kind;
    const char *name, *labels, *help;
};

static const struct row rows[METRICS] = {
#define METRIC(id, kind, process, name, labels, help)                          \
    [METRIC_##id] = {kind, name, labels, help},
#include "common/metrics.def"
#undef METRIC
};

static const struct {
    enum metric metric;
    int64_t usec;
} buckets[] = {
    {METRIC_REQUEST_UNDER_100US, 100},  {METRIC_REQUEST_UNDER_1MS, 1000},
    {METRIC_REQUEST_UNDER_10MS, 10000}, {METRIC_REQUEST_UNDER_100MS, 100000},
    {METRIC_REQUEST_UNDER_1S, 1000000}, {METRIC_REQUEST_UNDER_10S, 10000000},
    {METRIC_REQUEST_ALL, INT64_MAX},
};

void metrics_observe_request(struct metrics *metrics, duration took) {
    for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++)
        if (took.usec <= buckets[i].usec)
            metrics->values[buckets[i].metric]++;
    metrics->values[METRIC_REQUEST_SUM] += (double)took.usec / 1e6;
}

static void series_name(enum metric which, char *out, size_t size) {
    const struct row *row = &rows[which];
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

struct json_object *metrics_to_json(const struct metrics *metrics) {
    struct json_object *object = json_object_new_object();
    for (int i = 0; i < METRICS; i++) {
        char name[256];
        series_name((enum metric)i, name, sizeof name);
        if (metrics->values[i] != 0)
            json_object_object_add(object, name, number(metrics->values[i]));
    }
    return object;
}

static double value_of(struct json_object *object, const char *name) {
    struct json_object *member = NULL;
    json_object_object_get_ex(object, name, &member);
    return json_object_get_double(member);
}

struct json_object *metrics_merge(struct json_object *past,
                                  struct json_object *now) {
    struct metrics merged = {0};
    for (int i = 0; i < METRICS; i++) {
        char name[256];
        series_name((enum metric)i, name, sizeof name);
        merged.values[i] = value_of(now, name);
        if (rows[i].kind == COUNTER)
            merged.values[i] += value_of(past, name);
    }
    return metrics_to_json(&merged);
}
