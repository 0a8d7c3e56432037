#include "wsclient/link/peer_end.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

const char *peer_end_of(struct lws *wsi) {
    const SSL *ssl = lws_get_ssl(wsi);
    struct tcp_info info = {.tcpi_state = TCP_CLOSE};
    socklen_t len = sizeof info;
    getsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_INFO, &info, &len);
    if (ssl != NULL && (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0)
        return "without a close frame";
    if (info.tcpi_state == TCP_CLOSE)
        return "cut off, without a close frame";
    return info.tcpi_state != TCP_ESTABLISHED ? "without a close frame" : NULL;
}
