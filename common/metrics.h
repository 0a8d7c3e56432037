/* Counters and gauges: one table of them, one struct of values a process. */
#ifndef FXWIRE_COMMON_METRICS_H
#define FXWIRE_COMMON_METRICS_H

#include <json-c/json.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/latency.h"

enum metric {
#define METRIC(id, ...) METRIC_##id,
#include "common/metrics.def"
#undef METRIC
    METRICS
};

/* What Prometheus calls the type of a metric. */
enum metrics_kind {
    METRICS_COUNTER,
    METRICS_GAUGE,
    METRICS_HISTOGRAM,
    METRICS_SUMMARY,
    METRICS_KINDS
};

struct metrics_row {
    enum metrics_kind kind;
    const char *process; /* whose name contains it, in upper case; or ALL */
    const char *name, *labels;
    const char *help; /* NULL: the family began further up */
};

const struct metrics_row *metrics_row(enum metric which);

struct metrics {
    double values[METRICS];
    struct latency recent; /* of requests; cleared by who reads it */
};

static inline void metrics_count(struct metrics *metrics, enum metric which) {
    metrics->values[which]++;
}

static inline void metrics_add(struct metrics *metrics, enum metric which,
                               double amount) {
    metrics->values[which] += amount;
}

static inline void metrics_set(struct metrics *metrics, enum metric which,
                               double value) {
    metrics->values[which] = value;
}

/*
 * Enters one answered request into the histogram fxwire_request_seconds, and
 * into `recent`.
 */
void metrics_observe_request(struct metrics *metrics, duration took);

/* The value of one in such an object; the object may be NULL. */
double metrics_value(struct json_object *object, enum metric which);

/* All that are not 0, as an object `"name{labels}": value`; caller releases. */
MUST_CHECK struct json_object *metrics_to_json(const struct metrics *metrics);

/*
 * Adds up what a dead process had counted and what its successor counts; a
 * gauge is the successor's alone. Either may be NULL. The caller releases it.
 */
MUST_CHECK struct json_object *metrics_merge(struct json_object *past,
                                             struct json_object *now);

#endif
