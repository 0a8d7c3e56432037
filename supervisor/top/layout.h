/*
 * The status as rows of text, for a screen or for a script: each thing is said
 * by words, a look only stresses it. Pure.
 */
#ifndef FXWIRE_SUPERVISOR_TOP_LAYOUT_H
#define FXWIRE_SUPERVISOR_TOP_LAYOUT_H

#include <json-c/json.h>

#include "common/attributes.h"

enum top_look { TOP_PLAIN, TOP_HEAD, TOP_TITLE, TOP_BAD };

enum { TOP_ROW_SIZE = 1024, TOP_MAX_ROWS = 256 };

struct top_rows {
    int width, height, count;
    struct top_row {
        enum top_look look;
        char text[TOP_ROW_SIZE]; /* UTF-8 without controls */
    } rows[TOP_MAX_ROWS];
};

/*
 * Lays the answer to the op "status" out in at most `height` rows of at most
 * `width` characters; lists that do not fit end with how many rows more there
 * are. With `width` 0 no row is cut, with `height` 0 no list.
 */
void top_layout(struct json_object *status, int width, int height,
                struct top_rows *out) NONNULL_ALL;

#endif
