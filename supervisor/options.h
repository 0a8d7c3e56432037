/* The command line. */
#ifndef FXWIRE_SUPERVISOR_OPTIONS_H
#define FXWIRE_SUPERVISOR_OPTIONS_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/settings/settings.h"

struct options {
    const char *env_file; /* NULL: .env, if there is one */
    bool show_messages;
    bool no_watchdog;
    bool live;      /* check */
    bool json;      /* status */
    bool once;      /* top */
    bool chaos;     /* selftest */
    double seconds; /* selftest; 0: not said */
    bool ready;     /* status */
    bool wait;      /* status */
    double wait_seconds;
    const char *command;          /* "run" if none is given */
    const char *const *arguments; /* of main()'s, with a NULL behind them */
    int argument_count;
    unsigned given; /* a bit for each row of options.def */
};

/* Reads the arguments; options may stand anywhere. NULL, or what is wrong
 * with them as one line; the caller frees it. */
MUST_CHECK char *options_read(int argc, char *argv[],
                              struct options *out) NONNULL_ALL;

/* The name of an option that was given and does not stand in the synopsis of
 * its command (--env-file is for all of them), or NULL. */
MUST_CHECK const char *options_unheeded(const struct options *options,
                                        const char *synopsis) NONNULL_ALL;

/*
 * Loads the settings from the environment and the .env file. Faults and
 * warnings are the caller's to look at; he frees the result.
 */
MUST_CHECK struct settings *
options_load_settings(const struct options *options,
                      enum settings_reader readers) NONNULL_ALL;

/* Prints each option with what it does, for --help. */
void options_print_help(void);

#endif
