#include "wsclient/link/dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/memory.h"
#include "common/settings/url.h"
#include "wsclient/link/dial_texts.h"
#include "wsclient/link/hearsay.h"
#include "wsclient/link/identity.h"

/* Of HTTP: the upgrade was agreed to, and went wrong all the same. */
enum {
    HTTP_SWITCHING = 101,
    HTTP_OK = 200,
    HTTP_REDIRECTS = 300,
    HTTP_NO_REDIRECTS = 400,
    MAX_RETRY_AFTER_SECONDS = 86400
};

static void next_address(struct dial *d);
static void on_reached(void *arg, int error);
static void on_tunnel(void *arg, const char *why, unsigned status);

/* Of the proxy, if there is one; `more` may be "". */
static void describe_unreached(const struct dial *d, const char *why,
                               const char *more, char detail[DIAL_TEXT_SIZE]) {
    snprintf(detail, DIAL_TEXT_SIZE, "%s%s%s%s%s",
             d->proxy != NULL ? "proxy " : "",
             d->proxy != NULL ? d->proxy->label : "",
             d->proxy != NULL ? ": " : "", why, more);
}

/* The addresses are there, or the reason why not. */
static void use_addresses(struct dial *d, const char *why) {
    char detail[DIAL_TEXT_SIZE];
    if (!d->resolving)
        return; /* the attempt was left; the next one takes them */
    d->resolving = false;
    d->unused = false;
    if (d->known.count > 0) {
        next_address(d);
        return;
    }
    describe_unreached(d, "name look-up: ", why, detail);
    d->failed(d->arg, &(struct dial_failure){.detail = detail});
}

static void on_looked_up(void *arg) {
    struct dial *d = arg;
    struct addresses found;
    fd_watch_stop(&d->look_up_done);
    const char *why = resolve_take(&d->look_up, &found);
    if (why == NULL) {
        d->known = found;
        d->unused = true;
    }
    use_addresses(d, why);
}

static bool start_look_up(struct dial *d) {
    d->look_up =
        resolve_start(d->proxy != NULL ? d->proxy->host : d->upstream->host);
    if (d->look_up == NULL)
        return false;
    if (fd_watch_start(&d->look_up_done, d->context, resolve_fd(d->look_up),
                       on_looked_up, d) == 0)
        return true;
    resolve_abandon(&d->look_up);
    return false;
}

/* To the upstream, before libwebsockets has it. */
static void leave_way(struct dial *d) {
    tunnel_leave(&d->tunnel);
    reach_leave(&d->reach);
}

/* The addresses are known, or the present one had its time or has failed. */
static void on_turn(lws_sorted_usec_list_t *turn) {
    struct dial *d = lws_container_of(turn, struct dial, turn);
    if (d->resolving) {
        use_addresses(d, "no thread can be started");
        return;
    }
    struct lws *wsi = d->wsi;
    d->wsi = NULL;
    d->number++;
    leave_way(d);
    dial_reset(wsi);
    next_address(d);
}

/* From the loop, as the library can not connect in a callback. */
static void take_turn_soon(struct dial *d) {
    lws_sul_schedule(d->context, 0, &d->turn, on_turn, 1);
}

void dial_init(struct dial *dial, struct lws_context *context,
               const struct upstream *upstream, const struct settings *settings,
               const char *protocol, dial_failed *failed, void *arg) {
    *dial = (struct dial){
        .context = context,
        .upstream = upstream,
        .protocol = protocol,
        .number = 1, /* what is watched besides has 0 */
        .failed = failed,
        .arg = arg,
    };
    dial->proxy =
        proxy_new(settings, SETTING_WS_PROXY, span_of(upstream->host));
    reach_init(&dial->reach, on_reached, dial);
    if (dial->proxy != NULL)
        tunnel_init(&dial->tunnel, dial->proxy, upstream, on_tunnel, dial);
    dial->numeric = resolve_numeric(
        dial->proxy != NULL ? dial->proxy->host : upstream->host, &dial->known);
}

