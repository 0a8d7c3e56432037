/* TLS in the place of plain connections, for those who have a certificate. */
#ifndef UPSTREAM_TLS_H
#define UPSTREAM_TLS_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <sys/types.h>

/* Of files in PEM form, the certificate's with those that lead to it behind it.
 * NULL after saying on stderr, with the program's name before it, what is wrong
 * with them. Freed by SSL_CTX_free(). */
SSL_CTX *tls_open(const char *program, const char *certificate,
                  const char *key);

/* A session on a connected socket, which does not block. */
SSL *tls_accept(SSL_CTX *context, int fd);

/* As recv() and send() are on such a socket; an error of TLS is EPROTO. What
 * could not be sent has to be sent again, though it may stand elsewhere by
 * then, with no fewer bytes than before. */
ssize_t tls_recv(SSL *tls, void *room, size_t size);
ssize_t tls_send(SSL *tls, const void *bytes, size_t len);

#endif
