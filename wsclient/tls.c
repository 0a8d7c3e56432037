#include "wsclient/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static void (*listener)(const char *why);

/* A fatal alert of the peer, or the end of our own side of the handshake. */
static void on_info(const SSL *ssl, int where, int value) {
    (void)ssl;
    unsigned long error = ERR_peek_last_error();
    if (where == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
        listener(SSL_alert_desc_string_long(value));
    else if (where == SSL_CB_CONNECT_EXIT && value <= 0 && error != 0)
        listener(ERR_reason_error_string(error));
}

void tls_listen(SSL_CTX *context, void (*said)(const char *why)) {
    listener = said;
    SSL_CTX_set_info_callback(context, on_info);
}

bool tls_is_for_address(struct lws *wsi, const char *address) {
    X509 *certificate = SSL_get1_peer_certificate(lws_get_ssl(wsi));
    bool good =
        certificate != NULL && X509_check_ip_asc(certificate, address, 0) == 1;
    X509_free(certificate);
    return good;
}
