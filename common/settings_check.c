#include "common/settings_check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/decimal.h"
#include "common/memory.h"
#include "common/url.h"

bool settings_next_word(struct span *list, struct span *word) {
    size_t start = 0;
    while (start < list->len && isspace((unsigned char)list->data[start]))
        start++;
    *list = span_from(*list, start);
    size_t len = 0;
    while (len < list->len && !isspace((unsigned char)list->data[len]))
        len++;
    *word = (struct span){list->data, len};
    *list = span_from(*list, len);
    return len > 0;
}

static bool same_span(struct span a, struct span b) {
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static bool list_has(struct span list, struct span wanted) {
    struct span word;
    while (settings_next_word(&list, &word))
        if (same_span(word, wanted))
            return true;
    return false;
}

static bool is_scheme(const struct url *url, const char *schemes) {
    return list_has(span_of(schemes), url->scheme);
}

static bool check_ws_urls(char *text) {
    struct span list = span_of(text), word;
    size_t count = 0;
    for (; settings_next_word(&list, &word); count++) {
        struct url url;
        if (!url_parse(word, &url) || !is_scheme(&url, "ws wss") ||
            list_has(list, word))
            return false;
    }
    return count > 0;
}

static bool check_http_url(char *text) {
    struct url url;
    return url_parse(span_of(text), &url) && is_scheme(&url, "http https") &&
           url.query.len == 0;
}

static bool check_redis_url(char *text) {
    static const char unix_scheme[] = "unix:///";
    if (strncmp(text, unix_scheme, sizeof unix_scheme - 1) == 0)
        return true;
    struct url url;
    return url_parse(span_of(text), &url) && is_scheme(&url, "redis");
}

/* A plain number in bounds; its decimals beyond `scale` are cut off. */
static bool check_number(const struct settings_rule *rule, const char *text,
                         int scale, int64_t *number) {
    struct decimal value;
    if (decimal_parse(span_of(text), &value) != DECIMAL_OK)
        return false;
    double approximate = (double)value.coefficient;
    for (int i = 0; i < value.scale; i++)
        approximate /= 10;
    if (approximate < rule->lowest || approximate > rule->highest)
        return false;
    int64_t scaled = (int64_t)value.coefficient;
    for (int i = value.scale; i < scale; i++)
        scaled *= 10;
    for (int i = value.scale; i > scale; i--)
        scaled /= 10;
    *number = scaled;
    return scale > 0 || value.scale == 0;
}

static bool check_words(const struct settings_rule *rule, char *text) {
    for (char *c = text; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    struct span list = span_of(text), word;
    size_t count = 0;
    for (; settings_next_word(&list, &word); count++)
        if (!list_has(span_of(rule->words), word) || list_has(list, word))
            return false;
    return rule->kind == SETTINGS_WORDS
               ? count > 0
               : count == 1 &&
                     strlen(text) == word.len + (size_t)(word.data - text);
}

static bool check_address(const char *text) {
    char *url_text = memory_print("http://%s", text);
    struct url url;
    bool good = url_parse(span_of(url_text), &url) && url.port != 0 &&
                url.path.len == 0 && url.query.len == 0 &&
                url.user_info.len == 0;
    free(url_text);
    return good;
}

/* Control characters could forge a header, a log line or a path. */
static bool has_controls(const char *text) {
    for (; *text != '\0'; text++)
        if (iscntrl((unsigned char)*text))
            return true;
    return false;
}

bool settings_check(const struct settings_rule *rule, char *text,
                    int64_t *number) {
    if (has_controls(text))
        return false;
    switch (rule->kind) {
    case SETTINGS_WS_URLS:
        return check_ws_urls(text);
    case SETTINGS_HTTP_URL:
        return check_http_url(text);
    case SETTINGS_REDIS_URL:
        return check_redis_url(text);
    case SETTINGS_SECONDS:
        return check_number(rule, text, 6, number);
    case SETTINGS_COUNT:
        return check_number(rule, text, 0, number);
    case SETTINGS_WORD:
    case SETTINGS_WORDS:
        return check_words(rule, text);
    case SETTINGS_ADDRESS:
        return check_address(text);
    case SETTINGS_PATH:
    case SETTINGS_TEXT:
    case SETTINGS_KINDS:
        break;
    }
    return true;
}

char *settings_allowed(const struct settings_rule *rule) {
    static const char *const fixed[SETTINGS_KINDS] = {
        [SETTINGS_WS_URLS] = "ws:// or wss:// addresses, separated by spaces "
                             "and all different",
        [SETTINGS_HTTP_URL] = "an https:// or http:// address without a query",
        [SETTINGS_REDIS_URL] =
            "redis://[user:password@]host[:port][/db] or unix:///path?db=n "
            "(rediss:// is not supported: put a TLS tunnel before it)",
        [SETTINGS_PATH] = "a path without control characters",
        [SETTINGS_ADDRESS] = "address:port",
        [SETTINGS_TEXT] = "one line of text",
    };
    switch (rule->kind) {
    case SETTINGS_SECONDS:
        return memory_print("seconds from %g to %.0f, decimals allowed",
                            rule->lowest, rule->highest);
    case SETTINGS_COUNT:
        return memory_print("a whole number from %.0f to %.0f", rule->lowest,
                            rule->highest);
    case SETTINGS_WORD:
        return memory_print("one of: %s", rule->words);
    case SETTINGS_WORDS:
        return memory_print("a list of these, each once: %s", rule->words);
    default:
        return memory_print("%s", fixed[rule->kind]);
    }
}
