#include "common/settings/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/memory.h"

static bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

/* The first character that is neither alphanumeric nor one of these, or NULL.
 */
static const char *first_other(struct span text, const char *others) {
    for (size_t i = 0; i < text.len; i++)
        if (!is_alnum(text.data[i]) &&
            memchr(others, text.data[i], strlen(others)) == NULL)
            return text.data + i;
    return NULL;
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

const char *url_take_host(struct span text, struct url *out) {
    static const char no_port[] = "its port must be from 1 to 65535";
    if (text.len > 0 && text.data[0] == '[') {
        text = span_from(text, 1);
        out->host = take_until(&text, "]");
        if (text.len == 0 || memchr(out->host.data, ':', out->host.len) == NULL)
            return "what stands in brackets must be an IPv6 address";
        text = span_from(text, 1);
    } else {
        out->host = take_until(&text, ":");
    }
    if (out->host.len == 0 || first_other(out->host, "-._:") != NULL)
        return "it must have a host (of letters, digits, - and .) behind ://, "
               "or behind the @ that ends user and password";
    if (text.len > 0 && text.data[0] != ':')
        return no_port;
    return text.len == 0 || take_port(span_from(text, 1), &out->port) ? NULL
                                                                      : no_port;
}

/* The last @ before the path ends user and password. */
static struct span take_user_info(struct span *authority) {
    const char *at = memrchr(authority->data, '@', authority->len);
    struct span user = {authority->data, 0};
    if (at == NULL)
        return user;
    user.len = (size_t)(at - authority->data);
    *authority = span_from(*authority, user.len + 1);
    return user;
}

/*
 * NULL, or why this is no address; `unescaped` is set to the character, if any,
 * that can not stand for itself where it is.
 */
static const char *parse(struct span text, struct url *out,
                         const char **unescaped) {
    *out = (struct url){0};
    *unescaped = NULL;
    _Static_assert(URL_MAX_BYTES == 8192, "as the text says");
    if (text.len > URL_MAX_BYTES)
        return "it is longer than 8192 bytes";
    out->scheme = take_until(&text, ":");
    if (out->scheme.len == 0 || first_other(out->scheme, "+") != NULL ||
        text.len < 3 || memcmp(text.data, "://", 3) != 0)
        return "it must begin with a scheme and ://";
    text = span_from(text, 3);
    struct span authority = take_until(&text, "/?#"), behind = text;
    out->user_info = take_user_info(&authority);
    out->path = take_until(&text, "?#");
    if (text.len > 0 && text.data[0] == '?') {
        text = span_from(text, 1);
        out->query = take_until(&text, "#");
    }
    if ((*unescaped = first_other(out->user_info, "-._~!$&'()*+,;=:%")) ||
        (*unescaped = first_other(out->path, "-._~!$&'()*+,;=:%@/")) ||
        (*unescaped = first_other(out->query, "-._~!$&'()*+,;=:%@/?")) ||
        (*unescaped = text.len > 0 ? text.data : NULL)) /* a fragment */
        return "it has a character that must be escaped";
    if (out->user_info.len > 0 &&
        memmem(out->user_info.data, out->user_info.len, "%00", 3) != NULL)
        return "user and password may have no %00";
    const char *why = url_take_host(authority, out);
    if (why != NULL && memchr(behind.data, '@', behind.len) != NULL)
        *unescaped = behind.data; /* what ends no host stands in a password */
    return why;
}

bool url_parse(struct span text, struct url *out) {
    const char *unescaped;
    return parse(text, out, &unescaped) == NULL;
}

char *url_must_be_escaped(struct span text, const char *character) {
    struct span rest = span_from(text, (size_t)(character - text.data));
    char escaped[16] = "";
    size_t len = 0;
    do /* all bytes of it, if it is none of ASCII */
        sprintf(escaped + 3 * len, "%%%02X", (unsigned char)rest.data[len]);
    while (++len < rest.len && len < 4 && (rest.data[0] & 0x80) != 0 &&
           (rest.data[len] & 0xC0) == 0x80);
    return memory_print("character %zu must be written as %s%s",
                        (size_t)(character - text.data) + 1, escaped,
                        *character == '#' ? " (it may have no fragment)" : "");
}

char *url_complaint(struct span text) {
    struct url url;
    const char *unescaped, *why = parse(text, &url, &unescaped);
    if (unescaped == NULL)
        return why != NULL ? memory_print("%s", why) : NULL;
    return url_must_be_escaped(text, unescaped);
}

void url_lower_schemes(char *list) {
    for (char *word = list; *(word += strspn(word, " \t")) != '\0';
         word += strcspn(word, " \t")) {
        char *end = word;
        while (is_alnum(*end) || *end == '+')
            end++;
        if (strncmp(end, "://", 3) != 0)
            continue;
        for (char *c = word; c < end; c++)
            *c = (char)tolower((unsigned char)*c);
    }
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
