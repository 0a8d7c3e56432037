#include "wsclient/upstream.h"

#include <inttypes.h>
#include <libwebsockets.h>
#include <openssl/sha.h>

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "common/settings/settings.h"
#include "common/settings/url.h"

/* The host, its brackets and its port as they stand in the address. */
static char *written_host(const struct url *url) {
    /* Behind the scheme and, if there is one, the @ of the user-info. */
    const char *start = url->scheme.data + url->scheme.len + 3;
    size_t authority_len = strcspn(start, "/?");
    const char *at = memrchr(start, '@', authority_len);
    if (at != NULL)
        start = at + 1;
    const char *end = start + strcspn(start, "/?");
    return memory_copy(start, (size_t)(end - start));
}

char *upstream_basic_authorization(struct span user_info) {
    char *plain = url_unescape(user_info);
    size_t len = strlen(plain), size = (len + 2) / 3 * 4 + 1;
    char *encoded = memory_new(size);
    lws_b64_encode_string(plain, (int)len, encoded, (int)size);
    char *value = memory_print("Basic %s", encoded);
    explicit_bzero(plain, len);
    explicit_bzero(encoded, size);
    free(plain);
    free(encoded);
    return value;
}

/*
 * A name for this upstream's file: a hash of what tells it from others. Not of
 * the password, which may change and must not be guessed from it.
 */
static char *ledger_name(const struct url *url) {
    char *identity = url_identity(url);
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)identity, strlen(identity), hash);
    memory_wipe(identity);
    uint64_t start;
    memcpy(&start, hash, sizeof start);
    return memory_print("ledger-%016" PRIx64, start);
}

void upstream_init(struct upstream *upstream, const char *address,
                   const char *authorization) {
    struct url url;
    if (!url_parse(span_of(address), &url))
        abort(); /* it was checked */
    uint16_t usual_port = url_default_port(&url);
    upstream->tls = span_equals(url.scheme, "wss");
    upstream->ipv6 = memchr(url.host.data, ':', url.host.len) != NULL;
    upstream->port = url.port != 0 ? url.port : usual_port;
    upstream->label = url_label(&url, usual_port);
    upstream->url = memory_print("%.*s://%s", (int)url.scheme.len,
                                 url.scheme.data, upstream->label);
    upstream->host = memory_copy(url.host.data, url.host.len);
    upstream->host_header = written_host(&url);
    upstream->authorization =
        authorization != NULL   ? memory_print("%s", authorization)
        : url.user_info.len > 0 ? upstream_basic_authorization(url.user_info)
                                : NULL;
    upstream->protocols = upstream->origin = NULL;
    upstream->ledger_name = ledger_name(&url);
    upstream->path = memory_print(
        "%.*s%s%.*s", url.path.len > 0 ? (int)url.path.len : 1,
        url.path.len > 0 ? url.path.data : "/", url.query.len > 0 ? "?" : "",
        (int)url.query.len, url.query.len > 0 ? url.query.data : "");
}

/* Words with commas between them. */
static char *comma_list(const char *words) {
    struct span list = span_of(words), word;
    char *text = NULL;
    while (settings_next_word(&list, &word)) {
        char *longer =
            memory_print("%s%s%.*s", text != NULL ? text : "",
                         text != NULL ? ", " : "", (int)word.len, word.data);
        free(text);
        text = longer;
    }
    return text;
}

void upstream_introduce(struct upstream *upstream, const char *protocols,
                        const char *origin) {
    upstream->protocols = protocols != NULL ? comma_list(protocols) : NULL;
    upstream->origin = origin != NULL ? memory_print("%s", origin) : NULL;
}

void upstream_clear(struct upstream *upstream) {
    free(upstream->protocols);
    free(upstream->origin);
    free(upstream->label);
    free(upstream->url);
    free(upstream->host);
    free(upstream->host_header);
    free(upstream->path);
    free(upstream->ledger_name);
    if (upstream->authorization != NULL)
        explicit_bzero(upstream->authorization,
                       strlen(upstream->authorization));
    free(upstream->authorization);
}
