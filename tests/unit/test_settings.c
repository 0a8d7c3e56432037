/*
 * Settings: each NAME.in in tests/settings is a .env file, whose NAME.ok says
 * what has to come of it. Lines of an .in file that begin so are told to the
 * test, too:
 *
 *   #env X=y      a variable of the environment
 *   #readers NAME for whom they are loaded (else for all helpers)
 *
 * Lines of an .ok file; all faults and warnings have to be there:
 *
 *   fault TEXT, warning TEXT
 *   faults N            so many of them, in the place of their texts
 *   hidden TEXT         stands in nothing that people are shown
 *   NAME=value ORIGIN   "file" is the .in file; a value - is none
 *   number NAME=N       of seconds (in microseconds) or of a count
 *   shown NAME=value    what people are shown
 */
#include <dirent.h>
#include <stdio.h>

#include "common/memory.h"
#include "common/settings/settings.h"
#include "tests/unit/unit.h"

#define FOLDER "tests/settings"

enum { MAX_PAIRS = 256, MAX_VARIABLES = 32, MAX_FILE_BYTES = 1 << 16 };

struct pair {
    char in[256], ok[256];
    char *environment[MAX_VARIABLES + 1];
    size_t variables;
    enum settings_reader readers;
    struct settings *settings;
    char *faults, *warnings; /* that the .ok file lists */
    size_t fault_count;      /* 0: as listed */
};

static char *read_text(const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s: cannot be read", path);
    char *text = memory_new(MAX_FILE_BYTES);
    size_t len = fread(text, 1, MAX_FILE_BYTES - 1, file);
    assert_true(len < MAX_FILE_BYTES - 1);
    fclose(file);
    return text;
}

/* Cuts the next line off `*rest`; NULL at the end. */
static char *next_line(char **rest) {
    char *line = *rest;
    if (*line == '\0')
        return NULL;
    char *end = strchrnul(line, '\n');
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return line;
}

/* What is behind `prefix`, or NULL if the line begins otherwise. */
static char *behind(char *line, const char *prefix) {
    size_t len = strlen(prefix);
    return strncmp(line, prefix, len) == 0 ? line + len : NULL;
}

static enum settings_reader reader_of(const char *name) {
    static const struct {
        const char *name;
        enum settings_reader reader;
    } readers[] = {
        {"supervisor", SETTINGS_SUPERVISOR},   {"monitor", SETTINGS_MONITOR},
        {"wsclient", SETTINGS_WSCLIENT},       {"command", SETTINGS_COMMAND},
        {"ratefetcher", SETTINGS_RATEFETCHER},
    };
    for (size_t i = 0; i < COUNT_OF(readers); i++)
        if (strcmp(readers[i].name, name) == 0)
            return readers[i].reader;
    fail_msg("%s is no reader", name);
    return SETTINGS_ALL;
}

static void load(struct pair *pair) {
    char *text = read_text(pair->in), *rest = text, *line, *value;
    pair->readers = SETTINGS_ALL & ~SETTINGS_COMMAND;
    while ((line = next_line(&rest)) != NULL) {
        if ((value = behind(line, "#readers ")) != NULL)
            pair->readers = reader_of(value);
        if ((value = behind(line, "#env ")) == NULL)
            continue;
        assert_true(pair->variables < MAX_VARIABLES);
        pair->environment[pair->variables++] =
            memory_copy(value, strlen(value));
    }
    free(text);
    pair->settings =
        settings_load(pair->environment, pair->in, true, pair->readers);
}

static enum setting setting_of(const struct pair *pair, const char *name,
                               size_t len) {
    for (int i = 0; i < SETTINGS; i++)
        if (strlen(settings_name((enum setting)i)) == len &&
            memcmp(settings_name((enum setting)i), name, len) == 0)
            return (enum setting)i;
    fail_msg("%s: no setting `%.*s`", pair->ok, (int)len, name);
    return SETTINGS;
}

/* Splits NAME=VALUE. */
static enum setting split(const struct pair *pair, char *line, char **value) {
    char *end = strchr(line, '=');
    if (end == NULL)
        fail_msg("%s: no NAME=value: %s", pair->ok, line);
    *value = end + 1;
    return setting_of(pair, line, (size_t)(end - line));
}

static void expect_text(const struct pair *pair, enum setting which,
                        const char *what, const char *found,
                        const char *wanted) {
    if (strcmp(found != NULL ? found : "-", wanted) != 0)
        fail_msg("%s: the %s of %s is `%s`, not `%s`", pair->ok, what,
                 settings_name(which), found, wanted);
}

static void expect_number(const struct pair *pair, char *line) {
    char *value;
    enum setting which = split(pair, line, &value);
    long long found = (long long)settings_duration(pair->settings, which).usec;
    if (found != atoll(value))
        fail_msg("%s: %s is %lld, not %s", pair->ok, settings_name(which),
                 found, value);
    assert_int_equal(settings_count(pair->settings, which, -7), found);
}

