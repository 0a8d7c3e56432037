/* Rules that tie settings to each other, or to files; used by settings.c. */
#ifndef FXWIRE_COMMON_SETTINGS_RULES_H
#define FXWIRE_COMMON_SETTINGS_RULES_H

#include "common/settings.h"

/*
 * Checks the rules that concern `readers`, where the values that they are
 * about are good; `fault` and `warn` are called with each line, which they
 * free.
 */
void settings_rules_check(struct settings *settings,
                          enum settings_reader readers,
                          void (*fault)(struct settings *settings, char *line),
                          void (*warn)(struct settings *settings, char *line));

#endif
