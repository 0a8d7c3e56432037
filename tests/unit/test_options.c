/* The command line: what is taken from it, and what is refused. */
#include <getopt.h>
#include <stdio.h>

#include "supervisor/options.h"
#include "tests/unit/unit.h"

enum { MAX_ARGUMENTS = 12 };

static const struct good_case {
    const char *arguments; /* one blank between them */
    struct options wanted;
} good_cases[] = {
    {"", {.command = "run"}},
    {"run", {.command = "run"}},
    {"check", {.command = "check"}},
    {"check --live", {.command = "check", .live = true}},
    {"--live check", {.command = "check", .live = true}},
    {"--env-file x.env", {.command = "run", .env_file = "x.env"}},
    {"--env-file=x.env check", {.command = "check", .env_file = "x.env"}},
    {"check --env-file x.env", {.command = "check", .env_file = "x.env"}},
    {"--env-file a --env-file b", {.command = "run", .env_file = "b"}},
    {"--show-messages --no-watchdog run",
     {.command = "run", .show_messages = true, .no_watchdog = true}},
    {"run --no-watchdog", {.command = "run", .no_watchdog = true}},
    {"status", {.command = "status"}},
    {"status --json", {.command = "status", .json = true}},
    {"status --wait 10 --ready",
     {.command = "status", .wait = true, .wait_seconds = 10, .ready = true}},
    {"--ready status --wait=0.5",
     {.command = "status", .wait = true, .wait_seconds = 0.5, .ready = true}},
    {"status --wait 0", {.command = "status", .wait = true}},
    {"stop", {.command = "stop"}},
    {"restart wsclient",
     {.command = "restart",
      .arguments = (const char *const[]){"wsclient"},
      .argument_count = 1}},
    {"convert 253.67 USD 2021-05-18",
     {.command = "convert",
      .arguments = (const char *const[]){"253.67", "USD", "2021-05-18"},
      .argument_count = 3}},
    {"convert 1 USD --env-file e",
     {.command = "convert",
      .arguments = (const char *const[]){"1", "USD"},
      .argument_count = 2,
      .env_file = "e"}},
    {"convert -- -1 USD",
     {.command = "convert",
      .arguments = (const char *const[]){"-1", "USD"},
      .argument_count = 2}},
    {"audit a b c d e f",
     {.command = "audit",
      .arguments = (const char *const[]){"a", "b", "c", "d", "e", "f"},
      .argument_count = 6}},
    {"nonsense", {.command = "nonsense"}},
    {"--help", {.command = "--help"}},
    {"--version", {.command = "--version"}},
    {"status --help", {.command = "--help"}},
    {"--version a b c d e f", {.command = "--version"}},
};

/* The fault has to name this argument. */
static const struct bad_case {
    const char *arguments, *named;
} bad_cases[] = {
    {"--bogus", "--bogus"},
    {"--bogus status", "--bogus"},
    {"status --bogus", "--bogus"},
    {"convert 1 USD --bogus", "--bogus"},
    {"--json --bogus", "--bogus"},
    {"-x", "-x"},
    {"status -x", "-x"},
    {"-xy", "-x"},
    {"status -xy --json", "-x"},
    {"--env-file", "--env-file"},
    {"check --env-file", "--env-file"},
    {"--json=yes", "--json=yes: takes no value"},
    {"status --wait", "--wait"},
    {"status --wait soon", "--wait"},
    {"--wait=", "--wait"},
    {"--wait -1", "--wait"},
    {"--wait 5s", "--wait"},
    {"--wait nan", "--wait"},
    {"--wait inf", "--wait"},
};

/* The option that is not of its command, if there is one. */
static const struct heed_case {
    const char *arguments, *synopsis, *unheeded;
} heed_cases[] = {
    {"check", "check [--live]", NULL},
    {"check --live", "check [--live]", NULL},
    {"check --seconds 5", "check [--live]", "seconds"},
    {"--live --seconds 5 check", "check [--live]", "seconds"},
    {"status --wait 1 --ready", "status [--wait SECONDS --ready]", NULL},
    {"stop --env-file x", "stop", NULL},
    {"stop --json", "stop", "json"},
    {"x --live", "x [--lively]", "live"},
    {"x --live", "x --lively --live", NULL},
    {"stop --json --help", "--help", NULL},
};

