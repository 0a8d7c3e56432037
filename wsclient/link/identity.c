#include "wsclient/link/identity.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

static SSL_CTX *tls;
static const char *certificate_file, *key_file; /* NULL: there is none */

/* Nobody is there to be asked for a password. */
static int no_password(char *out, int size, int for_writing, void *arg) {
    (void)out, (void)size, (void)for_writing, (void)arg;
    return -1;
}

void identity_init(SSL_CTX *context, const struct settings *settings) {
    tls = context;
    certificate_file = settings_text(settings, SETTING_WS_CERT_FILE);
    key_file = settings_text(settings, SETTING_WS_KEY_FILE);
    SSL_CTX_set_default_passwd_cb(tls, no_password);
}

static const char *complain(enum setting which) {
    static char text[160];
    unsigned long error = ERR_peek_error();
    const char *why = ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error))
                                              : ERR_reason_error_string(error);
    snprintf(text, sizeof text, "%s: %s", settings_name(which),
             why != NULL ? why : "it does not serve");
    ERR_clear_error();
    return text;
}

const char *identity_load(void) {
    if (tls == NULL || certificate_file == NULL)
        return NULL;
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(tls, certificate_file) != 1)
        return complain(SETTING_WS_CERT_FILE);
    if (SSL_CTX_use_PrivateKey_file(tls, key_file, SSL_FILETYPE_PEM) != 1)
        return complain(SETTING_WS_KEY_FILE);
    return NULL;
}
