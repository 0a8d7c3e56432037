#include "ratefetcher/redis_address.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/url.h"

enum { DEFAULT_PORT = 6379 };

static const char unix_scheme[] = "unix://";

/* The text without escapes, or NULL if it is empty. */
static char *text_or_null(struct span text) {
    return text.len > 0 ? url_unescape(text) : NULL;
}

static void read_user_info(struct span user_info, struct redis_address *out) {
    const char *colon =
        user_info.len > 0 ? memchr(user_info.data, ':', user_info.len) : NULL;
    struct span password = user_info;
    if (colon != NULL) {
        size_t user_len = (size_t)(colon - user_info.data);
        out->user = text_or_null((struct span){user_info.data, user_len});
        password = span_from(user_info, user_len + 1);
    }
    out->password = text_or_null(password);
}

static void read_unix(struct span rest, struct redis_address *out) {
    const char *query = memchr(rest.data, '?', rest.len);
    size_t path_len = query != NULL ? (size_t)(query - rest.data) : rest.len;
    out->path = url_unescape((struct span){rest.data, path_len});
    out->label = memory_copy(out->path, strlen(out->path));
    if (query != NULL)
        out->database =
            text_or_null(span_from(rest, path_len + sizeof "?db=" - 1));
}

void redis_address_read(const char *url, struct redis_address *out) {
    *out = (struct redis_address){0};
    struct span text = span_of(url);
    if (strncmp(url, unix_scheme, sizeof unix_scheme - 1) == 0) {
        read_unix(span_from(text, sizeof unix_scheme - 1), out);
        return;
    }
    struct url parts;
    (void)url_parse(text, &parts); /* the settings did it before */
    bool ipv6 = memchr(parts.host.data, ':', parts.host.len) != NULL;
    out->host = memory_copy(parts.host.data, parts.host.len);
    out->port = parts.port != 0 ? parts.port : DEFAULT_PORT;
    out->label = memory_print("%s%s%s:%u", ipv6 ? "[" : "", out->host,
                              ipv6 ? "]" : "", out->port);
    read_user_info(parts.user_info, out);
    if (parts.path.len > 1)
        out->database = text_or_null(span_from(parts.path, 1));
}

void redis_address_clear(struct redis_address *address) {
    if (address->password != NULL)
        explicit_bzero(address->password, strlen(address->password));
    free(address->path);
    free(address->host);
    free(address->user);
    free(address->password);
    free(address->database);
    free(address->label);
    *address = (struct redis_address){0};
}