static void expect_shown(const struct pair *pair, char *line) {
    char *value;
    enum setting which = split(pair, line, &value);
    char *shown = settings_shown(pair->settings, which);
    expect_text(pair, which, "shown text", shown, value);
    free(shown);
}

static void expect_origin(const struct pair *pair, char *line) {
    char *value, *origin = strrchr(line, ' ');
    if (origin == NULL)
        fail_msg("%s: no origin: %s", pair->ok, line);
    *origin++ = '\0';
    enum setting which = split(pair, line, &value);
    expect_text(pair, which, "value", settings_text(pair->settings, which),
                value);
    expect_text(pair, which, "origin", settings_origin(pair->settings, which),
                strcmp(origin, "file") == 0 ? pair->in : origin);
    if (settings_text(pair->settings, which) == NULL)
        assert_int_equal(settings_count(pair->settings, which, -7), -7);
    else
        assert_true(settings_is(pair->settings, which, value));
    assert_false(settings_is(pair->settings, which, "another"));
}

static size_t count_lines(const char *text) {
    size_t lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void expect_hidden(const struct pair *pair, const char *secret) {
    if (strstr(settings_faults(pair->settings), secret) != NULL ||
        strstr(settings_warnings(pair->settings), secret) != NULL)
        fail_msg("%s: %s in: %s%s", pair->ok, secret,
                 settings_faults(pair->settings),
                 settings_warnings(pair->settings));
    for (int i = 0; i < SETTINGS; i++) {
        char *shown = settings_shown(pair->settings, (enum setting)i);
        if (strstr(shown, secret) != NULL)
            fail_msg("%s: %s in %s, shown as: %s", pair->ok, secret,
                     settings_name((enum setting)i), shown);
        free(shown);
    }
}

static void note(char **list, const char *line) {
    char *longer = memory_print("%s%s\n", *list, line);
    free(*list);
    *list = longer;
}

static void check(struct pair *pair) {
    char *text = read_text(pair->ok), *rest = text, *line, *value;
    assert_true(*text != '\0');
    while ((line = next_line(&rest)) != NULL)
        if ((value = behind(line, "fault ")) != NULL)
            note(&pair->faults, value);
        else if ((value = behind(line, "warning ")) != NULL)
            note(&pair->warnings, value);
        else if ((value = behind(line, "faults ")) != NULL)
            pair->fault_count = (size_t)atoi(value);
        else if ((value = behind(line, "hidden ")) != NULL)
            expect_hidden(pair, value);
        else if ((value = behind(line, "number ")) != NULL)
            expect_number(pair, value);
        else if ((value = behind(line, "shown ")) != NULL)
            expect_shown(pair, value);
        else
            expect_origin(pair, line);
    if (pair->fault_count > 0)
        assert_int_equal(count_lines(settings_faults(pair->settings)),
                         pair->fault_count);
    else if (strcmp(settings_faults(pair->settings), pair->faults) != 0)
        fail_msg("%s: the faults are\n%snot\n%s", pair->ok,
                 settings_faults(pair->settings), pair->faults);
    if (strcmp(settings_warnings(pair->settings), pair->warnings) != 0)
        fail_msg("%s: the warnings are\n%snot\n%s", pair->ok,
                 settings_warnings(pair->settings), pair->warnings);
    free(text);
}

static void file_and_result(void **state) {
    struct pair pair = {.variables = 0};
    snprintf(pair.in, sizeof pair.in, FOLDER "/%s.in", (char *)*state);
    snprintf(pair.ok, sizeof pair.ok, FOLDER "/%s.ok", (char *)*state);
    pair.faults = memory_copy("", 0);
    pair.warnings = memory_copy("", 0);
    load(&pair);
    check(&pair);
    settings_free(&pair.settings);
    free(pair.faults);
    free(pair.warnings);
    for (size_t i = 0; i < pair.variables; i++)
        free(pair.environment[i]);
}

/* Where nothing names a folder, root and others have one of their own. */
static void default_folders(void **state) {
    (void)state;
    char home[] = "HOME=/home/somebody", other[] = "PATH=/bin";
    char *environment[] = {home, other, NULL};
    struct settings *s =
        settings_load(environment, NULL, false, SETTINGS_COMMAND);
    char of_user[64];
    sprintf(of_user, "/tmp/fxwire-%u", (unsigned)geteuid());
    bool root = geteuid() == 0;
    assert_string_equal(settings_text(s, SETTING_RUNTIME_DIR),
                        root ? "/run/fxwire" : of_user);
    assert_string_equal(settings_text(s, SETTING_STATE_DIR),
                        root ? "/var/lib/fxwire"
                             : "/home/somebody/.local/state/fxwire");
    assert_string_equal(settings_faults(s), "");
    settings_free(&s);
}

/* The file that nobody named may be missing; one that was named may not. */
static void missing_files(void **state) {
    (void)state;
    char *environment[] = {NULL};
    struct settings *s =
        settings_load(environment, FOLDER "/no-such", false, SETTINGS_COMMAND);
    assert_string_equal(settings_faults(s), "");
    settings_free(&s);
    s = settings_load(environment, FOLDER "/no-such", true, SETTINGS_COMMAND);
    assert_string_equal(settings_faults(s),
                        FOLDER "/no-such: cannot be read: No such file or "
                               "directory\n");
    settings_free(&s);
    s = settings_load(environment, FOLDER, false, SETTINGS_COMMAND);
    assert_string_equal(settings_faults(s),
                        FOLDER ": cannot be read: Is a directory\n");
    settings_free(&s);
}

/* Each fault is one line, whatever stands in the value. */
static void faults_are_lines(void **state) {
    (void)state;
    char url[] = "REQUESTS_WS_URL=ws://localhost/";
    char path[] = "LOGS_DIR=/var/log\nLOG_LEVEL=x", word[] = "LOG_LEVEL=a\rb";
    char text[] = "ALERT_COMMAND=a\033[31mb", number[] = "CACHE_TTL_SECONDS=\t";
    char *environment[] = {url, path, word, text, number, NULL};
    struct settings *s = settings_load(environment, NULL, false, SETTINGS_ALL);
    size_t lines = count_lines(settings_faults(s));
    if (lines != 4)
        fail_msg("4 faults are %zu lines: %s", lines, settings_faults(s));
    for (const char *c = settings_faults(s); *c != '\0'; c++)
        if ((unsigned char)*c < ' ' && *c != '\n')
            fail_msg("a control character in: %s", settings_faults(s));
    settings_free(&s);
}

/* Who is given which secret. */
static void secrets_go_to_who_needs_them(void **state) {
    (void)state;
    static const enum setting of_ratefetcher[] = {
        SETTING_FREECURRENCYAPI_KEY, SETTING_EXCHANGE_ACCESS_KEY,
        SETTING_EXCHANGERATEAPI_KEY, SETTING_OPENEXCHANGERATES_KEY,
        SETTING_FIXER_KEY,           SETTING_CURRENCYAPI_KEY,
        SETTING_PROVIDER_PROXY,      SETTING_REDIS_URL};
    static const enum setting of_wsclient[] = {
        SETTING_WS_AUTHORIZATION, SETTING_WS_PROXY, SETTING_REQUESTS_WS_URL};
    for (size_t i = 0; i < COUNT_OF(of_ratefetcher); i++) {
        assert_true(settings_is_secret(of_ratefetcher[i]));
        assert_true(
            settings_is_read_by(of_ratefetcher[i], SETTINGS_RATEFETCHER));
        assert_false(settings_is_read_by(of_ratefetcher[i], SETTINGS_WSCLIENT));
    }
    for (size_t i = 0; i < COUNT_OF(of_wsclient); i++) {
        assert_true(settings_is_secret(of_wsclient[i]));
        assert_true(settings_is_read_by(of_wsclient[i], SETTINGS_WSCLIENT));
        assert_false(settings_is_read_by(of_wsclient[i], SETTINGS_RATEFETCHER));
    }
    int secrets = 0;
    for (int i = 0; i < SETTINGS; i++) {
        secrets += settings_is_secret((enum setting)i);
        assert_true(strlen(settings_help((enum setting)i)) > 0);
    }
    assert_int_equal(secrets, COUNT_OF(of_ratefetcher) + COUNT_OF(of_wsclient));
}

static int is_in(const struct dirent *entry) {
    size_t len = strlen(entry->d_name);
    return len > 3 && strcmp(entry->d_name + len - 3, ".in") == 0;
}

int main(void) {
    static struct CMUnitTest tests[MAX_PAIRS] = {
        cmocka_unit_test(default_folders),
        cmocka_unit_test(missing_files),
        cmocka_unit_test(faults_are_lines),
        cmocka_unit_test(secrets_go_to_who_needs_them),
    };
    size_t count = 4;
    struct dirent **names;
    int pairs = scandir(FOLDER, &names, is_in, alphasort);
    if (pairs <= 0 || (size_t)pairs > MAX_PAIRS - count) {
        fprintf(stderr, "%s: %d files; run it where they are\n", FOLDER, pairs);
        return 1;
    }
    for (int i = 0; i < pairs; i++, count++) {
        char *name = names[i]->d_name;
        name[strlen(name) - 3] = '\0';
        tests[count] = (struct CMUnitTest){
            .name = name, .test_func = file_and_result, .initial_state = name};
    }
    int failed = _cmocka_run_group_tests("settings", tests, count, NULL, NULL);
    for (int i = 0; i < pairs; i++)
        free(names[i]);
    free(names);
    return failed;
}
