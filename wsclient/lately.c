#include "wsclient/lately.h"

#include <stdio.h>

/* The status is made each second, and between that when something changed. */
#define LEAST_TIME MILLISECONDS(900)

static const duration none = {-1};

void lately_init(struct lately *lately, monotime now) {
    *lately = (struct lately){.since = now, .p50 = none, .p99 = none};
}

/* All that was answered, or left unanswered by its own fault. */
static double requests(const struct metrics *metrics) {
    double sum = 0;
    for (int i = METRIC_REQUESTS_CONVERTED; i <= METRIC_REQUESTS_QUARANTINED;
         i++)
        sum += metrics->values[i];
    return sum;
}

void lately_look(struct lately *lately, struct metrics *metrics, monotime now) {
    int64_t usec = monotime_between(lately->since, now).usec;
    if (usec < LEAST_TIME.usec)
        return;
    double all = requests(metrics);
    lately->a_second = (all - lately->requests) * USEC_PER_SEC / (double)usec;
    lately->p50 = latency_quantile(&metrics->recent, 50);
    lately->p99 = latency_quantile(&metrics->recent, 99);
    lately->requests = all;
    lately->since = now;
    metrics->recent = (struct latency){0};
}

/* A value below 0 is none: null. */
static void add(struct json_object *report, const char *name, double value,
                int decimals) {
    char text[32];
    snprintf(text, sizeof text, "%.*f", decimals, value);
    json_object_object_add(
        report, name, value < 0 ? NULL : json_object_new_double_s(value, text));
}

void lately_report(const struct lately *lately, struct json_object *report) {
    add(report, "requests_per_second", lately->a_second, 1);
    add(report, "p50_seconds", (double)lately->p50.usec / USEC_PER_SEC, 6);
    add(report, "p99_seconds", (double)lately->p99.usec / USEC_PER_SEC, 6);
}
