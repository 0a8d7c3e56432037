/* Compares an answer with what it should be. */
#ifndef UPSTREAM_MATCH_H
#define UPSTREAM_MATCH_H

#include "day.h"
#include "script.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MATCH_DIGITS = 20, /* the longest id */
    MATCH_TEXT_MAX = FORM_TEXT_MAX + MATCH_DIGITS,
    MATCH_DATE = 24, /* characters of an answer's date */
};

/* The days, as text, between which an answer may be dated. */
struct match_span {
    char first[DAY_TEXT];
    char last[DAY_TEXT];
};

/* Writes the digits of an id without an end mark; returns how many. */
size_t match_digits(uint64_t id, char out[MATCH_DIGITS]);

/* Finds the number of the field "id" of the outermost object, wherever it
 * stands and however it is spaced; false if there is none. Stays inside `len`
 * bytes whatever they are. */
bool match_id(const char *text, size_t len, uint64_t *id);

/* Whether MATCH_DATE characters are a moment within the span. */
bool match_date(const char *text, const struct match_span *span);

/* Whether what stands behind form_error()'s text is a reason: a string of at
 * least one character, and the last thing in the answer. */
bool match_reason(const char *p, const char *end);

/* Whether the text is the right answer to this item asked with this id: to the
 * byte, but for the date, which must have its form and lie in the span; and
 * but for the reason of an error, which may be any text. */
bool match_answer(const struct script_item *item, uint64_t id,
                  const struct match_span *span, const char *text, size_t len);

#endif
