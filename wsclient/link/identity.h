/* The certificate by which the upstream knows us, and its key. */
#ifndef FXWIRE_WSCLIENT_LINK_IDENTITY_H
#define FXWIRE_WSCLIENT_LINK_IDENTITY_H

#include <openssl/ssl.h>

#include "common/settings/settings.h"

/* For the process's one TLS context of clients; both are lent. */
void identity_init(SSL_CTX *context, const struct settings *settings);

/*
 * Reads the files anew, as they may have been replaced, for the connections
 * that are made from now on. Gives why they do not serve, for people, lent;
 * NULL: they do, or there are none.
 */
const char *identity_load(void);

#endif
