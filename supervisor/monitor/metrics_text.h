/*
 * What the supervisor tells of all processes, in the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */
#ifndef FXWIRE_SUPERVISOR_MONITOR_METRICS_TEXT_H
#define FXWIRE_SUPERVISOR_MONITOR_METRICS_TEXT_H

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/attributes.h"

void metrics_text_write(struct evbuffer *out,
                        struct json_object *status) NONNULL_ALL;

#endif