void dial_clear(struct dial *dial) {
    lws_sul_cancel(&dial->turn);
    fd_watch_stop(&dial->look_up_done);
    resolve_abandon(&dial->look_up);
    leave_way(dial);
    proxy_free(&dial->proxy);
}

void dial_begin(struct dial *dial, duration limit) {
    struct dial *d = dial;
    d->resolving = true;
    d->next = 0;
    d->end = monotime_add(clock_monotonic(), limit);
    if (d->numeric || d->unused || (d->look_up == NULL && !start_look_up(d)))
        take_turn_soon(d);
}

const char *dial_proxy(const struct dial *dial) {
    return dial->proxy != NULL ? dial->proxy->label : NULL;
}

void dial_stage(const struct dial *dial, char detail[DIAL_TEXT_SIZE]) {
    if (dial->resolving)
        snprintf(detail, DIAL_TEXT_SIZE, "the name look-up took too long");
    else if (reach_is_waiting(&dial->reach))
        describe_unreached(
            dial, "no connection could be made: ", strerror(ETIMEDOUT), detail);
    else if (dial->tunnel.fd >= 0)
        describe_unreached(dial, "it does not answer", "", detail);
    else
        snprintf(detail, DIAL_TEXT_SIZE, "the attempt took too long");
}

/* This address does not serve. Another may, if it was not even reached. */
static void address_failed(struct dial *d, const struct dial_failure *failure,
                           bool unreached) {
    d->wsi = NULL;
    d->number++;
    if (unreached && d->next < d->known.count)
        take_turn_soon(d);
    else
        d->failed(d->arg, failure);
}

/* If further ones are left, this one has its share of the time. */
static void limit_turn(struct dial *d) {
    size_t left = d->known.count - d->next;
    int64_t usec = monotime_between(clock_monotonic(), d->end).usec;
    if (left > 0)
        lws_sul_schedule(d->context, 0, &d->turn, on_turn,
                         usec / (int64_t)(left + 1));
}

static void connect_to(struct dial *d, const char *address) {
    const struct upstream *upstream = d->upstream;
    struct lws_client_connect_info info = {
        .context = d->context,
        .address = address,
        .port = upstream->port,
        .path = upstream->path,
        .host = upstream->host_header,
        .protocol = upstream->protocols,
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
    d->chosen[0] = '\0';
    hearsay_begin();
    d->retry_after = (duration){0};
    d->beginning = true;
    errno = 0;
    struct lws *wsi = lws_client_connect_via_info(&info);
    d->beginning = false;
    if (d->number != number)
        return; /* it has failed already */
    d->wsi = wsi;
    if (wsi == NULL)
        address_failed(
            d, &(struct dial_failure){.detail = "it could not be begun"}, true);
}

/* The way stands, over which libwebsockets may begin. */
static void take_way(struct dial *d) {
    char place[REACH_PLACE_SIZE];
    const char *why = d->upstream->tls ? identity_load() : NULL;
    if (why == NULL && !reach_place(&d->reach, place))
        why = "no socket could be made";
    if (why == NULL)
        connect_to(d, place);
    else
        address_failed(d, &(struct dial_failure){.detail = why}, false);
}

static void on_tunnel(void *arg, const char *why, unsigned status) {
    struct dial *d = arg;
    if (why == NULL) {
        take_way(d);
        return;
    }
    reach_leave(&d->reach);
    address_failed(
        d, &(struct dial_failure){.detail = why, .proxy_status = status},
        status == 0);
}

static void on_reached(void *arg, int error) {
    struct dial *d = arg;
    char detail[DIAL_TEXT_SIZE];
    if (error != 0) {
        describe_unreached(d, "no connection could be made: ", strerror(error),
                           detail);
        address_failed(d, &(struct dial_failure){.detail = detail}, true);
    } else if (d->proxy != NULL) {
        tunnel_begin(&d->tunnel, d->context, &d->reach);
    } else {
        take_way(d);
    }
}

static void next_address(struct dial *d) {
    const char *address = d->known.text[d->next++];
    limit_turn(d);
    int error =
        reach_begin(&d->reach, d->context, address,
                    d->proxy != NULL ? d->proxy->port : d->upstream->port);
    if (error != 0)
        on_reached(d, error);
}

bool dial_connected(struct dial *dial, struct lws *wsi) {
    return reach_give(&dial->reach, wsi);
}

bool dial_owns(const struct dial *dial, struct lws *wsi) {
    return lws_get_opaque_user_data(wsi) == (void *)dial->number;
}

void dial_agreed(struct dial *dial, struct lws *wsi) {
    if (lws_hdr_copy(wsi, dial->chosen, sizeof dial->chosen,
                     WSI_TOKEN_PROTOCOL) < 0)
        dial->chosen[0] = '\0';
}

void dial_succeeded(struct dial *dial) {
    lws_sul_cancel(&dial->turn);
    dial->wsi = NULL;
}

void dial_leave(struct dial *dial) {
    struct lws *wsi = dial->wsi;
    dial->wsi = NULL;
    dial->number++;
    dial->resolving = false;
    leave_way(dial);
    lws_sul_cancel(&dial->turn);
    dial_reset(wsi);
}

void dial_reset(struct lws *wsi) {
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    if (wsi == NULL)
        return;
    setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_LINGER, &hard,
               sizeof hard);
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
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
    dial->retry_after = SECONDS(seconds);
}

