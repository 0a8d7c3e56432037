/*
 * The command line: a word a line. What is taken is taken again in the order
 * that it is brought into, options first; of what is refused an option is
 * named.
 */
#include <getopt.h>

#include "supervisor/options.h"
#include "tests/fuzz/quiet.h"

enum { MOST_WORDS = 64 };

static char *read_words(int count, char *words[], struct options *out) {
    optind = 0; /* from the begin, as a process does once */
    return options_read(count, words, out);
}

static bool is_same_text(const char *one, const char *other) {
    return one == other || (one != NULL && other != NULL && one[0] != '\0' &&
                            strcmp(one, other) == 0);
}

static void check_taken(int count, char *words[], const struct options *taken) {
    HOLDS(taken->command != NULL && taken->argument_count >= 0 &&
              taken->argument_count < count,
          "%d", taken->argument_count);
    HOLDS(taken->arguments == NULL ||
              taken->arguments[taken->argument_count] == NULL,
          "%s", taken->command);
    HOLDS(taken->seconds >= 0 && taken->seconds <= 1e6 &&
              taken->wait_seconds >= 0 && taken->wait_seconds <= 1e6,
          "%f, %f", taken->seconds, taken->wait_seconds);
    struct options again;
    char *why = read_words(count, words, &again);
    HOLDS(why == NULL, "%s", why);
    HOLDS(is_same_text(taken->command, again.command) &&
              taken->env_file == again.env_file &&
              taken->argument_count == again.argument_count &&
              taken->arguments == again.arguments &&
              taken->json == again.json && taken->live == again.live &&
              taken->seconds == again.seconds &&
              taken->wait_seconds == again.wait_seconds,
          "%s", taken->command);
}

/* A file of nothing, and the help that is printed. */
static void check_rest(void) {
    static const struct options options = {.env_file = "/dev/null"};
    struct settings *settings =
        options_load_settings(&options, SETTINGS_NOBODY);
    HOLDS(settings_faults(settings)[0] == '\0', "%s",
          settings_faults(settings));
    settings_free(&settings);
    quiet(true);
    options_print_help();
    quiet(false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    char *words[MOST_WORDS + 1] = {strdup("fxwire")};
    int count = 1;
    struct options options;
    if (size == 0)
        check_rest();
    while (text.len > 0 && count < MOST_WORDS)
        words[count++] = fuzz_string(fuzz_take(&text, '\n'));
    char *why = read_words(count, words, &options);
    if (why == NULL)
        check_taken(count, words, &options);
    else
        HOLDS(why[0] == '-', "%s", why);
    free(why);
    for (int i = 0; i < count; i++)
        free(words[i]);
    return 0;
}
