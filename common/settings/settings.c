/*
 * Where each value comes from: environment before file before default. What a
 * value may be is settings_check.c's.
 */
#include "common/settings/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "common/files.h"
#include "common/memory.h"
#include "common/settings/envfile.h"
#include "common/settings/proxy.h"
#include "common/settings/settings_check.h"
#include "common/settings/url.h"
#include "common/utf8.h"

struct setting_row {
    const char *name, *file_name; /* NAME_FILE, that of a secret */
    const char *otherwise;
    struct settings_rule rule;
    bool secret;
    unsigned readers;
    const char *help;
};

/* The names of the providers, a blank before each. */
#define PROVIDER(id, ...) " " #id
static const char provider_words[] =
#include "common/rates/providers.def"
    ;
#undef PROVIDER

#define PROVIDER(id, ID, need) {#id, need},
static const struct {
    const char *name;
    int need; /* a setting; SETTINGS: none */
} providers[] = {
#include "common/rates/providers.def"
};
#undef PROVIDER

#define S SETTINGS_SUPERVISOR
#define M SETTINGS_MONITOR
#define W SETTINGS_WSCLIENT
#define R SETTINGS_RATEFETCHER
#define C SETTINGS_COMMAND
#define SETTING(name, kind, otherwise, lowest, highest, words, secret,         \
                readers, help)                                                 \
    [SETTING_##name] = {#name,     #name "_FILE",                              \
                        otherwise, {SETTINGS_##kind, lowest, highest, words},  \
                        secret,    readers,                                    \
                        help},
static const struct setting_row rows[SETTINGS] = {
#include "common/settings/settings.def"
};
#undef SETTING
#undef S
#undef M
#undef W
#undef R
#undef C

struct value {
    char *text;         /* NULL: none */
    char *path;         /* of NAME_FILE, until it is read; NULL: none */
    const char *origin; /* lent; NULL: nobody gave it */
    int64_t number;
    bool bad;
};

struct settings {
    struct value values[SETTINGS];
    char *faults;
    char *warnings;
    char *env_file;
};

static const char from_environment[] = "environment";

/* Appends one line to `*lines` and frees it. */
static void add_line(char **lines, char *line) {
    char *joined = memory_print("%s%s\n", *lines, line);
    free(*lines);
    free(line);
    *lines = joined;
}

void settings_add_fault(struct settings *settings, char *line) {
    add_line(&settings->faults, line);
}

void settings_add_warning(struct settings *settings, char *line) {
    add_line(&settings->warnings, line);
}

static void set_text(char **place, const char *text) {
    memory_wipe(*place);
    *place = *text == '\0' ? NULL : memory_copy(text, strlen(text));
}

/*
 * Gives a setting, by its name or NAME_FILE, unless it came from elsewhere
 * before. False: there is none of that name.
 */
static bool assign(struct settings *s, const char *name, const char *text,
                   const char *origin) {
    for (int i = 0; i < SETTINGS; i++) {
        struct value *value = &s->values[i];
        bool is_text = strcmp(name, rows[i].name) == 0;
        if (!is_text && (!rows[i].secret || strcmp(name, rows[i].file_name)))
            continue;
        if (value->origin == NULL || value->origin == origin) {
            set_text(is_text ? &value->text : &value->path, text);
            value->origin = origin;
        }
        return true;
    }
    return false;
}

/*
 * No shell leaves quotes around a value, but what hands a .env file on as it
 * stands does, such as docker run --env-file.
 */
static void assign_from_environment(struct settings *s, const char *name,
                                    const char *text) {
    const char *start = text + strspn(text, " \t\r");
    size_t len = strlen(start);
    while (len > 0 && strchr(" \t\r", start[len - 1]) != NULL)
        len--;
    bool quoted = len >= 2 && (*start == '"' || *start == '\'') &&
                  start[len - 1] == *start;
    char *value = quoted ? memory_copy(start + 1, len - 2)
                         : memory_copy(text, strlen(text));
    if (assign(s, name, value, from_environment) && quoted)
        settings_add_warning(
            s, memory_print("%s: the quotes around its value in the "
                            "environment are taken off",
                            name));
    memory_wipe(value);
}

static void read_environment(struct settings *s, char *const environment[]) {
    for (; *environment != NULL; environment++) {
        const char *end = strchr(*environment, '=');
        if (end == NULL)
            continue;
        char *name = memory_copy(*environment, (size_t)(end - *environment));
        assign_from_environment(s, name, end + 1);
        free(name);
    }
}

/* Who reads the .env file, and what the environment has. */
struct env_file_reader {
    struct settings *settings;
    char *const *environment;
};

static const char *variable(char *const environment[], const char *name) {
    size_t len = strlen(name);
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return *environment + len + 1;
    return NULL;
}

static void on_assigned(void *arg, const char *name, const char *value,
                        int line, bool referred) {
    struct settings *s = ((struct env_file_reader *)arg)->settings;
    if (!assign(s, name, value, s->env_file) && !referred)
        settings_add_warning(
            s, memory_print("%s:%d: %s is not a setting of fxwire", s->env_file,
                            line, name));
}

static const char *on_outside(void *arg, const char *name) {
    return variable(((struct env_file_reader *)arg)->environment, name);
}

static void on_fault(void *arg, const char *why, int line) {
    struct settings *s = ((struct env_file_reader *)arg)->settings;
    settings_add_fault(s, memory_print("%s:%d: %s", s->env_file, line, why));
}

/* What the environment did not give. */
static void read_env_file(struct settings *s, const char *path, bool required,
                          char *const environment[]) {
    size_t len;
    char *text = files_read(path, &len);
    s->env_file = memory_copy(path, strlen(path));
    if (text != NULL) {
        struct env_file_reader reader = {s, environment};
        struct envfile_events events = {on_assigned, on_fault, on_outside,
                                        &reader};
        struct span content = utf8_without_mark((struct span){text, len});
        if (utf8_is_utf16(content))
            settings_add_fault(s, memory_print("%s: " UTF8_SAVE_AS, path));
        else
            envfile_read(content, &events);
        explicit_bzero(text, len);
        free(text);
    } else if (required || errno != ENOENT) {
        settings_add_fault(
            s, memory_print("%s: cannot be read: %s", path, strerror(errno)));
    }
}

/* Puts the content of NAME_FILE in the place of its path. */
static void read_secret_file(struct settings *s, enum setting which) {
    struct value *value = &s->values[which];
    size_t len;
    if (value->text != NULL) {
        settings_add_fault(s, memory_print("%s: given together with %s; only "
                                           "one of them is allowed",
                                           rows[which].name,
                                           rows[which].file_name));
        return;
    }
    char *text = files_read(value->path, &len);
    if (text == NULL) {
        settings_add_fault(s, memory_print("%s=%s: cannot be read: %s",
                                           rows[which].file_name, value->path,
                                           strerror(errno)));
        return;
    }
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    struct span content = utf8_without_mark((struct span){text, len});
    if (utf8_is_utf16(content))
        settings_add_fault(s, memory_print("%s=%s: " UTF8_SAVE_AS,
                                           rows[which].file_name, value->path));
    else if (memchr(content.data, '\0', content.len) != NULL)
        settings_add_fault(s, memory_print("%s=%s: has a NUL byte; it must be "
                                           "one line of text",
                                           rows[which].file_name, value->path));
    else
        set_text(&value->text, content.data);
    value->origin = rows[which].file_name;
    explicit_bzero(text, len);
    free(text);
}

/* systemd's variable (several folders: the first), XDG's, root's, a last. */
static char *default_dir(char *const environment[], const char *systemd,
                         const char *xdg, const char *of_root, char *last) {
    const char *dir;
    char *result;
    if ((dir = variable(environment, systemd)) != NULL && *dir != '\0')
        result = memory_copy(dir, strcspn(dir, ":"));
    else if ((dir = variable(environment, xdg)) != NULL && *dir != '\0')
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

/* An http:// provider is somebody's own: by default there is none. */
static bool has_plain_provider(const struct settings *s) {
    for (int i = 0; i < SETTINGS; i++)
        if (rows[i].rule.kind == SETTINGS_HTTP_URL && has_value(s, i) &&
            strncasecmp(s->values[i].text, "http://", 7) == 0)
            return true;
    return false;
}

/* One for all peers of a kind: who uses TLS to one of them uses it to all. */
static void set_proxy(struct settings *s, enum setting which,
                      char *const environment[]) {
    struct value *value = &s->values[which];
    const char *upstream = s->values[SETTING_REQUESTS_WS_URL].text;
    bool tls = which == SETTING_WS_PROXY
                   ? upstream != NULL && strcasestr(upstream, "wss://") != NULL
                   : true;
    value->text = proxy_of_environment(environment, tls, &value->origin);
    if (value->text == NULL && which == SETTING_PROVIDER_PROXY &&
        has_plain_provider(s))
        value->text = proxy_of_environment(environment, false, &value->origin);
}

static void set_default(struct settings *s, enum setting which,
                        char *const environment[]) {
    struct value *value = &s->values[which];
    value->origin = "default";
    if (which == SETTING_RUNTIME_DIR)
        value->text = default_runtime_dir(environment);
    else if (which == SETTING_STATE_DIR)
        value->text = default_state_dir(environment);
    else if (which == SETTING_RATE_PROVIDERS)
        value->text = default_providers(s);
    else if (rows[which].rule.kind == SETTINGS_PROXY)
        set_proxy(s, which, environment);
    else if (rows[which].otherwise != NULL)
        value->text = memory_print("%s", rows[which].otherwise);
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
    const struct setting_row *row = &rows[which];
    if (settings_check_value(&row->rule, value->text, &value->number))
        return;
    value->bad = true;
    char *allowed = settings_allowed(&row->rule);
    bool proxy = row->rule.kind == SETTINGS_PROXY; /* often it is inherited */
    char *shown = proxy         ? memory_print("*** (%s)", value->origin)
                  : row->secret ? memory_print("***")
                                : settings_shown(s, which);
    char *complaint = settings_complaint(&row->rule, value->text);
    settings_add_fault(s,
                       memory_print("%s=%s: must be %s%s%s", row->name, shown,
                                    allowed, complaint ? "; here " : "",
                                    complaint ? complaint : ""));
    free(complaint);
    free(shown);
    free(allowed);
}

static void check_all(struct settings *s, enum settings_reader readers) {
    for (int i = 0; i < SETTINGS; i++)
        if ((rows[i].readers & readers) != 0 && s->values[i].text != NULL)
            check_value(s, (enum setting)i);
    if ((rows[SETTING_REQUESTS_WS_URL].readers & readers) != 0 &&
        s->values[SETTING_REQUESTS_WS_URL].text == NULL)
        settings_add_fault(s, memory_print("REQUESTS_WS_URL is not set: give "
                                           "the upstream's ws:// or wss:// "
                                           "address"));
    settings_check_rules(s, readers);
}

struct settings *settings_load(char *const environment[], const char *env_file,
                               bool env_file_required,
                               enum settings_reader readers) {
    struct settings *s = memory_new(sizeof *s);
    s->faults = memory_copy("", 0);
    s->warnings = memory_copy("", 0);
    read_environment(s, environment);
    const char *lower = variable(environment, "no_proxy");
    if (lower != NULL) /* which curl prefers */
        assign(s, settings_name(SETTING_NO_PROXY), lower, from_environment);
    if (env_file != NULL)
        read_env_file(s, env_file, env_file_required, environment);
    for (int i = 0; i < SETTINGS; i++)
        if (s->values[i].path != NULL)
            read_secret_file(s, (enum setting)i);
    for (int i = 0; i < SETTINGS; i++)
        if (s->values[i].text == NULL)
            set_default(s, (enum setting)i, environment);
    check_all(s, readers);
    return s;
}

void settings_free(struct settings **settings) {
    struct settings *s = *settings;
    *settings = NULL;
    for (int i = 0; i < SETTINGS; i++) {
        memory_wipe(s->values[i].text);
        memory_wipe(s->values[i].path);
    }
    free(s->faults);
    free(s->warnings);
    free(s->env_file);
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
        (rows[which].rule.kind == SETTINGS_PROXY &&
         strcmp(text, "none") != 0) ||
        (rows[which].rule.kind == SETTINGS_HTTP_URL &&
         strpbrk(text, "@?") != NULL))
        return shown_addresses(text);
    bool hidden = rows[which].secret && rows[which].rule.kind != SETTINGS_PROXY;
    char *shown = memory_print("%s", hidden ? "***" : text);
    for (char *c = shown; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c))
            *c = '?'; /* a fault is one line, and no terminal's command */
    return shown;
}

const char *settings_origin(const struct settings *settings,
                            enum setting which) {
    return settings->values[which].origin;
}
