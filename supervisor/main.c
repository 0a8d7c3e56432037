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

/* Every command, once: the help comes from here too. One without a function is
 * a program of that name beside this one, which reads all its arguments. */
static const struct {
    const char *name;
    int (*run)(const struct options *options);
    int least_arguments, most_arguments;
    const char *synopsis;
    const char *help;
} commands[] = {
    {"run", run, 0, 0, "[--show-messages] [--no-watchdog] [run]",
     "run the service in the foreground"},
    {"check", command_check, 0, 0, "check [--live]",
     "validate the configuration and print it, secrets masked; --live: "
     "besides,\n        try each upstream, provider and Redis once"},
    {"status", command_status, 0, 0, "status [--json] [--wait SECONDS --ready]",
     "what the running service is doing"},
    {"stop", command_stop, 0, 0, "stop", "ask it to stop gracefully and wait"},
    {"reload", command_reload, 0, 0, "reload", "re-read the configuration"},
    {"restart", command_restart, 1, 1, "restart HELPER",
     "restart wsclient, ratefetcher or monitor"},
    {"log-level", command_log_level, 1, 1, "log-level WORD",
     "log from debug, info, warn or error on, in all processes, until the next "
     "reload"},
    {"logs", command_logs, 0, 0, "logs [--json]",
     "follow the log of the running service"},
    {"alert-test", command_alert_test, 0, 0, "alert-test",
     "run ALERT_COMMAND once"},
    {"top", command_top, 0, 0, "top [--once]",
     "the state of the running service on a terminal; --once: print it"},
    {"convert", command_convert, 2, 3, "convert AMOUNT CURRENCY [DATE]",
     "one conversion through the running ratefetcher"},
    {"rates", command_rates, 0, 1, "rates [DATE] [--json]",
     "the table of a day, with its provider and age"},
    {"audit", command_audit, 1, INT_MAX, "audit FILE...",
     "recompute the lines of audit files, also compressed ones (.gz), and "
     "name\n        those that differ"},
    {"mock-upstream", NULL, 0, 0, "mock-upstream [--help] OPTION...",
     "a WebSocket server for your own tests: it asks, also by a script, goes "
     "wrong\n        on demand, and judges the answers"},
    {"--help", help, 0, 0, "--help", "this text"},
    {"--version", version, 0, 0, "--version", "the version"},
};

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
    puts("\nSettings, from the environment or a .env file (* is a secret):\n");
    for (int i = 0; i < SETTINGS; i++)
        printf("  %s%s\n        %s\n", settings_name((enum setting)i),
               settings_is_secret((enum setting)i) ? " *" : "",
               settings_help((enum setting)i));
    puts("\nExit codes: 0, 64 usage, 65 a line of an audit differs, 66 a file "
         "of one can not\nbe read, 69 not running (of check --live: not "
         "working), 70 internal, 75 already\nrunning, 78 configuration.");
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
        if (strcmp(options.command, commands[i].name) == 0) {
            if (commands[i].run == NULL)
                return usage("Nothing may stand before that command.");
            if (options.argument_count < commands[i].least_arguments ||
                options.argument_count > commands[i].most_arguments)
                return usage(commands[i].synopsis);
            return commands[i].run(&options);
        }
    return usage("No such command.");
}
