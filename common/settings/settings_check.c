#include "common/settings/settings_check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/rates/decimal.h"
#include "common/settings/moved.h"
#include "common/settings/pem_files.h"
#include "common/settings/proxy.h"
#include "common/settings/redis_url.h"
#include "common/settings/url.h"

/* For a header's value: the library has 4096 bytes for it with the address. */
enum { SETTINGS_MAX_HEADER_BYTES = 256 };

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

/* Whether one of the addresses in `list` is that of the same upstream. */
static bool list_has_upstream(struct span list, const struct url *url) {
    struct span word;
    struct url other;
    char *identity = url_identity(url);
    bool found = false;
    while (!found && settings_next_word(&list, &word))
        if (url_parse(word, &other)) {
            char *other_identity = url_identity(&other);
            found = strcmp(identity, other_identity) == 0;
            memory_wipe(other_identity);
        }
    memory_wipe(identity);
    return found;
}

/* libwebsockets cuts a request line off at 2,047 bytes, and goes on. */
enum { MAX_WS_PATH_BYTES = 2000 };

static bool path_is_too_long(const struct url *url) {
    return url->path.len + url->query.len > MAX_WS_PATH_BYTES;
}

static bool check_ws_urls(char *text) {
    struct span list = span_of(text), word;
    size_t count = 0;
    for (; settings_next_word(&list, &word); count++) {
        struct url url;
        if (!url_parse(word, &url) || !is_scheme(&url, "ws wss") ||
            path_is_too_long(&url) || list_has_upstream(list, &url))
            return false;
    }
    return count > 0;
}

static bool check_http_url(char *text) {
    struct url url;
    return url_parse(span_of(text), &url) && is_scheme(&url, "http https") &&
           url.query.len == 0;
}