/*
 * The system's reason, where it can be known: of a connect() that failed at
 * once it is in errno, a reset is seen by the socket's state. 0: not known.
 */
static int reason_of(const struct dial *dial, struct lws *wsi) {
    struct tcp_info info;
    socklen_t len = sizeof info;
    int error = errno;
    if (dial->beginning)
        return error;
    if (getsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_INFO, &info,
                   &len) == 0 &&
        info.tcpi_state == TCP_CLOSE)
        return ECONNRESET;
    return 0;
}

/* The header that libwebsockets refuses for that alone; NULL: none. */
static const char *header_with_blanks(struct lws *wsi) {
    static const struct {
        enum lws_token_indexes token;
        const char *name;
    } strict[] = {{WSI_TOKEN_UPGRADE, "Upgrade"},
                  {WSI_TOKEN_ACCEPT, "Sec-WebSocket-Accept"}};
    for (size_t i = 0; i < sizeof strict / sizeof *strict; i++) {
        char value[128];
        int len = lws_hdr_copy(wsi, value, sizeof value, strict[i].token);
        if (len > 0 && (strchr(" \t", value[0]) != NULL ||
                        strchr(" \t", value[len - 1]) != NULL))
            return strict[i].name;
    }
    return NULL;
}

/* Where a redirect leads to, by host and path alone; "": nowhere. free() it. */
static char *place_of(struct lws *wsi) {
    char location[2048];
    struct url url;
    int len =
        lws_hdr_copy(wsi, location, sizeof location, WSI_TOKEN_HTTP_LOCATION);
    if (len <= 0)
        return memory_print("%s", "");
    location[strcspn(location, "#")] = '\0';
    if (url_parse(span_of(location), &url))
        return url_label(&url, url_default_port(&url));
    bool is_path = location[0] == '/' && location[1] != '/';
    location[strcspn(location, "?")] = '\0';
    return memory_print("%s", is_path ? location : "");
}

