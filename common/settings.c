/*
 * Where each value comes from: environment before file before default. What a
 * value may be is settings_check.c's.
 */
#include "common/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/envfile.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/settings_check.h"
#include "common/settings_rules.h"
#include "common/url.h"

struct row {
    const char *name;
    const char *otherwise;
    struct settings_rule rule;
    bool secret;
    unsigned readers;
    const char *help;
};

/* The names of the providers, a blank before each. */
#define PROVIDER(id, ...) " " #id
static const char provider_words[] =
#include "common/providers.def"
    ;
#undef PROVIDER

#define PROVIDER(id, ID, need) {#id, need},
static const struct {
    const char *name;
    int need; /* a setting; SETTINGS: none */
} providers[] = {
#include "common/providers.def"
};
#undef PROVIDER

#define S SETTINGS_SUPERVISOR
#define M SETTINGS_MONITOR
#define W SETTINGS_WSCLIENT
#define R SETTINGS_RATEFETCHER
#define C SETTINGS_COMMAND
#define SETTING(name, kind, otherwise, lowest, highest, words, secret,         \
                readers, help)                                                 \
    [SETTING_##                                                                \
        name] = {#name,  otherwise, {SETTINGS_##kind, lowest, highest, words}, \
                 secret, readers,   help},
static const struct row rows[SETTINGS] = {
#include "common/settings.def"
};
#undef SETTING
#undef S
#undef M
#undef W
#undef R
#undef C

struct value {
    char *text; /* NULL: none */
    char *origin;
    int64_t number;
    bool bad;
};

struct settings {
    struct value values[SETTINGS];
    char *faults;
    char *warnings;
    const char *env_file; /* while it is read */
};

/* Appends one line to `*lines` and frees it. */
static void add_line(char **lines, char *line) {
    char *joined = memory_print("%s%s\n", *lines, line);
    free(*lines);
    free(line);
    *lines = joined;
}

static void set_value(struct settings *s, enum setting which, const char *text,
                      const char *origin) {
    struct value *value = &s->values[which];
    free(value->text);
    free(value->origin);
    value->text = *text == '\0' ? NULL : memory_copy(text, strlen(text));
    value->origin = memory_copy(origin, strlen(origin));
}

static bool find_row(const char *name, size_t len, enum setting *which) {
    for (int i = 0; i < SETTINGS; i++)
        if (strlen(rows[i].name) == len &&
            memcmp(rows[i].name, name, len) == 0) {
            *which = (enum setting)i;
            return true;
        }
    return false;
}

/* Whether `name` is that of a secret with `_FILE` behind it. */
static bool find_file_row(const char *name, enum setting *which) {
    static const char suffix[] = "_FILE";
    size_t len = strlen(name), suffix_len = sizeof suffix - 1;
    return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0 &&
           find_row(name, len - suffix_len, which) && rows[*which].secret;
}

/* The names and values of one origin, before they are put in force. */
struct layer {
    const char *texts[SETTINGS];
    const char *paths[SETTINGS]; /* of X_FILE */
    char *owned[2 * SETTINGS];
    struct settings *settings;
};

static void layer_assign(struct layer *layer, const char *name,
                         const char *value) {
    enum setting which;
    if (find_row(name, strlen(name), &which))
        layer->texts[which] = value;
    else if (find_file_row(name, &which))
        layer->paths[which] = value;
}

static void keep_in_layer(struct layer *layer, const char **place, size_t slot,
                          const char *value) {
    free(layer->owned[slot]);
    layer->owned[slot] = memory_copy(value, strlen(value));
    *place = layer->owned[slot];
}

static void on_assigned(void *arg, const char *name, const char *value,
                        int line) {
    struct layer *layer = arg;
    enum setting which;
    if (find_row(name, strlen(name), &which))
        keep_in_layer(layer, &layer->texts[which], which, value);
    else if (find_file_row(name, &which))
        keep_in_layer(layer, &layer->paths[which], (size_t)which + SETTINGS,
                      value);
    else
        add_line(&layer->settings->warnings,
                 memory_print("%s:%d: %s is not a setting of fxwire",
                              layer->settings->env_file, line, name));
}

static void on_fault(void *arg, const char *why, int line) {
    struct layer *layer = arg;
    add_line(&layer->settings->faults,
             memory_print("%s:%d: %s", layer->settings->env_file, line, why));
}

static void set_from_file(struct settings *s, enum setting which,
                          const char *path) {
    size_t len;
    char *text = files_read(path, &len);
    if (text == NULL) {
        add_line(&s->faults,
                 memory_print("%s_FILE=%s: cannot be read: %s",
                              rows[which].name, path, strerror(errno)));
        return;
    }
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    char *origin = memory_print("%s_FILE", rows[which].name);
    set_value(s, which, text, origin);
    free(origin);
    explicit_bzero(text, len);
    free(text);
}

