/*
 * What libwebsockets and OpenSSL tell by callbacks that have no argument, of
 * the process's one connection: their reasons.
 */
#ifndef FXWIRE_WSCLIENT_LINK_HEARSAY_H
#define FXWIRE_WSCLIENT_LINK_HEARSAY_H

#include <openssl/ssl.h>

/* An attempt begins: what was heard of the last one is forgotten. */
void hearsay_begin(void);

/* Why TLS failed, for people, lent; NULL: it has not. */
const char *hearsay_tls_error(void);

/* What is known already stands: it is nearer to the cause. NULL says nothing.
 */
void hearsay_keep_tls_error(const char *why);

/* What of the handshake's answer is too much, for people; NULL: nothing. */
const char *hearsay_too_much(void);

/*
 * What the library complained of in its log since it was forgotten; lent, and
 * a text that says nothing more than that the protocol was broken if there was
 * no line.
 */
const char *hearsay_complaint(void);
void hearsay_forget_complaint(void);

/* For lws_set_log_level() and for the clients' TLS context. */
void hearsay_hear_library(const char *line);
void hearsay_hear_tls(SSL_CTX *context);

#endif
