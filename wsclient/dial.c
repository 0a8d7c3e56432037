#include "wsclient/dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wsclient/tls.h"

/* Of HTTP: the upgrade was agreed to, and went wrong all the same. */
enum { HTTP_SWITCHING = 101, MAX_RETRY_AFTER_SECONDS = 86400 };

static void next_address(struct dial *d);

static void kill_wsi(struct lws *wsi) {
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    if (wsi == NULL)
        return;
    setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_LINGER, &hard,
               sizeof hard);
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void dial_init(struct dial *dial) {
    dial->resolver = resolver_new(dial->context, dial->upstream->host);
}

void dial_clear(struct dial *dial) {
    lws_sul_cancel(&dial->turn);
    if (dial->resolver != NULL)
        resolver_free(&dial->resolver);
}

/* The present address had its time, or has failed. */
static void on_turn(lws_sorted_usec_list_t *turn) {
    struct dial *d = lws_container_of(turn, struct dial, turn);
    struct lws *wsi = d->wsi;
    d->wsi = NULL;
    d->number++;
    kill_wsi(wsi);
    next_address(d);
}

/*
 * This address does not serve. Another may, if this one was not even reached;
 * it is tried from the loop, as the library can not connect in a callback.
 */
static void address_failed(struct dial *d, const struct dial_failure *failure,
                           bool unreached) {
    d->wsi = NULL;
    d->number++;
    if (unreached && d->next < d->addresses.count)
        lws_sul_schedule(d->context, 0, &d->turn, on_turn, 1);
    else
        d->failed(d->arg, failure);
}

static void next_address(struct dial *d) {
    const struct upstream *upstream = d->upstream;
    struct lws_client_connect_info info = {
        .context = d->context,
        .address = d->addresses.text[d->next++],
        .port = upstream->port,
        .path = upstream->path,
        .host = upstream->host_header,
        .local_protocol_name = d->protocol,
        .ssl_connection =
            LCCSCF_HTTP_NO_FOLLOW_REDIRECT |
            (upstream->tls ? LCCSCF_USE_SSL : 0) |
            /* the address is checked in dial_check_peer() */
            (upstream->ipv6 ? LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK : 0),
        .alpn = "http/1.1", /* WebSocket over HTTP/2 is not spoken */
        .opaque_user_data = (void *)++d->number,
    };
    uintptr_t number = d->number;
    size_t left = d->addresses.count - d->next;
    int64_t time_left = monotime_between(clock_monotonic(), d->end).usec;
    d->tls_error[0] = '\0';
    d->retry_after_usec = 0;
    if (left > 0)
        lws_sul_schedule(d->context, 0, &d->turn, on_turn,
                         time_left / (int64_t)(left + 1));
    struct lws *wsi = lws_client_connect_via_info(&info);
    if (d->number != number)
        return; /* it has failed already */
    d->wsi = wsi;
    if (wsi == NULL)
        address_failed(
            d, &(struct dial_failure){.detail = "it could not be begun"}, true);
}

static void on_addresses(void *arg, const struct addresses *addresses,
                         const char *why) {
    struct dial *d = arg;
    char detail[128];
    d->addresses = *addresses;
    if (addresses->count > 0) {
        next_address(d);
        return;
    }
    snprintf(detail, sizeof detail, "name look-up: %s", why);
    d->failed(d->arg, &(struct dial_failure){.detail = detail});
}

void dial_begin(struct dial *dial, int64_t usec) {
    dial->addresses.count = 0;
    dial->next = 0;
    dial->end = monotime_add(clock_monotonic(), (duration){usec});
    resolver_ask(dial->resolver, on_addresses, dial);
}

bool dial_owns(const struct dial *dial, struct lws *wsi) {
    return lws_get_opaque_user_data(wsi) == (void *)dial->number;
}

void dial_established(struct dial *dial, struct lws *wsi) {
    lws_sul_cancel(&dial->turn);
    dial->wsi = wsi;
}

/* Only the form in seconds; the other, a date, would trust two clocks. */
void dial_answered(struct dial *dial, struct lws *wsi) {
    char text[64];
    int len = lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_RETRY_AFTER);
    char *end = text;
    long seconds = len > 0 ? strtol(text, &end, 10) : 0;
    if (len <= 0 || *end != '\0' || seconds <= 0)
        return;
    if (seconds > MAX_RETRY_AFTER_SECONDS)
        seconds = MAX_RETRY_AFTER_SECONDS;
    dial->retry_after_usec = seconds * USEC_PER_SEC;
}

void dial_error(struct dial *dial, struct lws *wsi, const char *text) {
    struct dial_failure failure = {.status = lws_http_client_http_response(wsi),
                                   .retry_after_usec = dial->retry_after_usec};
    bool tls_failed = dial->tls_error[0] != '\0';
    char detail[256];
    if (tls_failed) /* says more than the library's text */
        snprintf(detail, sizeof detail, "TLS: %s", dial->tls_error);
    else if (failure.status != 0 && failure.status != HTTP_SWITCHING)
        snprintf(detail, sizeof detail, "status %u", failure.status);
    else
        snprintf(detail, sizeof detail, "%s",
                 text != NULL ? text : "no reason given");
    failure.detail = detail;
    address_failed(dial, &failure, failure.status == 0 && !tls_failed);
}

void dial_given_up(struct dial *dial) {
    address_failed(
        dial,
        &(struct dial_failure){.detail = "the handshake was not answered"},
        false);
}

void dial_leave(struct dial *dial, bool hard) {
    struct lws *wsi = dial->wsi;
    dial->wsi = NULL;
    dial->number++;
    lws_sul_cancel(&dial->turn);
    resolver_cancel(dial->resolver);
    if (hard)
        kill_wsi(wsi);
}

void dial_library_said(struct dial *dial, struct span line) {
    static const char of_tls[] = "SSL error: ";
    if (line.len <= sizeof of_tls ||
        memcmp(line.data, of_tls, sizeof of_tls - 1) != 0)
        return;
    line = span_from(line, sizeof of_tls - 1);
    const char *numbers = memmem(line.data, line.len, " (preverify_ok", 14);
    size_t len = numbers != NULL ? (size_t)(numbers - line.data) : line.len;
    snprintf(dial->tls_error, sizeof dial->tls_error, "%.*s", (int)len,
             line.data);
}

void dial_tls_said(struct dial *dial, const char *why) {
    if (dial->tls_error[0] == '\0' && why != NULL)
        snprintf(dial->tls_error, sizeof dial->tls_error, "%s", why);
}

bool dial_check_peer(struct dial *dial, struct lws *wsi) {
    const struct upstream *upstream = dial->upstream;
    if (!upstream->tls || !upstream->ipv6 ||
        tls_is_for_address(wsi, upstream->host))
        return true;
    dial_tls_said(dial, "IP address mismatch");
    return false;
}