static void apply_layer(struct settings *s, const struct layer *layer,
                        const char *origin) {
    for (int i = 0; i < SETTINGS; i++) {
        const char *text = layer->texts[i], *path = layer->paths[i];
        if (path != NULL && *path == '\0')
            path = NULL;
        if (text != NULL && *text != '\0' && path != NULL)
            add_line(&s->faults,
                     memory_print("%s: given together with %s_FILE; only one "
                                  "of them is allowed",
                                  rows[i].name, rows[i].name));
        else if (path != NULL)
            set_from_file(s, (enum setting)i, path);
        else if (text != NULL)
            set_value(s, (enum setting)i, text, origin);
    }
}

static void apply_env_file(struct settings *s, const char *path,
                           bool required) {
    size_t len;
    char *text = files_read(path, &len);
    if (text == NULL) {
        if (required || errno != ENOENT)
            add_line(&s->faults, memory_print("%s: cannot be read: %s", path,
                                              strerror(errno)));
        return;
    }
    struct layer layer = {.settings = s};
    struct envfile_events events = {on_assigned, on_fault, &layer};
    s->env_file = path;
    envfile_read((struct span){text, len}, &events);
    apply_layer(s, &layer, path);
    for (size_t i = 0; i < 2 * SETTINGS; i++)
        free(layer.owned[i]);
    explicit_bzero(text, len);
    free(text);
}

static void apply_environment(struct settings *s, char *const environment[]) {
    struct layer layer = {.settings = s};
    for (; *environment != NULL; environment++) {
        const char *end = strchr(*environment, '=');
        if (end == NULL)
            continue;
        char *name = memory_copy(*environment, (size_t)(end - *environment));
        layer_assign(&layer, name, end + 1);
        free(name);
    }
    apply_layer(s, &layer, "environment");
}

static const char *variable(char *const environment[], const char *name) {
    size_t len = strlen(name);
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, len) == 0 &&
            (*environment)[len] == '=' && (*environment)[len + 1] != '\0')
            return *environment + len + 1;
    return NULL;
}

/* systemd's variable (several folders: the first), XDG's, root's, a last. */
static char *default_dir(char *const environment[], const char *systemd,
                         const char *xdg, const char *of_root, char *last) {
    const char *dir;
    char *result;
    if ((dir = variable(environment, systemd)) != NULL)
        result = memory_copy(dir, strcspn(dir, ":"));
    else if ((dir = variable(environment, xdg)) != NULL)
        result = memory_print("%s/fxwire", dir);
    else if (geteuid() == 0)
        result = memory_print("%s", of_root);
    else
        return last;
    free(last);
    return result;
}

static char *default_state_dir(char *const environment[]) {
    const char *home = variable(environment, "HOME");
    return default_dir(
        environment, "STATE_DIRECTORY", "XDG_STATE_HOME", "/var/lib/fxwire",
        memory_print("%s/.local/state/fxwire", home != NULL ? home : ""));
}

static char *default_runtime_dir(char *const environment[]) {
    return default_dir(environment, "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR",
                       "/run/fxwire",
                       memory_print("/tmp/fxwire-%u", (unsigned)geteuid()));
}

static bool has_value(const struct settings *s, int which) {
    return s->values[which].text != NULL;
}

static char *default_providers(const struct settings *s) {
    char *words = memory_copy("", 0);
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
        int need = providers[i].need;
        if (need != SETTINGS && !(rows[need].secret && has_value(s, need)))
            continue;
        char *longer = memory_print("%s%s%s", words, *words == '\0' ? "" : " ",
                                    providers[i].name);
        free(words);
        words = longer;
    }
    return words;
}

static void apply_default(struct settings *s, enum setting which,
                          char *const environment[]) {
    char *computed = NULL;
    if (which == SETTING_RUNTIME_DIR)
        computed = default_runtime_dir(environment);
    else if (which == SETTING_STATE_DIR)
        computed = default_state_dir(environment);
    else if (which == SETTING_RATE_PROVIDERS)
        computed = default_providers(s);
    const char *text = computed != NULL ? computed : rows[which].otherwise;
    set_value(s, which, text != NULL ? text : "", "default");
    free(computed);
}

