/*
 * What the status tells of the last second: requests, and how long their
 * answers took. It is made up when the status is, at no cost to a message.
 * Pure.
 */
#ifndef FXWIRE_WSCLIENT_LATELY_H
#define FXWIRE_WSCLIENT_LATELY_H

#include <json-c/json.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/metrics.h"

struct lately {
    monotime since;    /* what is counted now counts from here */
    double requests;   /* all that there had been then */
    double a_second;   /* requests, in the time before */
    duration p50, p99; /* of the answers then; -1: there were none */
};

void lately_init(struct lately *lately, monotime now) NONNULL_ALL;

/* Closes the time that is counted, if it is nearly a second, and begins anew.
 */
void lately_look(struct lately *lately, struct metrics *metrics,
                 monotime now) NONNULL_ALL;

/* Adds "requests_per_second", "p50_seconds" and "p99_seconds" to a report. */
void lately_report(const struct lately *lately,
                   struct json_object *report) NONNULL_ALL;

#endif
