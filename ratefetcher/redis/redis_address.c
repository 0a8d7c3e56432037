#include "ratefetcher/redis/redis_address.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/settings/redis_url.h"
#include "common/settings/url.h"

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

static char *host_label(const struct redis_host *host) {
    bool ipv6 = strchr(host->name, ':') != NULL;
    return memory_print("%s%s%s:%u", ipv6 ? "[" : "", host->name,
                        ipv6 ? "]" : "", host->port);
}

static struct redis_host read_host(const struct redis_url_host *host,
                                   uint16_t default_port) {
    return (struct redis_host){memory_copy(host->name.data, host->name.len),
                               host->port != 0 ? host->port : default_port};
}

static void read_sentinels(const struct redis_url *url,
                           struct redis_address *out) {
    char *label = memory_copy("", 0);
    out->master = url_unescape(url->master);
    out->sentinel_count = url->host_count;
    out->sentinels = memory_new(url->host_count * sizeof *out->sentinels);
    for (size_t i = 0; i < url->host_count; i++) {
        out->sentinels[i] = read_host(&url->hosts[i], REDIS_URL_SENTINEL_PORT);
        char *one = host_label(&out->sentinels[i]);
        char *longer = memory_print("%s%s%s", label, i > 0 ? "," : "", one);
        free(one);
        free(label);
        label = longer;
    }
    out->label = memory_print("%s/%s", label, out->master);
    free(label);
}

void redis_address_read(const char *text, struct redis_address *out) {
    struct redis_url url;
    if (!redis_url_parse(span_of(text), &url))
        abort(); /* the settings have checked it */
    *out = (struct redis_address){
        .tls = url.tls,
        .database = text_or_null(url.database),
        .path = text_or_null(url.path),
    };
    read_user_info(url.user_info, out);
    if (out->path != NULL) {
        out->label = memory_copy(out->path, strlen(out->path));
    } else if (url.master.len > 0) {
        read_sentinels(&url, out);
    } else {
        out->host = read_host(&url.hosts[0], REDIS_URL_DEFAULT_PORT);
        out->label = host_label(&out->host);
    }
}

void redis_address_set_host(struct redis_address *address, const char *name,
                            uint16_t port) {
    free(address->host.name);
    address->host = (struct redis_host){memory_copy(name, strlen(name)), port};
}

void redis_address_clear(struct redis_address *address) {
    if (address->password != NULL)
        explicit_bzero(address->password, strlen(address->password));
    for (size_t i = 0; i < address->sentinel_count; i++)
        free(address->sentinels[i].name);
    free(address->sentinels);
    free(address->path);
    free(address->host.name);
    free(address->master);
    free(address->user);
    free(address->password);
    free(address->database);
    free(address->label);
    *address = (struct redis_address){0};
}
