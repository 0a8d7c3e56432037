/*
 * Whether settings are good: each by itself, and by the rules that tie them to
 * each other or to files. Used by settings.c.
 */
#ifndef FXWIRE_COMMON_SETTINGS_SETTINGS_CHECK_H
#define FXWIRE_COMMON_SETTINGS_SETTINGS_CHECK_H

#include "common/attributes.h"
#include "common/settings/settings.h"

enum settings_kind {
    SETTINGS_WS_URLS,
    SETTINGS_HTTP_URL,
    SETTINGS_REDIS_URL,
    SETTINGS_SECONDS,
    SETTINGS_PERCENT,
    SETTINGS_COUNT,
    SETTINGS_WORD,
    SETTINGS_WORDS,
    SETTINGS_PATH,
    SETTINGS_ADDRESS,
    SETTINGS_TEXT,
    SETTINGS_PROTOCOLS,
    SETTINGS_ORIGIN,
    SETTINGS_PROXY,
    SETTINGS_KINDS
};

/* The part of a row of settings.def that bounds its values. */
struct settings_rule {
    enum settings_kind kind;
    double lowest, highest;
    const char *words;
};

/*
 * Checks `text`; in place, words and the schemes of addresses are brought to
 * lower case, and the commas between PROTOCOLS become blanks. `number` is set
 * for SECONDS (to microseconds), PERCENT (to millionths of one) and COUNT.
 * False: not allowed.
 */
MUST_CHECK bool settings_check_value(const struct settings_rule *rule,
                                     char *text, int64_t *number) NONNULL_ALL;

/* What is allowed, as the end of "must be ...". The caller frees it. */
MUST_CHECK char *settings_allowed(const struct settings_rule *rule) NONNULL_ALL;

/*
 * What is wrong with a value that is not allowed, as far as that can be said
 * without showing it. NULL: no more than that. The caller frees it.
 */
MUST_CHECK char *settings_complaint(const struct settings_rule *rule,
                                    const char *text) NONNULL_ALL;

/*
 * Checks the rules that concern `readers`, where the values that they are
 * about are good.
 */
void settings_check_rules(struct settings *settings,
                          enum settings_reader readers) NONNULL_ALL;

/* Settings.c's part: each takes a line over. */
void settings_add_fault(struct settings *settings, char *line) NONNULL_ALL;
void settings_add_warning(struct settings *settings, char *line) NONNULL_ALL;

#endif
