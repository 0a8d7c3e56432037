/* Whether a setting's text is a good value. Pure; used by settings.c. */
#ifndef FXWIRE_COMMON_SETTINGS_CHECK_H
#define FXWIRE_COMMON_SETTINGS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/span.h"

enum settings_kind {
    SETTINGS_WS_URLS,
    SETTINGS_HTTP_URL,
    SETTINGS_REDIS_URL,
    SETTINGS_SECONDS,
    SETTINGS_COUNT,
    SETTINGS_WORD,
    SETTINGS_WORDS,
    SETTINGS_PATH,
    SETTINGS_ADDRESS,
    SETTINGS_TEXT,
    SETTINGS_KINDS
};

/* The part of a row of settings.def that bounds its values. */
struct settings_rule {
    enum settings_kind kind;
    double lowest, highest;
    const char *words;
};

/*
 * Checks `text` and brings words to lower case in place. `number` is set for
 * SECONDS (to microseconds) and COUNT. False: not allowed.
 */
bool settings_check(const struct settings_rule *rule, char *text,
                    int64_t *number);

/* What is allowed, as the end of "must be ...". The caller frees it. */
char *settings_allowed(const struct settings_rule *rule);

/* See settings.h. */
bool settings_next_word(struct span *list, struct span *word);

#endif