/* An argument vector of its own; the program's name is its first. */
struct vector {
    char text[256];
    char *argv[MAX_ARGUMENTS + 1];
    int argc;
};

static void split(struct vector *v, const char *arguments) {
    static char program[] = "fxwire";
    *v = (struct vector){.argv = {program}, .argc = 1};
    strcpy(v->text, arguments);
    for (char *at = v->text; *at != '\0';) {
        assert_true(v->argc < MAX_ARGUMENTS);
        v->argv[v->argc++] = at;
        at = strchrnul(at, ' ');
        if (*at == ' ')
            *at++ = '\0';
    }
    /* A new scan, with nothing left of the last; it leaves optind at 1. */
    optind = 0;
    assert_int_equal(getopt(1, v->argv, ""), -1);
    assert_int_equal(optind, 1);
}

static bool same_text(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same(const struct options *a, const struct options *b) {
    bool arguments = a->argument_count == b->argument_count;
    for (int i = 0; arguments && i < a->argument_count; i++)
        arguments = same_text(a->arguments[i], b->arguments[i]);
    return arguments && same_text(a->command, b->command) &&
           same_text(a->env_file, b->env_file) &&
           a->show_messages == b->show_messages &&
           a->no_watchdog == b->no_watchdog && a->json == b->json &&
           a->live == b->live && a->ready == b->ready && a->wait == b->wait &&
           a->wait_seconds == b->wait_seconds;
}

static void options_of_other_commands(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(heed_cases); i++) {
        struct vector v;
        struct options found;
        split(&v, heed_cases[i].arguments);
        assert_null(options_read(v.argc, v.argv, &found));
        const char *unheeded = options_unheeded(&found, heed_cases[i].synopsis);
        if (!same_text(unheeded, heed_cases[i].unheeded))
            fail_msg("`%s`: %s", heed_cases[i].arguments,
                     unheeded != NULL ? unheeded : "nothing");
    }
}

static void good_lines(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good_cases); i++) {
        struct vector v;
        struct options found;
        split(&v, good_cases[i].arguments);
        char *fault = options_read(v.argc, v.argv, &found);
        if (fault != NULL)
            fail_msg("`%s`: %s", good_cases[i].arguments, fault);
        if (!same(&found, &good_cases[i].wanted))
            fail_msg("`%s`: taken otherwise", good_cases[i].arguments);
    }
}

static void bad_lines(void **state) {
    const struct bad_case *c = *state;
    struct vector v;
    struct options found;
    split(&v, c->arguments);
    char *fault = options_read(v.argc, v.argv, &found);
    if (fault == NULL)
        fail_msg("`%s`: taken", c->arguments);
    if (strncmp(fault, c->named, strlen(c->named)) != 0 ||
        strchr(fault, '\n') != NULL)
        fail_msg("`%s`: the fault is `%s`", c->arguments, fault);
    free(fault);
}

/* A file that was named has to be there; the usual one may be missing. */
static void settings_come_from_the_named_file(void **state) {
    (void)state;
    struct options options = {.env_file = "tests/settings/defaults.in"};
    struct settings *s = options_load_settings(&options, SETTINGS_SUPERVISOR);
    assert_string_equal(settings_text(s, SETTING_REQUESTS_WS_URL),
                        "ws://localhost:8765/feed");
    settings_free(&s);
    options.env_file = "tests/settings/no-such-file";
    s = options_load_settings(&options, SETTINGS_COMMAND);
    assert_non_null(strstr(settings_faults(s), "no-such-file"));
    settings_free(&s);
    options.env_file = NULL;
    s = options_load_settings(&options, SETTINGS_COMMAND);
    assert_string_equal(settings_faults(s), "");
    settings_free(&s);
}

int main(void) {
    static struct CMUnitTest tests[COUNT_OF(bad_cases) + 3] = {
        cmocka_unit_test(good_lines),
        cmocka_unit_test(options_of_other_commands),
        cmocka_unit_test(settings_come_from_the_named_file),
    };
    for (size_t i = 0; i < COUNT_OF(bad_cases); i++)
        tests[i + 3] =
            (struct CMUnitTest){.name = bad_cases[i].arguments,
                                .test_func = bad_lines,
                                .initial_state = (void *)&bad_cases[i]};
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
