#include "wsclient/link/peer_end.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#define CUT "cut off, without a close frame"

/*
 * The numbers that a connection which stood can end by. If another call has
 * overwritten it: heartbeats end a link long before the kernel gives it up, so
 * it was reset.
 */
static const char *cut_by(int error) {
    static const struct {
        int error;
        const char *text;
    } reasons[] = {{ETIMEDOUT, CUT ": Connection timed out"},
                   {EHOSTUNREACH, CUT ": No route to host"},
                   {ENETUNREACH, CUT ": Network is unreachable"}};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].error == error)
            return reasons[i].text;
    return CUT ": Connection reset by peer";
}

const char *peer_end_of(struct lws *wsi) {
    int error = errno;
    const SSL *ssl = lws_get_ssl(wsi);
    struct tcp_info info = {.tcpi_state = TCP_CLOSE};
    socklen_t len = sizeof info;
    getsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_INFO, &info, &len);
    if (ssl != NULL && (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0)
        return "without a close frame";
    if (info.tcpi_state == TCP_CLOSE)
        return cut_by(error);
    return info.tcpi_state != TCP_ESTABLISHED ? "without a close frame" : NULL;
}