static void describe_status(struct lws *wsi, unsigned status,
                            char detail[DIAL_TEXT_SIZE]) {
    bool redirects = status >= HTTP_REDIRECTS && status < HTTP_NO_REDIRECTS;
    char *place = redirects ? place_of(wsi) : memory_print("%s", "");
    if (*place != '\0')
        snprintf(detail, DIAL_TEXT_SIZE,
                 "status %u: it redirects to %.128s, which is not followed: "
                 "see REQUESTS_WS_URL",
                 status, place);
    else
        snprintf(detail, DIAL_TEXT_SIZE, "status %u", status);
    free(place);
}

/* Why an attempt failed, as far as it is known, for people. */
static void describe(const struct dial *d, struct lws *wsi, unsigned status,
                     const char *text, char detail[DIAL_TEXT_SIZE]) {
    const char *header =
        status == HTTP_SWITCHING ? header_with_blanks(wsi) : NULL;
    if (hearsay_tls_error() != NULL) /* says more than the library's text */
        snprintf(detail, DIAL_TEXT_SIZE, "TLS: %s", hearsay_tls_error());
    else if (hearsay_too_much() != NULL)
        snprintf(detail, DIAL_TEXT_SIZE, "%s", hearsay_too_much());
    else if (header != NULL)
        snprintf(detail, DIAL_TEXT_SIZE,
                 "the handshake's answer has a blank or a tab around the value "
                 "of %s, which libwebsockets does not take",
                 header);
    else if (status == 0 || status == HTTP_SWITCHING)
        dial_text(text, reason_of(d, wsi), detail);
    else if (status < HTTP_OK)
        snprintf(detail, DIAL_TEXT_SIZE,
                 "an interim answer (status %u) came first, which "
                 "libwebsockets does not take",
                 status);
    else
        describe_status(wsi, status, detail);
}

void dial_error(struct dial *dial, struct lws *wsi, const char *text) {
    char detail[DIAL_TEXT_SIZE];
    struct dial_failure failure = {
        .detail = detail,
        .status = lws_http_client_http_response(wsi),
        .retry_after = dial->retry_after,
    };
    describe(dial, wsi, failure.status, text, detail);
    address_failed(dial, &failure,
                   failure.status == 0 && hearsay_tls_error() == NULL);
}

/* As TLS does that fails while the library is still asked to connect. */
void dial_given_up(struct dial *dial) {
    char detail[DIAL_TEXT_SIZE] = "the handshake was not answered";
    if (hearsay_tls_error() != NULL)
        snprintf(detail, sizeof detail, "TLS: %s", hearsay_tls_error());
    address_failed(dial, &(struct dial_failure){.detail = detail}, false);
}

static bool is_certificate_for(struct lws *wsi, const char *address) {
    X509 *certificate = SSL_get1_peer_certificate(lws_get_ssl(wsi));
    bool good =
        certificate != NULL && X509_check_ip_asc(certificate, address, 0) == 1;
    X509_free(certificate);
    return good;
}

/*
 * libwebsockets checks names and IPv4 addresses; an IPv6 one it cuts at its
 * first colon.
 */
static bool check_peer(struct dial *dial, struct lws *wsi) {
    const struct upstream *upstream = dial->upstream;
    if (!upstream->tls || !upstream->ipv6 ||
        is_certificate_for(wsi, upstream->host))
        return true;
    hearsay_keep_tls_error("IP address mismatch");
    return false;
}

/* `name` with its colon; false: there is no room. */
static bool add_header(struct lws *wsi, const char *name, const char *value,
                       unsigned char **at, unsigned char *end) {
    return value == NULL ||
           lws_add_http_header_by_name(wsi, (const unsigned char *)name,
                                       (const unsigned char *)value,
                                       (int)strlen(value), at, end) == 0;
}

bool dial_add_headers(struct dial *dial, struct lws *wsi, unsigned char **at,
                      size_t room) {
    const struct upstream *upstream = dial->upstream;
    unsigned char *end = *at + room;
    return check_peer(dial, wsi) &&
           add_header(wsi, "Origin:", upstream->origin, at, end) &&
           add_header(wsi, "Authorization:", upstream->authorization, at, end);
}
