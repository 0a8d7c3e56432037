#include "supervisor/counted.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/metrics.h"

enum { LABEL_SIZE = 64 };

/* The value of the label at `place`, from 0; labels are `name="value",...`. */
static void label_value(const char *labels, int place, char *out) {
    while (place-- > 0)
        labels = strchr(labels, ',') + 1;
    const char *value = strchr(labels, '"') + 1;
    snprintf(out, LABEL_SIZE, "%.*s", (int)strcspn(value, "\""), value);
}

static struct json_object *count(struct json_object *counters,
                                 enum metric which) {
    return json_object_new_int64((int64_t)metrics_value(counters, which));
}

struct json_object *counted_family(struct json_object *counters,
                                   const char *name, bool zeros) {
    struct json_object *family = json_object_new_object();
    for (int i = 0; i < METRICS; i++) {
        const struct metrics_row *row = metrics_row((enum metric)i);
        char label[LABEL_SIZE];
        if (strcmp(row->name, name) != 0 ||
            (!zeros && metrics_value(counters, (enum metric)i) == 0))
            continue;
        label_value(row->labels, 0, label);
        json_object_object_add(family, label, count(counters, (enum metric)i));
    }
    return family;
}

struct json_object *counted_lookups(struct json_object *counters) {
    struct json_object *layers = json_object_new_object();
    for (int i = METRIC_LOOKUPS_MEMORY_HIT; i <= METRIC_LOOKUPS_PROVIDER_MISS;
         i++) {
        const char *labels = metrics_row((enum metric)i)->labels;
        struct json_object *results = NULL;
        char layer[LABEL_SIZE], result[LABEL_SIZE];
        label_value(labels, 0, layer);
        label_value(labels, 1, result);
        if (!json_object_object_get_ex(layers, layer, &results)) {
            results = json_object_new_object();
            json_object_object_add(layers, layer, results);
        }
        json_object_object_add(results, result,
                               count(counters, (enum metric)i));
    }
    return layers;
}
