/*
 * The configuration: environment variables and a .env file, checked against
 * the table in settings.def.
 */
#ifndef FXWIRE_COMMON_SETTINGS_SETTINGS_H
#define FXWIRE_COMMON_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/span.h"

enum setting {
#define SETTING(name, ...) SETTING_##name,
#include "common/settings/settings.def"
#undef SETTING
    SETTINGS
};

/* Who reads a setting; also: for whom the settings are loaded. */
enum settings_reader {
    SETTINGS_NOBODY = 0,
    SETTINGS_SUPERVISOR = 1,
    SETTINGS_MONITOR = 2,
    SETTINGS_WSCLIENT = 4,
    SETTINGS_RATEFETCHER = 8,
    SETTINGS_COMMAND = 16,
    SETTINGS_ALL = 31
};

struct settings;

/*
 * Loads all settings, and checks those that `readers` read. `env_file` is
 * NULL for none; with `env_file_required` it has to be there. A variable X may
 * be given as X_FILE, whose content is the value, if it is a secret.
 * Faults are one line each in settings_faults(); the caller frees the result
 * with settings_free() in either case.
 */
MUST_CHECK struct settings *
settings_load(char *const environment[], const char *env_file,
              bool env_file_required, enum settings_reader readers) NONNULL(1);
void settings_free(struct settings **settings) NONNULL_ALL;

/* Lines that each name a fault, "" if there are none; lent. */
const char *settings_faults(const struct settings *settings);

/* Lines that each name something odd, or ""; lent. */
const char *settings_warnings(const struct settings *settings);

/* The value as text, lent; NULL if there is none. */
const char *settings_text(const struct settings *settings,
                          enum setting which) NONNULL_ALL;

/* Whether there is a value, and it is allowed. */
bool settings_is_good(const struct settings *settings,
                      enum setting which) NONNULL_ALL;

/* A SECONDS setting. */
duration settings_duration(const struct settings *settings, enum setting which);

/* A COUNT setting, or a PERCENT one in millionths of a percent; `otherwise` if
 * there is none. */
int64_t settings_count(const struct settings *settings, enum setting which,
                       int64_t otherwise);

/* Whether a WORD setting says `word`. */
bool settings_is(const struct settings *settings, enum setting which,
                 const char *word);

const char *settings_name(enum setting which);
const char *settings_help(enum setting which);
bool settings_is_secret(enum setting which);
bool settings_is_read_by(enum setting which, enum settings_reader reader);

/* The value as it may be shown: a secret masked. The caller frees it. */
MUST_CHECK char *settings_shown(const struct settings *settings,
                                enum setting which) NONNULL_ALL;

/* Where the value came from: "default", "environment", a file's name; lent. */
const char *settings_origin(const struct settings *settings,
                            enum setting which);

/*
 * Takes the next word of a list out of `*list` (separated by blanks); false at
 * its end.
 */
MUST_CHECK bool settings_next_word(struct span *list,
                                   struct span *word) NONNULL_ALL;

#endif
