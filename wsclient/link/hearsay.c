#include "wsclient/link/hearsay.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "wsclient/link/dial.h"

static_assert(DIAL_MAX_HEADER_BYTES == 32768, "as a text below says");

static struct {
    const char *too_much; /* NULL: nothing */
    char tls_error[160];  /* "": none */
    char complaint[160];  /* of the library, by its log; "": none */
} heard;

void hearsay_begin(void) {
    heard.tls_error[0] = '\0';
    heard.too_much = NULL;
}

const char *hearsay_tls_error(void) {
    return heard.tls_error[0] != '\0' ? heard.tls_error : NULL;
}

void hearsay_keep_tls_error(const char *why) {
    if (heard.tls_error[0] == '\0' && why != NULL)
        snprintf(heard.tls_error, sizeof heard.tls_error, "%s", why);
}

const char *hearsay_too_much(void) {
    return heard.too_much;
}

/* libwebsockets 4.2 and later begin a line by "[time] L: ", L for its level. */
static struct span without_stamp(struct span line) {
    bool stamped = line.len > 0 && line.data[0] == '[';
    const char *end = stamped ? memmem(line.data, line.len, "] ", 2) : NULL;
    size_t len = end != NULL ? (size_t)(end - line.data) + strlen("] L: ") : 0;
    return len <= line.len ? span_from(line, len) : line;
}

/* What of a handshake's answer is too much, as the library's log alone says. */
static const struct {
    const char *theirs, *ours;
} limits[] = {
    {"Ran out of header data space",
     "the headers of the handshake's answer are longer than 32768 bytes"},
    {"More hdr frags than we can deal with",
     "the handshake's answer has more headers than libwebsockets takes: some "
     "80 of those that it knows, such as Set-Cookie"},
};

void hearsay_hear_library(const char *line) {
    struct span text = without_stamp((struct span){line, strcspn(line, "\n")});
    log_debug(EVENT_LIBWEBSOCKETS, LOG_FIELDS(log_span("line", text)));
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (strstr(line, limits[i].theirs) != NULL)
            heard.too_much = limits[i].ours;
    snprintf(heard.complaint, sizeof heard.complaint, "%.*s", (int)text.len,
             text.data);
}

const char *hearsay_complaint(void) {
    return heard.complaint[0] != '\0' ? heard.complaint
                                      : "a frame breaks the protocol";
}

void hearsay_forget_complaint(void) {
    heard.complaint[0] = '\0';
}

/* OpenSSL 3.0 has no name for some of TLS 1.3's alerts, but a reason. */
static const char *alert_text(int value) {
    const char *text = SSL_alert_desc_string_long(value);
    int reason = SSL_AD_REASON_OFFSET + (value & 0xff);
    return strcmp(text, "unknown") != 0
               ? text
               : ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason));
}

/*
 * A fatal alert of the peer, or the end of our own side of the handshake. What
 * is wrong with the peer's certificate says more than that it was refused.
 */
static void on_tls_info(const SSL *ssl, int where, int value) {
    unsigned long error = ERR_peek_last_error();
    long verdict = SSL_get_verify_result(ssl);
    if (where == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
        hearsay_keep_tls_error(alert_text(value));
    else if (where == SSL_CB_CONNECT_EXIT && value <= 0 && verdict != X509_V_OK)
        hearsay_keep_tls_error(X509_verify_cert_error_string(verdict));
    else if (where == SSL_CB_CONNECT_EXIT && value <= 0 && error != 0)
        hearsay_keep_tls_error(ERR_reason_error_string(error));
}

void hearsay_hear_tls(SSL_CTX *context) {
    SSL_CTX_set_info_callback(context, on_tls_info);
}
