#include "common/settings/url.h"

#include <ctype.h>
#include <stdlib.h>

#include "common/memory.h"

static bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

static bool all_of(struct span text, const char *others) {
    for (size_t i = 0; i < text.len; i++)
        if (!is_alnum(text.data[i]) &&
            memchr(others, text.data[i], strlen(others)) == NULL)
            return false;
    return true;
}

/* Cuts `text` at the first of `separators` and gives what was before it. */
static struct span take_until(struct span *text, const char *separators) {
    size_t n = 0;
    while (n < text->len &&
           memchr(separators, text->data[n], strlen(separators)) == NULL)
        n++;
    struct span before = {text->data, n};
    *text = span_from(*text, n);
    return before;
}

static bool take_port(struct span text, uint16_t *port) {
    unsigned value = 0;
    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text.data[i] - '0');
    }
    *port = (uint16_t)value;
    return value >= 1 && value <= UINT16_MAX;
}

static bool take_host(struct span text, struct url *out) {
    if (text.len > 0 && text.data[0] == '[') {
        text = span_from(text, 1);
        out->host = take_until(&text, "]");
        if (text.len == 0 || memchr(out->host.data, ':', out->host.len) == NULL)
            return false;
        text = span_from(text, 1);
    } else {
        out->host = take_until(&text, ":");
    }
    if (out->host.len == 0 || !all_of(out->host, "-._:"))
        return false;
    if (text.len == 0)
        return true;
    return text.data[0] == ':' && take_port(span_from(text, 1), &out->port);
}

bool url_parse(struct span text, struct url *out) {
    *out = (struct url){0};
    if (text.len > URL_MAX_BYTES)
        return false;
    out->scheme = take_until(&text, ":");
    if (out->scheme.len == 0 || !all_of(out->scheme, "+") || text.len < 3 ||
        memcmp(text.data, "://", 3) != 0)
        return false;
    text = span_from(text, 3);
    struct span authority = take_until(&text, "/?#");
    for (size_t i = authority.len; i-- > 0;)
        if (authority.data[i] == '@') {
            out->user_info = (struct span){authority.data, i};
            authority = span_from(authority, i + 1);
            break;
        }
    out->path = take_until(&text, "?#");
    if (text.len > 0 && text.data[0] == '?') {
        text = span_from(text, 1);
        out->query = take_until(&text, "#");
    }
    return text.len == 0 && take_host(authority, out) &&
           all_of(out->user_info, "-._~!$&'()*+,;=:%") &&
           all_of(out->path, "-._~!$&'()*+,;=:%@/") &&
           all_of(out->query, "-._~!$&'()*+,;=:%@/?");
}

uint16_t url_default_port(const struct url *url) {
    if (span_equals(url->scheme, "ws") || span_equals(url->scheme, "http"))
        return 80;
    if (span_equals(url->scheme, "wss") || span_equals(url->scheme, "https"))
        return 443;
    return 0;
}

char *url_label(const struct url *url, uint16_t default_port) {
    bool ipv6 = memchr(url->host.data, ':', url->host.len) != NULL;
    return memory_print("%s%.*s%s:%u%.*s", ipv6 ? "[" : "", (int)url->host.len,
                        url->host.data, ipv6 ? "]" : "",
                        url->port != 0 ? url->port : default_port,
                        url->path.len > 0 ? (int)url->path.len : 1,
                        url->path.len > 0 ? url->path.data : "/");
}

char *url_identity(const struct url *url) {
    struct span user = url->user_info;
    char *host = memory_copy(url->host.data, url->host.len);
    for (char *c = host; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    struct url plain = *url;
    plain.host.data = host;
    char *label = url_label(&plain, url_default_port(url));
    char *identity = memory_print(
        "%.*s@%.*s://%s?%.*s", (int)take_until(&user, ":").len,
        url->user_info.data, (int)url->scheme.len, url->scheme.data, label,
        (int)url->query.len, url->query.data);
    free(label);
    free(host);
    return identity;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *url_unescape(struct span text) {
    char *plain = memory_new(text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int high = -1, low = -1;
        if (text.data[i] == '%' && i + 2 < text.len) {
            high = hex_value(text.data[i + 1]);
            low = hex_value(text.data[i + 2]);
        }
        bool escape = high >= 0 && low >= 0;
        plain[len++] = escape ? (char)(high * 16 + low) : text.data[i];
        i += escape ? 2 : 0;
    }
    return plain;
}
