#include "options.h"

#include "fault.h"
#include "verdict.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The help and the completions of shells come from this table, too. Its places
 * are what getopt_long() returns. */
static const struct {
    const char *name, *value, *help;
} options_known[] = {
#define OPTION(...) {__VA_ARGS__},
#include "options.def"
#undef OPTION
};

enum { OPTIONS = sizeof options_known / sizeof *options_known };

static bool options_whole(const char *text, uint64_t *out) {
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

static bool options_real(const char *text, double *out) {
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= 0 && *out <= 1e9;
}

static bool options_text(const char **out) {
    *out = optarg;
    return true;
}

static bool options_flag(bool *out) {
    *out = true;
    return true;
}

static bool options_date(struct options *o) {
    o->same_date = strcmp(optarg, "request") == 0;
    return o->same_date || strcmp(optarg, "now") == 0;
}

static bool options_number(struct options *o, const char *name) {
    if (strcmp(name, "count") == 0)
        return options_whole(optarg, &o->count);
    if (strcmp(name, "seed") == 0)
        return options_whole(optarg, &o->seed);
    if (strcmp(name, "window") == 0)
        return options_whole(optarg, &o->window) && o->window >= 1 &&
               o->window <= VERDICT_OPEN_MAX;
    if (strcmp(name, "rate") == 0)
        return options_real(optarg, &o->rate) &&
               (o->rate == 0 || o->rate >= 0.001);
    if (strcmp(name, "seconds") == 0)
        return options_real(optarg, &o->seconds);
    if (strcmp(name, "wait") == 0)
        return options_real(optarg, &o->wait);
    if (strcmp(name, "patience") == 0)
        return options_real(optarg, &o->patience);
    return options_real(optarg, &o->linger);
}

/* False: its value is bad. */
static bool options_enter(struct options *o, const char *name) {
    if (strcmp(name, "listen") == 0)
        return options_text(&o->listen);
    if (strcmp(name, "port-file") == 0)
        return options_text(&o->port_file);
    if (strcmp(name, "tls-cert") == 0)
        return options_text(&o->tls_cert);
    if (strcmp(name, "tls-key") == 0)
        return options_text(&o->tls_key);
    if (strcmp(name, "rates") == 0)
        return options_text(&o->rates);
    if (strcmp(name, "script") == 0)
        return options_text(&o->script);
    if (strcmp(name, "response-date") == 0)
        return options_date(o);
    if (strcmp(name, "random") == 0)
        return options_flag(&o->random);
    if (strcmp(name, "allow-errors") == 0)
        return options_flag(&o->allow_errors);
    if (strcmp(name, "show") == 0)
        return options_flag(&o->show);
    if (strcmp(name, "quiet") == 0)
        return options_flag(&o->quiet);
    if (strcmp(name, "help") == 0)
        return options_flag(&o->help);
    return options_number(o, name);
}

static bool options_complain(const char *what, const char *why) {
    fprintf(stderr,
            "mock-upstream: %s: %s\nSay fxwire mock-upstream --help for "
            "the options.\n",
            what, why);
    return false;
}

static bool options_fit(struct options *o) {
    o->random = o->random || !o->script;
    if (o->help)
        return true;
    if (o->random && !o->rates)
        return options_complain("--rates", "is needed where there is no "
                                           "--script, or with --random");
    if (!o->random && o->count > 0)
        return options_complain("--count", "is of requests that are made up: "
                                           "say --random, too");
    if (!o->tls_cert != !o->tls_key)
        return options_complain("--tls-cert", "goes with --tls-key");
    if (o->show && o->quiet)
        return options_complain("--quiet", "does not go with --show");
    return true;
}

bool options_read(struct options *o, int argc, char **argv) {
    struct option known[OPTIONS + 1] = {0};
    for (int i = 0; i < OPTIONS; i++)
        known[i] = (struct option){
            options_known[i].name,
            options_known[i].value ? required_argument : no_argument, NULL, i};
    *o = (struct options){.listen = "127.0.0.1:0",
                          .rate = -1,
                          .window = 64,
                          .seed = 1,
                          .patience = 30,
                          .linger = 0.5};
    int which;
    opterr = 0;
    while ((which = getopt_long(argc, argv, ":", known, NULL)) != -1) {
        if (which == ':')
            return options_complain(argv[optind - 1], "needs a value");
        if (which < 0 || which >= OPTIONS)
            return options_complain(argv[optind - 1], "no such option");
        if (!options_enter(o, options_known[which].name)) {
            char option[32];
            snprintf(option, sizeof option, "--%s", options_known[which].name);
            return options_complain(option, "its value is bad");
        }
    }
    if (optind < argc)
        return options_complain(argv[optind], "is no option");
    return options_fit(o);
}

void options_print_help(void) {
    puts("usage: fxwire mock-upstream [OPTION...]\n\n"
         "A WebSocket server that asks, and judges every answer.\n");
    for (int i = 0; i < OPTIONS; i++)
        printf("  --%s%s%s\n        %s\n", options_known[i].name,
               options_known[i].value ? " " : "",
               options_known[i].value ? options_known[i].value : "",
               options_known[i].help);
    puts(
        "\nA script has one JSON object a line; empty lines and those that "
        "begin with # are\nskipped. What is sent is sent as it stands, to the "
        "last blank:\n\n"
        "  {\"send\":REQUEST,\"expect\":EXPECTED,\"at\":SECONDS}\n"
        "  {\"fault\":NAME,\"at\":SECONDS,...}\n"
        "  REQUEST\n\n"
        "REQUEST is an object, or a string whose characters are sent. EXPECTED "
        "is the euros\n(\"207.5\"), \"error\" or \"nothing\"; without it they "
        "are computed from --rates. \"at\":\nnot before so many seconds after "
        "the first connection. The faults:\n");
    fault_print_all(stdout);
    puts(
        "\nWhat was sent on a connection that broke is sent again, unless a "
        "Pong said that it\nwas received.\n\n"
        "Exit codes: 0 all answered, and rightly; 1 not so; 64 usage; 65 a bad "
        "line in the\nscript or the rates; 66 a file can not be read; 69 "
        "cannot listen, or nobody came\n(--wait); 70 internal.");
}
