#include "wsclient/tcp.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

size_t tcp_input_bytes(struct lws *wsi) {
    int bytes = 0;
    if (ioctl(lws_get_socket_fd(wsi), FIONREAD, &bytes) < 0 || bytes < 0)
        return 0;
    return (size_t)bytes;
}

static bool acknowledged(int fd, uint64_t *bytes) {
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return false;
    *bytes = info.tcpi_bytes_acked;
    return true;
}

/*
 * Two calls, between which an acknowledgement may come. Read in this order,
 * more seems to be written then than was, never less: nothing is taken for
 * acknowledged too early.
 */
bool tcp_count(int fd, struct tcp_bytes *bytes) {
    int queued = 0;
    if (ioctl(fd, SIOCOUTQ, &queued) < 0 ||
        !acknowledged(fd, &bytes->acknowledged))
        return false;
    bytes->written = bytes->acknowledged + (uint64_t)queued;
    return true;
}
