/*
 * Values of settings: a line with the kind (as in settings.def), then the
 * value. What is good stays so when it is checked again, and can be used; what
 * is not, can be complained of.
 */
#include <ctype.h>
#include <curl/curl.h>
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/memory.h"
#include "common/settings/settings_check.h"
#include "common/settings/url.h"
#include "tests/fuzz/fuzz.h"
#include "wsclient/upstream.h"

static const struct {
    const char *name;
    struct settings_rule rule;
} kinds[] = {
    {"WS_URLS", {.kind = SETTINGS_WS_URLS}},
    {"HTTP_URL", {.kind = SETTINGS_HTTP_URL}},
    {"REDIS_URL", {.kind = SETTINGS_REDIS_URL}},
    {"SECONDS", {.kind = SETTINGS_SECONDS, .lowest = 0.01, .highest = 3600}},
    {"PERCENT", {.kind = SETTINGS_PERCENT, .lowest = 0.01, .highest = 100}},
    {"COUNT", {.kind = SETTINGS_COUNT, .lowest = 64, .highest = 1e12}},
    {"WORD", {.kind = SETTINGS_WORD, .words = "debug info warn error"}},
    {"WORDS", {.kind = SETTINGS_WORDS, .words = "ecb file frankfurter"}},
    {"PATH", {.kind = SETTINGS_PATH}},
    {"ADDRESS", {.kind = SETTINGS_ADDRESS}},
    {"TEXT", {.kind = SETTINGS_TEXT}},
    {"PROTOCOLS", {.kind = SETTINGS_PROTOCOLS}},
    {"ORIGIN", {.kind = SETTINGS_ORIGIN}},
    {"PROXY", {.kind = SETTINGS_PROXY}},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* Another word is one of them too, so that no input is for nothing. */
static const struct settings_rule *find_rule(struct span name) {
    for (size_t i = 0; i < KINDS; i++)
        if (span_equals(name, kinds[i].name))
            return &kinds[i].rule;
    return &kinds[name.len % KINDS].rule;
}

/* All parts are parts of the text, and in their order. */
static void check_parts(struct span text, const struct url *url) {
    const struct span parts[] = {url->scheme, url->user_info, url->host,
                                 url->path, url->query};
    const char *behind = text.data;
    for (size_t i = 0; i < 5; i++) {
        if (parts[i].len == 0)
            continue;
        HOLDS(fuzz_within(parts[i], text) && parts[i].data >= behind, "%.*s",
              SPAN(text));
        behind = parts[i].data + parts[i].len;
    }
    char *label = url_label(url, 1), *identity = url_identity(url);
    HOLDS(strchr(label, '?') == NULL &&
              (strchr(label, '@') == NULL ||
               strchr(label, '@') > strchr(label, '/')),
          "%s", label);
    free(label);
    memory_wipe(identity);
}

static void check_url(struct span text) {
    struct url url;
    bool good = url_parse(text, &url);
    char *complaint = url_complaint(text);
    HOLDS(good == (complaint == NULL), "%.*s: %s", SPAN(text), complaint);
    free(complaint);
    if (good)
        check_parts(text, &url);
}

/* libcurl goes where we think that it goes, if it takes the address. */
static void check_as_curl(const char *text) {
    struct url url;
    char *host = NULL, *port = NULL;
    CURLU *theirs = curl_url();
    HOLDS(url_parse(span_of(text), &url), "%s", text);
    if (curl_url_set(theirs, CURLUPART_URL, text, 0) == CURLUE_OK) {
        curl_url_get(theirs, CURLUPART_HOST, &host, 0);
        curl_url_get(theirs, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
        uint16_t right = url.port != 0 ? url.port : url_default_port(&url);
        HOLDS(atoi(port) == right, "%s: %s", text, port);
        bool is_name = memchr(url.host.data, ':', url.host.len) == NULL &&
                       strspn(host, "0123456789.") != strlen(host);
        HOLDS(!is_name || span_equals(url.host, host), "%s: %s", text, host);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(theirs);
}

static void check_upstreams(const char *text) {
    struct span list = span_of(text), word;
    while (settings_next_word(&list, &word)) {
        struct upstream upstream;
        char *address = fuzz_string(word);
        upstream_init(&upstream, address, NULL);
        HOLDS(upstream.port > 0 && upstream.host[0] != '\0' &&
                  upstream.path[0] == '/',
              "%s", address);
        HOLDS(strchr(upstream.host_header, '@') == NULL, "%s", address);
        upstream_clear(&upstream);
        free(address);
    }
}

/* As they go into headers. */
static void check_introduction(const struct settings_rule *rule,
                               const char *text) {
    struct upstream upstream;
    struct span list = span_of(text), word;
    upstream_init(&upstream, "ws://host", "Basic YTpi");
    upstream_introduce(&upstream, text, text);
    HOLDS(strcmp(upstream.origin, text) == 0, "%s", upstream.origin);
    for (const char *at = upstream.protocols;
         rule->kind == SETTINGS_PROTOCOLS && settings_next_word(&list, &word);
         at += word.len + 2)
        HOLDS(strncmp(at, word.data, word.len) == 0 &&
                  (at[word.len] == ',' || at[word.len] == '\0'),
              "%s", upstream.protocols);
    upstream_clear(&upstream);
}

static void check_good(const struct settings_rule *rule, const char *text,
                       int64_t number) {
    char *again = memory_print("%s", text);
    int64_t same = 0;
    HOLDS(settings_check_value(rule, again, &same), "%s", text);
    HOLDS(strcmp(again, text) == 0, "%s, not %s", again, text);
    free(again);
    double value = strtod(text, NULL);
    double factor = rule->kind == SETTINGS_COUNT ? 1 : 1e6;
    if (rule->kind == SETTINGS_SECONDS || rule->kind == SETTINGS_PERCENT ||
        rule->kind == SETTINGS_COUNT)
        HOLDS(same == number && fabs((double)number - value * factor) <= 1 &&
                  value >= rule->lowest && value <= rule->highest,
              "%s: %lld", text, (long long)number);
    if (rule->kind == SETTINGS_WS_URLS)
        check_upstreams(text);
    if (rule->kind == SETTINGS_PROTOCOLS || rule->kind == SETTINGS_ORIGIN)
        check_introduction(rule, text);
    if (rule->kind == SETTINGS_HTTP_URL)
        check_as_curl(text);
}

static void check_bad(const struct settings_rule *rule, const char *text) {
    char *complaint = settings_complaint(rule, text);
    char *allowed = settings_allowed(rule);
    HOLDS(complaint == NULL || complaint[0] != '\0', "%s", text);
    HOLDS(allowed[0] != '\0', "%s", text);
    free(complaint);
    free(allowed);
}

/* In a secret, and nowhere else. */
static const char mark[] = "s3cr3t-";

/* Whether an address begins there: a scheme, at the value's start or behind a
 * blank. */
static bool begins_address(struct span value, const char *mark_at) {
    const char *at = mark_at - 3;
    if (mark_at - value.data < 3 || memcmp(at, "://", 3) != 0)
        return false;
    while (at > value.data && (isalnum((unsigned char)at[-1]) || at[-1] == '+'))
        at--;
    return at == value.data || at[-1] == ' ';
}

/* Of an address it is in the user-info: its host and path may be shown. */
static bool is_where_it_is_hidden(struct span name, struct span value) {
    bool is_address =
        name.len > 4 && fuzz_has(span_from(name, name.len - 4), "_URL");
    const char *at = memmem(value.data, value.len, mark, sizeof mark - 1);
    if (!is_address || at == NULL)
        return true;
    struct span behind = {at + sizeof mark - 1, 0};
    behind.len = (size_t)(value.data + value.len - behind.data);
    return begins_address(value, at) && span_begins(behind, "@") &&
           is_where_it_is_hidden(name, behind);
}

/* Whether each line with the mark is the value of a secret, and of no name. */
static bool only_secrets_have_it(struct span file) {
    if (memchr(file.data, '$', file.len) != NULL ||
        memchr(file.data, '"', file.len) != NULL ||
        memchr(file.data, '\'', file.len) != NULL)
        return false;
    while (file.len > 0) {
        struct span line = fuzz_take(&file, '\n');
        struct span name = fuzz_take(&line, '=');
        bool secret = false;
        for (int i = 0; i < SETTINGS; i++)
            secret |= settings_is_secret((enum setting)i) &&
                      span_equals(name, settings_name((enum setting)i));
        if ((fuzz_has(line, mark) && !secret) || fuzz_has(name, mark) ||
            !is_where_it_is_hidden(name, line))
            return false;
    }
    return true;
}

static void check_shown(const struct settings *settings) {
    const char *texts[] = {settings_faults(settings),
                           settings_warnings(settings)};
    for (size_t i = 0; i < 2; i++)
        HOLDS(strstr(texts[i], mark) == NULL, "%s", texts[i]);
    for (int i = 0; i < SETTINGS; i++) {
        char *shown = settings_shown(settings, (enum setting)i);
        HOLDS(shown == NULL || strstr(shown, mark) == NULL, "%s", shown);
        free(shown);
    }
}

static void check_file(struct span file) {
    static char home[] = "HOME=/nonexistent";
    char *const environment[] = {home, NULL};
    char path[64];
    int fd = memfd_create("env", MFD_CLOEXEC);
    HOLDS(write(fd, file.data, file.len) == (ssize_t)file.len, "no room");
    sprintf(path, "/proc/self/fd/%d", fd);
    struct settings *settings =
        settings_load(environment, path, true, SETTINGS_ALL);
    if (only_secrets_have_it(file))
        check_shown(settings);
    bool good = true;
    for (int i = 0; i < SETTINGS; i++)
        good &= settings_text(settings, (enum setting)i) == NULL ||
                settings_is_good(settings, (enum setting)i);
    HOLDS(good || settings_faults(settings)[0] != '\0', "%.*s", SPAN(file));
    settings_free(&settings);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    struct span kind = fuzz_take(&text, '\n');
    const struct settings_rule *rule = find_rule(kind);
    int64_t number = 0;
    if (span_equals(kind, "FILE")) {
        check_file(text);
        return 0;
    }
    check_url(text);
    char *plain = url_unescape(text), *value = fuzz_string(text);
    HOLDS(strlen(plain) <= text.len, "%s", plain);
    free(plain);
    if (settings_check_value(rule, value, &number))
        check_good(rule, value, number);
    else
        check_bad(rule, value);
    free(value);
    return 0;
}
