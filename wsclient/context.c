#include "wsclient/context.h"

#include "wsclient/fd_watch.h"
#include "wsclient/link/dial.h"
#include "wsclient/link/hearsay.h"
#include "wsclient/link/identity.h"
#include "wsclient/link/pings.h"

enum {
    /* A frame is handed over in pieces of so many bytes. */
    FRAME_PIECE_BYTES = 65536,
    /* So much can go out by one write. */
    WRITE_BYTES = 262144,
    /* So much is read at once: with more, the upstream waits for the answers
     * to all of it before it has any to work on. */
    READ_BYTES = 32768,
    MAX_DESCRIPTORS = 64
};

static lws_callback_function *upstream_callback;
static const struct settings *settings_in_force;

static void on_library_log(int level, const char *line) {
    if (level == LLL_INFO)
        pings_hear_library(line);
    else
        hearsay_hear_library(line);
}

/* The first of the protocols gets the library's own questions, too. */
static int on_upstream(struct lws *wsi, enum lws_callback_reasons reason,
                       void *user, void *in, size_t len) {
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS) {
        hearsay_hear_tls(user);
        identity_init(user, settings_in_force);
        return 0;
    }
    return upstream_callback(wsi, reason, user, in, len);
}

static const struct lws_protocols protocols[] = {
    {
        .name = CONTEXT_PROTOCOL,
        .callback = on_upstream,
        .rx_buffer_size = FRAME_PIECE_BYTES,
        .tx_packet_size = WRITE_BYTES,
    },
    {
        .name = FD_WATCH_PROTOCOL,
        .callback = fd_watch_callback,
    },
    {.name = NULL},
};

struct lws_context *context_new(const struct settings *settings,
                                lws_callback_function *on_upstream_event,
                                void *user) {
    /* The library's own checks of a connection are left to the heartbeats. */
    static const lws_retry_bo_t policy = {
        .secs_since_valid_ping = UINT16_MAX,
        .secs_since_valid_hangup = UINT16_MAX,
    };
    const char *ca_file = settings_text(settings, SETTING_WS_CA_FILE);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .user = user,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .fd_limit_per_thread = MAX_DESCRIPTORS,
        .pt_serv_buf_size = READ_BYTES,
        .max_http_header_data = DIAL_MAX_HEADER_BYTES,
        .timeout_secs = 5,
        .connect_timeout_secs = 5,
        .http_proxy_address = "", /* else $http_proxy is obeyed */
        .retry_and_idle_policy = &policy,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .ssl_client_options_set = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1,
        .client_ssl_ca_filepath = ca_file,
    };
    if (ca_file != NULL) /* it alone is trusted */
        info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
    upstream_callback = on_upstream_event;
    settings_in_force = settings;
    lws_set_log_level(LLL_ERR | LLL_WARN, on_library_log);
    return lws_create_context(&info);
}