/* Addresses without user-info and query. */
static char *shown_addresses(const char *text) {
    char *shown = memory_copy("", 0);
    struct span list = span_of(text), word;
    while (settings_next_word(&list, &word)) {
        struct url url;
        if (!url_parse(word, &url)) {
            free(shown);
            return memory_print("***"); /* who knows what is in it */
        }
        char *label = url_label(&url, url_default_port(&url));
        char *joined =
            memory_print("%s%s%.*s://%s%s%s", shown, *shown != '\0' ? " " : "",
                         (int)url.scheme.len, url.scheme.data,
                         url.user_info.len > 0 ? "***@" : "", label,
                         url.query.len > 0 ? "?***" : "");
        free(label);
        free(shown);
        shown = joined;
    }
    return shown;
}

static void check_value(struct settings *s, enum setting which) {
    struct value *value = &s->values[which];
    const struct row *row = &rows[which];
    if (settings_check(&row->rule, value->text, &value->number))
        return;
    value->bad = true;
    char *allowed = settings_allowed(&row->rule);
    char *shown = row->secret ? memory_print("***") : settings_shown(s, which);
    add_line(&s->faults,
             memory_print("%s=%s: must be %s", row->name, shown, allowed));
    free(shown);
    free(allowed);
}

static void add_fault(struct settings *s, char *line) {
    add_line(&s->faults, line);
}

static void add_warning(struct settings *s, char *line) {
    add_line(&s->warnings, line);
}

static void check_all(struct settings *s, enum settings_reader readers) {
    for (int i = 0; i < SETTINGS; i++)
        if ((rows[i].readers & readers) != 0 && s->values[i].text != NULL)
            check_value(s, (enum setting)i);
    if ((rows[SETTING_REQUESTS_WS_URL].readers & readers) != 0 &&
        s->values[SETTING_REQUESTS_WS_URL].text == NULL)
        add_line(&s->faults, memory_print("REQUESTS_WS_URL is not set: give "
                                          "the upstream's ws:// or wss:// "
                                          "address"));
    settings_rules_check(s, readers, add_fault, add_warning);
}

struct settings *settings_load(char *const environment[], const char *env_file,
                               bool env_file_required,
                               enum settings_reader readers) {
    struct settings *s = memory_new(sizeof *s);
    s->faults = memory_copy("", 0);
    s->warnings = memory_copy("", 0);
    if (env_file != NULL)
        apply_env_file(s, env_file, env_file_required);
    apply_environment(s, environment);
    for (int i = 0; i < SETTINGS; i++)
        if (s->values[i].text == NULL)
            apply_default(s, (enum setting)i, environment);
    check_all(s, readers);
    return s;
}

void settings_free(struct settings **settings) {
    struct settings *s = *settings;
    *settings = NULL;
    for (int i = 0; i < SETTINGS; i++) {
        if (rows[i].secret && s->values[i].text != NULL)
            explicit_bzero(s->values[i].text, strlen(s->values[i].text));
        free(s->values[i].text);
        free(s->values[i].origin);
    }
    free(s->faults);
    free(s->warnings);
    free(s);
}

const char *settings_faults(const struct settings *settings) {
    return settings->faults;
}

const char *settings_warnings(const struct settings *settings) {
    return settings->warnings;
}

const char *settings_text(const struct settings *settings, enum setting which) {
    return settings->values[which].text;
}

duration settings_duration(const struct settings *settings,
                           enum setting which) {
    return (duration){settings->values[which].number};
}

int64_t settings_count(const struct settings *settings, enum setting which,
                       int64_t otherwise) {
    const struct value *value = &settings->values[which];
    return value->text != NULL ? value->number : otherwise;
}

bool settings_is(const struct settings *settings, enum setting which,
                 const char *word) {
    const char *text = settings->values[which].text;
    return text != NULL && strcmp(text, word) == 0;
}

bool settings_is_good(const struct settings *settings, enum setting which) {
    const struct value *value = &settings->values[which];
    return value->text != NULL && !value->bad;
}

const char *settings_name(enum setting which) {
    return rows[which].name;
}

const char *settings_help(enum setting which) {
    return rows[which].help;
}

bool settings_is_secret(enum setting which) {
    return rows[which].secret;
}

bool settings_is_read_by(enum setting which, enum settings_reader reader) {
    return (rows[which].readers & reader) != 0;
}

char *settings_shown(const struct settings *settings, enum setting which) {
    const char *text = settings->values[which].text;
    if (text == NULL)
        return memory_copy("", 0);
    if (which == SETTING_REQUESTS_WS_URL ||
        (rows[which].rule.kind == SETTINGS_HTTP_URL &&
         strpbrk(text, "@?") != NULL))
        return shown_addresses(text);
    char *shown = memory_print("%s", rows[which].secret ? "***" : text);
    for (char *c = shown; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c))
            *c = '?'; /* a fault is one line, and no terminal's command */
    return shown;
}

const char *settings_origin(const struct settings *settings,
                            enum setting which) {
    return settings->values[which].origin;
}
