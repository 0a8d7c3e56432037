#include "ratefetcher/redis/redis_stream.h"

#include <arpa/inet.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/memory.h"

struct redis_streams {
    struct event_base *base;
    SSL_CTX *tls; /* NULL: none */
};

static SSL_CTX *tls_new(const char *ca_file) {
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (tls == NULL || SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1)
        abort(); /* no memory */
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    (void)(ca_file != NULL ? SSL_CTX_load_verify_file(tls, ca_file)
                           : SSL_CTX_set_default_verify_paths(tls));
    ERR_clear_error();
    return tls;
}

struct redis_streams *redis_streams_new(struct event_base *base, bool tls,
                                        const char *ca_file) {
    struct redis_streams *streams = memory_new(sizeof *streams);
    streams->base = base;
    streams->tls = tls ? tls_new(ca_file) : NULL;
    return streams;
}

void redis_streams_free(struct redis_streams **streams) {
    SSL_CTX_free((*streams)->tls);
    free(*streams);
    *streams = NULL;
}

struct event_base *redis_streams_base(const struct redis_streams *streams) {
    return streams->base;
}

static bool is_numeric(const char *host) {
    struct in6_addr address;
    return inet_pton(strchr(host, ':') != NULL ? AF_INET6 : AF_INET, host,
                     &address) == 1;
}

/* RFC 6066, 3: an address is no server name. */
static SSL *session_new(SSL_CTX *tls, const char *host) {
    SSL *ssl = SSL_new(tls);
    bool good = ssl != NULL;
    if (good && is_numeric(host))
        good = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    else if (good)
        good = SSL_set1_host(ssl, host) == 1 &&
               SSL_set_tlsext_host_name(ssl, host) == 1;
    if (!good)
        abort(); /* no memory */
    return ssl;
}

struct bufferevent *redis_stream_new(struct redis_streams *streams,
                                     const char *host) {
    struct bufferevent *stream;
    if (streams->tls == NULL || host == NULL)
        return bufferevent_socket_new(streams->base, -1, BEV_OPT_CLOSE_ON_FREE);
    stream = bufferevent_openssl_socket_new(
        streams->base, -1, session_new(streams->tls, host),
        BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
    /* Redis closes without close_notify: RFC 8446, 6.1 lets replies end so,
     * since each of them tells its own length. */
    bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
    return stream;
}

const char *redis_stream_why(struct bufferevent *stream, size_t size,
                             char *out) {
    SSL *ssl = bufferevent_openssl_get_ssl(stream);
    long verdict = ssl != NULL ? SSL_get_verify_result(ssl) : X509_V_OK;
    const char *reason =
        ssl != NULL
            ? ERR_reason_error_string(bufferevent_get_openssl_error(stream))
            : NULL;
    if (verdict != X509_V_OK)
        snprintf(out, size, "its certificate is refused: %s",
                 X509_verify_cert_error_string(verdict));
    else if (reason != NULL)
        snprintf(out, size, "TLS: %s", reason);
    else if (EVUTIL_SOCKET_ERROR() != 0)
        return evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR());
    else
        return "the TLS handshake failed";
    return out;
}
