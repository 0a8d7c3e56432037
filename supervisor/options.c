#include "supervisor/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/memory.h"

#define OPTION(id, ...) OPTION_##id,
enum {
    BEFORE_OPTIONS = 255, /* they are no characters */
#include "supervisor/options.def"
    BEHIND_OPTIONS
};
#undef OPTION

#define OPTION(id, name, value, help)                                          \
    {name, (value) == NULL ? no_argument : required_argument, NULL,            \
     OPTION_##id},
static const struct option known[] = {
#include "supervisor/options.def"
    {0},
};
#undef OPTION

static bool read_seconds(const char *text, double *seconds) {
    char *end;
    *seconds = strtod(text, &end);
    return end != text && *end == '\0' && *seconds >= 0 && *seconds <= 1e6;
}

/* Enters one option; false: its value is bad. */
static bool enter_option(int option, struct options *out) {
    switch (option) {
    case OPTION_ENV_FILE:
        out->env_file = optarg;
        break;
    case OPTION_SHOW:
        out->show_messages = true;
        break;
    case OPTION_NO_WATCHDOG:
        out->no_watchdog = true;
        break;
    case OPTION_LIVE:
        out->live = true;
        break;
    case OPTION_JSON:
        out->json = true;
        break;
    case OPTION_ONCE:
        out->once = true;
        break;
    case OPTION_CHAOS:
        out->chaos = true;
        break;
    case OPTION_SECONDS:
        return read_seconds(optarg, &out->seconds) && out->seconds > 0;
    case OPTION_READY:
        out->ready = true;
        break;
    case OPTION_WAIT:
        out->wait = true;
        return read_seconds(optarg, &out->wait_seconds);
    case OPTION_HELP:
        out->command = "--help";
        break;
    case OPTION_VERSION:
        out->command = "--version";
        break;
    default:
        return false;
    }
    return true;
}

/* Of several letters behind one - the word is not yet behind `optind`. */
static char *unknown(const char *word) {
    if (optopt > BEFORE_OPTIONS && optopt < BEHIND_OPTIONS)
        return memory_print("%s: takes no value", word);
    bool is_letter = optopt != 0 && optopt <= BEFORE_OPTIONS;
    return is_letter ? memory_print("-%c: no such option", optopt)
                     : memory_print("%s: no such option", word);
}

char *options_read(int argc, char *argv[], struct options *out) {
    *out = (struct options){0};
    opterr = 0;
    for (;;) {
        int which = -1;
        int option = getopt_long(argc, argv, ":", known, &which);
        if (option == -1)
            break;
        if (option == ':')
            return memory_print("%s: needs a value", argv[optind - 1]);
        if (which >= 0 && !enter_option(option, out))
            return memory_print("--%s %s: must be seconds, at most 1000000",
                                known[which].name, optarg);
        if (which < 0)
            return unknown(argv[optind - 1]);
        out->given |= 1U << which;
    }
    if (out->command != NULL) { /* --help and --version ignore the rest */
        out->given = 0;
        return NULL;
    }
    out->command = optind < argc ? argv[optind++] : "run";
    out->arguments = (const char *const *)(argv + optind);
    out->argument_count = argc - optind;
    return NULL;
}

static bool heeds(const char *synopsis, const char *name) {
    size_t len = strlen(name);
    const char *at = synopsis;
    while ((at = strstr(at, "--")) != NULL) {
        at += strlen("--");
        if (strncmp(at, name, len) == 0 && strchr(" ]", at[len]) != NULL)
            return true;
    }
    return false;
}

const char *options_unheeded(const struct options *options,
                             const char *synopsis) {
    for (int i = 0; known[i].name != NULL; i++)
        if ((options->given & 1U << i) != 0 &&
            known[i].val != OPTION_ENV_FILE && !heeds(synopsis, known[i].name))
            return known[i].name;
    return NULL;
}

struct settings *options_load_settings(const struct options *options,
                                       enum settings_reader readers) {
    bool named = options->env_file != NULL;
    return settings_load(environ, named ? options->env_file : ".env", named,
                         readers);
}

#define OPTION(id, name, value, help) {name, value, help},
void options_print_help(void) {
    static const struct {
        const char *name, *value, *help;
    } rows[] = {
#include "supervisor/options.def"
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        printf("  --%s%s%s\n        %s\n", rows[i].name,
               rows[i].value != NULL ? " " : "",
               rows[i].value != NULL ? rows[i].value : "", rows[i].help);
}
#undef OPTION
