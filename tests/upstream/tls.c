#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

enum { TLS_SIZE_MAX = 1 << 20 };

static SSL_CTX *tls_complain(SSL_CTX *context, const char *program,
                             const char *path) {
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    fprintf(stderr, "%s: %s: %s\n", program, path, why ? why : "no use");
    SSL_CTX_free(context);
    ERR_clear_error();
    return NULL;
}

SSL_CTX *tls_open(const char *program, const char *certificate,
                  const char *key) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
        return tls_complain(context, program, "TLS");
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        return tls_complain(context, program, certificate);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return tls_complain(context, program, key);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

SSL *tls_accept(SSL_CTX *context, int fd) {
    SSL *tls = SSL_new(context);
    if (!tls || SSL_set_fd(tls, fd) != 1) {
        fputs("mock-upstream: no memory for TLS\n", stderr);
        exit(70);
    }
    SSL_set_accept_state(tls);
    return tls;
}

/* What recv() or send() would have given. */
static ssize_t tls_result(SSL *tls, int done) {
    int error = errno, kind = SSL_get_error(tls, done);
    ERR_clear_error();
    if (done > 0 || kind == SSL_ERROR_ZERO_RETURN)
        return done > 0 ? done : 0;
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        errno = EAGAIN;
    else
        errno = kind == SSL_ERROR_SYSCALL && error != 0 ? error : EPROTO;
    return -1;
}

ssize_t tls_recv(SSL *tls, void *room, size_t size) {
    errno = 0;
    return tls_result(
        tls,
        SSL_read(tls, room, (int)(size < TLS_SIZE_MAX ? size : TLS_SIZE_MAX)));
}

ssize_t tls_send(SSL *tls, const void *bytes, size_t len) {
    errno = 0;
    return tls_result(
        tls,
        SSL_write(tls, bytes, (int)(len < TLS_SIZE_MAX ? len : TLS_SIZE_MAX)));
}
