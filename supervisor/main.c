/* supervisor: the command line of fxwire, and its outermost process. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/process.h"
#include "supervisor/command.h"
#include "supervisor/fitness.h"
#include "supervisor/monitor/monitor.h"
#include "supervisor/options.h"
#include "supervisor/service.h"
#include "supervisor/spawn.h"
#include "supervisor/watchdog.h"

static int run(const struct options *options);
static int help(const struct options *options);
static int version(const struct options *options);

/* One without a function is a program of that name beside this one, which reads
 * all its arguments. */
#define COMMAND(...) {__VA_ARGS__},
static const struct {
    const char *name;
    int (*run)(const struct options *options);
    int least_arguments, most_arguments;
    const char *synopsis;
    const char *help;
} commands[] = {
#include "supervisor/commands.def"
};
#undef COMMAND

enum { WANTED_DESCRIPTORS = 256 };
enum { COMMANDS = sizeof commands / sizeof *commands };

/*
 * Descriptors for all that one service needs. A lower limit that can not be
 * raised is met where descriptors run out.
 */
static void raise_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
        limit.rlim_cur >= WANTED_DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max < WANTED_DESCRIPTORS ? limit.rlim_max
                                                         : WANTED_DESCRIPTORS;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(const struct options *options) {
    process_hold_ends();
    raise_descriptors();
    if (!fitness_check())
        return EX_SOFTWARE;
    return options->no_watchdog ? service_run(options, NULL, -1, LOG_LEVELS)
                                : watchdog_run(options);
}

static int help(const struct options *options) {
    (void)options;
    puts("fxwire converts stakes into euro: requests come in over a "
         "WebSocket, answers go\nback on it. usage: supervisor [--env-file "
         "FILE] COMMAND\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  supervisor %s\n        %s\n", commands[i].synopsis,
               commands[i].help);
    puts("\nOptions:\n");
    options_print_help();
    puts("\nSettings, from the environment or a .env file (* is a secret):\n");
    for (int i = 0; i < SETTINGS; i++)
        printf("  %s%s\n        %s\n", settings_name((enum setting)i),
               settings_is_secret((enum setting)i) ? " *" : "",
               settings_help((enum setting)i));
    puts("\nExit codes: 0, 1 a self-test did not pass, 64 usage, 65 a line of "
         "an audit\ndiffers, 66 a file of one can not be read, 69 not running "
         "(of check --live: not\nworking), 70 internal, 75 already running, 78 "
         "configuration.");
    return EX_OK;
}

static int version(const struct options *options) {
    (void)options;
    puts("fxwire " FXWIRE_VERSION);
    return EX_OK;
}

static int usage(const char *what) {
    fprintf(stderr, "%s\nSay supervisor --help for the commands.\n", what);
    return EX_USAGE;
}

static int wrong_usage(int command) {
    fprintf(stderr, "usage: supervisor %s\n", commands[command].synopsis);
    return EX_USAGE;
}

/* A command that is a program has options of its own, so it is looked for
 * before any are read. Comes back if it is none of these. */
static void run_program(char *argv[]) {
    for (int i = 0; argv[1] != NULL && i < COMMANDS; i++) {
        if (commands[i].run != NULL || strcmp(argv[1], commands[i].name) != 0)
            continue;
        char *path = spawn_sibling(commands[i].name);
        signal(SIGPIPE, SIG_DFL);
        execv(path, argv + 1);
        perror(path);
        exit(EX_UNAVAILABLE);
    }
}

static int run_command(int command, const struct options *options) {
    if (commands[command].run == NULL)
        return usage("Nothing may stand before that command.");
    const char *unheeded =
        options_unheeded(options, commands[command].synopsis);
    if (unheeded != NULL) {
        fprintf(stderr, "--%s: not of this command\n", unheeded);
        return wrong_usage(command);
    }
    if (options->argument_count < commands[command].least_arguments ||
        options->argument_count > commands[command].most_arguments)
        return wrong_usage(command);
    return commands[command].run(options);
}

int main(int argc, char *argv[], char *envp[]) {
    process_init(argc, argv, envp);
    if (argc > 1 && strcmp(argv[1], MONITOR_COMMAND) == 0)
        return monitor_run(argc, argv);
    run_program(argv);
    struct options options;
    char *fault = options_read(argc, argv, &options);
    if (fault != NULL) {
        int code = usage(fault);
        free(fault);
        return code;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(options.command, commands[i].name) == 0)
            return run_command(i, &options);
    fprintf(stderr, "%s: ", options.command);
    return usage("no such command");
}
