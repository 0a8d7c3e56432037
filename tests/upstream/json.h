/* Reads JSON where it stands: no copy is made, so no digit and no blank is
 * lost. */
#ifndef UPSTREAM_JSON_H
#define UPSTREAM_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of somebody's text. */
struct json_part {
    const char *text;
    size_t len;
};

/* Whether it is one JSON value with nothing but blanks around it (RFC 8259; the
 * encoding of letters is not looked at). Stays inside it, whatever it is. */
bool json_is_valid(struct json_part part);

/* Without the blanks around it. */
struct json_part json_trim(struct json_part part);

/* Goes through the members of an object: set *at to 0, and call until false
 * comes, which it does at once if `object` is no valid object. The name is as
 * it is written, without its quotes. */
bool json_next(struct json_part object, size_t *at, struct json_part *name,
               struct json_part *value);

/* The value of the first member of that name, which is compared as it is
 * written. False if there is none, or `object` is no valid object. */
bool json_member(struct json_part object, const char *name,
                 struct json_part *value);

bool json_is_string(struct json_part value);
bool json_is_number(struct json_part value);
bool json_is_object(struct json_part value);

/* Whether it is the string of these characters, written without an escape. */
bool json_equals(struct json_part value, const char *text);

/* The characters of a valid string; escapes become UTF-8. Gives their number;
 * `out` has room for value.len bytes. */
size_t json_unescape(struct json_part value, char *out);

#endif