static bool check_redis_url(const char *text) {
    struct redis_url url;
    return redis_url_parse(span_of(text), &url);
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

static void lower(char *text) {
    for (; *text != '\0'; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* Words are put in lower case, but only if they are allowed. */
static bool check_words(const struct settings_rule *rule, char *text) {
    char *lowered = memory_print("%s", text);
    lower(lowered);
    struct span list = span_of(lowered), word;
    size_t count = 0;
    bool good = true;
    for (; settings_next_word(&list, &word); count++)
        good = good && list_has(span_of(rule->words), word) &&
               !list_has(list, word);
    free(lowered);
    if (rule->kind == SETTINGS_WORD) /* exactly one, without blanks */
        good = good && count == 1 && strpbrk(text, " \t") == NULL;
    if (good && count > 0)
        lower(text);
    return good && count > 0;
}

static bool check_address(const char *text) {
    char *url_text = memory_print("http://%s", text);
    struct url url;
    bool good = strpbrk(text, "@/?#") == NULL &&
                url_parse(span_of(url_text), &url) && url.port != 0;
    free(url_text);
    return good;
}

/* RFC 7230, 3.2.6. */
static bool is_token(struct span text) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (!isascii(c) || (!isalnum(c) && strchr(marks, c) == NULL))
            return false;
    }
    return text.len > 0;
}

/* RFC 6455, 4.1: tokens, each once. */
static bool is_list_of_tokens(struct span list) {
    struct span word;
    size_t count = 0;
    for (; settings_next_word(&list, &word); count++)
        if (!is_token(word) || list_has(list, word))
            return false;
    return count > 0;
}

/* Headers have commas between them, lists in the settings have blanks. */
static bool check_protocols(char *text) {
    char *spaced = memory_print("%s", text);
    for (char *at = spaced; (at = strchr(at, ',')) != NULL;)
        *at = ' ';
    bool good = is_list_of_tokens(span_of(spaced)) &&
                strlen(text) <= SETTINGS_MAX_HEADER_BYTES;
    if (good)
        strcpy(text, spaced);
    free(spaced);
    return good;
}

/* RFC 6454, 7.1: `null`, or what an address has up to its path. */
static bool check_origin(const char *text) {
    struct url url;
    if (strcmp(text, "null") == 0)
        return true;
    const char *authority = strstr(text, "://");
    return authority != NULL && strpbrk(authority + 3, "/?#@") == NULL &&
           url_parse(span_of(text), &url) &&
           strlen(text) <= SETTINGS_MAX_HEADER_BYTES;
}

/* Control characters could forge a header, a log line or a path. */
static bool has_controls(const char *text) {
    for (; *text != '\0'; text++)
        if (iscntrl((unsigned char)*text))
            return true;
    return false;
}

bool settings_check_value(const struct settings_rule *rule, char *text,
                          int64_t *number) {
    if (has_controls(text))
        return false;
    if (rule->kind == SETTINGS_WS_URLS || rule->kind == SETTINGS_HTTP_URL ||
        rule->kind == SETTINGS_REDIS_URL || rule->kind == SETTINGS_PROXY)
        url_lower_schemes(text);
    switch (rule->kind) {
    case SETTINGS_WS_URLS:
        return check_ws_urls(text);
    case SETTINGS_HTTP_URL:
        return check_http_url(text);
    case SETTINGS_REDIS_URL:
        return check_redis_url(text);
    case SETTINGS_SECONDS:
    case SETTINGS_PERCENT:
        return check_number(rule, text, 6, number);
    case SETTINGS_COUNT:
        return check_number(rule, text, 0, number);
    case SETTINGS_WORD:
    case SETTINGS_WORDS:
        return check_words(rule, text);
    case SETTINGS_ADDRESS:
        return check_address(text);
    case SETTINGS_TEXT:
        return text[strspn(text, " ")] != '\0';
    case SETTINGS_PROTOCOLS:
        return check_protocols(text);
    case SETTINGS_ORIGIN:
        return check_origin(text);
    case SETTINGS_PROXY:
        return proxy_check(text);
    case SETTINGS_PATH:
    case SETTINGS_KINDS:
        break;
    }
    return true;
}

char *settings_allowed(const struct settings_rule *rule) {
    static const char *const fixed[SETTINGS_KINDS] = {
        [SETTINGS_WS_URLS] = "ws:// or wss:// addresses, separated by spaces "
                             "and of different upstreams (a password, a "
                             "default port, upper case in a host tell none "
                             "apart)",
        [SETTINGS_HTTP_URL] = "an https:// or http:// address without a query",
        [SETTINGS_PATH] = "a path without control characters",
        [SETTINGS_ADDRESS] = "address:port",
        [SETTINGS_TEXT] = "one line of text",
        [SETTINGS_PROTOCOLS] = "names of subprotocols, separated by spaces or "
                               "commas, each once (letters, digits and "
                               "!#$%&'*+-.^_`|~)",
        [SETTINGS_ORIGIN] = "scheme://host, scheme://host:port or null",
        [SETTINGS_PROXY] = "http://[user:password@]host:port, or none",
    };
    switch (rule->kind) {
    case SETTINGS_SECONDS:
        return memory_print("seconds from %g to %.0f, decimals allowed",
                            rule->lowest, rule->highest);
    case SETTINGS_PERCENT:
        return memory_print("percent from %g to %.0f, decimals allowed",
                            rule->lowest, rule->highest);
    case SETTINGS_COUNT:
        return memory_print("a whole number from %.0f to %.0f", rule->lowest,
                            rule->highest);
    case SETTINGS_WORD:
        return memory_print("one of: %s", rule->words);
    case SETTINGS_WORDS:
        return memory_print("a list of these, each once: %s", rule->words);
    case SETTINGS_REDIS_URL:
        return memory_print("%s", redis_url_forms);
    default:
        return memory_print("%s", fixed[rule->kind]);
    }
}

/* What is wrong with an address of an upstream by itself, or NULL. */
static char *ws_url_complaint(struct span text) {
    struct url url;
    if (!url_parse(text, &url))
        return url_complaint(text);
    if (!is_scheme(&url, "ws wss"))
        return memory_print("its scheme is neither ws nor wss");
    return path_is_too_long(&url)
               ? memory_print("path and query are longer than %d bytes",
                              MAX_WS_PATH_BYTES)
               : NULL;
}

/* The first address of the list that is none, by its number from 1. */
static char *list_complaint(struct span list) {
    struct span word;
    for (size_t number = 1; settings_next_word(&list, &word); number++) {
        char *why = ws_url_complaint(word);
        if (why == NULL)
            continue;
        char *complaint = memory_print("in address %zu, %s", number, why);
        free(why);
        return complaint;
    }
    return NULL;
}

char *settings_complaint(const struct settings_rule *rule, const char *text) {
    if (has_controls(text))
        return memory_print("it has a control character");
    switch (rule->kind) {
    case SETTINGS_WS_URLS:
        return list_complaint(span_of(text));
    case SETTINGS_HTTP_URL:
        return url_complaint(span_of(text));
    case SETTINGS_REDIS_URL:
        return redis_url_complaint(span_of(text));
    case SETTINGS_PROXY:
        return proxy_complaint(text);
    default:
        return NULL;
    }
}

static void check_heartbeat(struct settings *s) {
    const enum setting timeout = SETTING_HEARTBEAT_TIMEOUT_SECONDS;
    const enum setting interval = SETTING_HEARTBEAT_INTERVAL_SECONDS;
    if (settings_is_good(s, timeout) && settings_is_good(s, interval) &&
        settings_duration(s, timeout).usec <=
            settings_duration(s, interval).usec)
        settings_add_fault(s, memory_print("%s=%s: must be larger than %s (%s)",
                                           settings_name(timeout),
                                           settings_text(s, timeout),
                                           settings_name(interval),
                                           settings_text(s, interval)));
}

/* A provider that is named needs its key or its file. */
static void check_providers(struct settings *s, enum setting which) {
#define PROVIDER(id, ID, need) {#id, need},
    static const struct {
        const char *provider;
        enum setting needed; /* SETTINGS: none */
    } needs[] = {
#include "common/rates/providers.def"
    };
#undef PROVIDER
    if (!settings_is_good(s, which))
        return;
    const char *providers = settings_text(s, which);
    struct span list = span_of(providers), word;
    while (settings_next_word(&list, &word))
        for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
            if (span_equals(word, needs[i].provider) &&
                needs[i].needed != SETTINGS &&
                settings_text(s, needs[i].needed) == NULL)
                settings_add_fault(
                    s, memory_print("%s=%s: %s needs %s", settings_name(which),
                                    providers, needs[i].provider,
                                    settings_name(needs[i].needed)));
}

/* Who reads along could change the rates. */
static void check_encrypted(struct settings *s) {
    for (int i = 0; i < SETTINGS; i++) {
        const char *text = settings_text(s, (enum setting)i);
        if (settings_is_good(s, (enum setting)i) &&
            i != SETTING_REQUESTS_WS_URL && i != SETTING_WS_ORIGIN &&
            i != SETTING_PROVIDER_PROXY && i != SETTING_WS_PROXY &&
            strncmp(text, "http://", 7) == 0)
            settings_add_warning(
                s, memory_print("%s: http:// is not encrypted; whoever is on "
                                "the way can change the rates",
                                settings_name((enum setting)i)));
    }
}

/* Each call to the old one would fail. */
static void check_moved(struct settings *s) {
    for (int i = 0; i < SETTINGS; i++) {
        const char *to = settings_is_good(s, (enum setting)i)
                             ? settings_moved((enum setting)i,
                                              settings_text(s, (enum setting)i))
                             : NULL;
        if (to != NULL)
            settings_add_warning(
                s, memory_print("%s: this address does not serve any more, it "
                                "is %s now",
                                settings_name((enum setting)i), to));
    }
}

/* A name that begins like such an address may stand for any other. */
static bool is_loopback(struct span host) {
    char name[INET6_ADDRSTRLEN];
    struct in_addr four;
    struct in6_addr six;
    if (span_equals(host, "localhost"))
        return true;
    if (host.len >= sizeof name)
        return false;
    memcpy(name, host.data, host.len);
    name[host.len] = '\0';
    return (inet_pton(AF_INET, name, &four) == 1 &&
            ntohl(four.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET) ||
           (inet_pton(AF_INET6, name, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

/* What is told there is for the machine's own users, unless it is asked for. */
static void check_status_listen(struct settings *s) {
    struct url url;
    if (!settings_is_good(s, SETTING_STATUS_LISTEN) ||
        settings_is(s, SETTING_STATUS_LISTEN_PUBLIC, "yes"))
        return;
    const char *address = settings_text(s, SETTING_STATUS_LISTEN);
    char *text = memory_print("http://%s", address);
    if (url_parse(span_of(text), &url) && !is_loopback(url.host))
        settings_add_fault(
            s, memory_print("STATUS_LISTEN=%s: others reach this address; with "
                            "STATUS_LISTEN_PUBLIC=yes they may",
                            address));
    free(text);
}

void settings_check_rules(struct settings *settings,
                          enum settings_reader readers) {
    if ((readers & SETTINGS_WSCLIENT) != 0) {
        check_heartbeat(settings);
        pem_files_check_anchor(settings, SETTING_WS_CA_FILE);
        pem_files_check_pair(settings, SETTING_WS_CERT_FILE,
                             SETTING_WS_KEY_FILE);
    }
    if ((readers & SETTINGS_MONITOR) != 0)
        check_status_listen(settings);
    if ((readers & SETTINGS_RATEFETCHER) != 0) {
        check_providers(settings, SETTING_RATE_PROVIDERS);
        check_providers(settings, SETTING_RATES_CROSSCHECK);
        check_encrypted(settings);
        check_moved(settings);
        pem_files_check_anchor(settings, SETTING_HTTP_CA_FILE);
        pem_files_check_pair(settings, SETTING_HTTP_CERT_FILE,
                             SETTING_HTTP_KEY_FILE);
        pem_files_check_anchor(settings, SETTING_REDIS_CA_FILE);
    }
}
