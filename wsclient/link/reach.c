#include "wsclient/link/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What a peer can send of requests while we are at work on others. */
enum { RECEIVE_AHEAD_BYTES = 393216 };

void reach_init(struct reach *reach, reach_done *done, void *arg) {
    *reach = (struct reach){.done = done, .arg = arg, .fd = -1, .place_fd = -1};
}

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void reach_leave(struct reach *reach) {
    fd_watch_stop(&reach->watch);
    close_fd(&reach->fd);
    close_fd(&reach->place_fd);
    reach->connected = false;
}

static void on_ready(void *arg) {
    struct reach *r = arg;
    int error = 0;
    socklen_t len = sizeof error;
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof peer;
    if (r->fd < 0)
        return;
    getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error == 0 &&
        getpeername(r->fd, (struct sockaddr *)&peer, &peer_len) < 0) {
        fd_watch_for_writing(&r->watch); /* not yet */
        return;
    }
    fd_watch_stop(&r->watch);
    if (error != 0)
        reach_leave(r);
    else
        r->connected = true;
    r->done(r->arg, error);
}

static socklen_t make_address(const char *text, uint16_t port,
                              struct sockaddr_storage *out) {
    struct sockaddr_in *four = (struct sockaddr_in *)out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return sizeof *four;
    }
    inet_pton(AF_INET6, text, &six->sin6_addr);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    return sizeof *six;
}

/*
 * The kernel makes its buffer longer where it is read in long pieces; ours are
 * too short for that, so that a peer could send no more than two of them ahead.
 * It makes it as long as a mark for waking needs (tcp_set_rcvlowat()), and goes
 * on from there, which it would not with SO_RCVBUF.
 */
static void make_room_to_receive(int fd) {
    int mark = RECEIVE_AHEAD_BYTES, none = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark) == 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &none, sizeof none);
}

/* As libwebsockets makes them. */
static int open_socket(int family) {
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    make_room_to_receive(fd);
    return fd;
}

int reach_begin(struct reach *reach, struct lws_context *context,
                const char *address, uint16_t port) {
    struct sockaddr_storage to;
    socklen_t len = make_address(address, port, &to);
    reach_leave(reach);
    reach->fd = open_socket(to.ss_family);
    if (reach->fd >= 0 &&
        (connect(reach->fd, (struct sockaddr *)&to, len) == 0 ||
         errno == EINPROGRESS) &&
        fd_watch_start(&reach->watch, context, reach->fd, on_ready, reach) ==
            0) {
        fd_watch_for_writing(&reach->watch);
        return 0;
    }
    int error = errno != 0 ? errno : ENOBUFS;
    reach_leave(reach);
    return error;
}

/* The kernel makes up a name, which is in no folder. */
bool reach_place(struct reach *reach, char address[REACH_PLACE_SIZE]) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t len = sizeof name.sun_family;
    reach->place_fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (reach->place_fd < 0 ||
        bind(reach->place_fd, (struct sockaddr *)&name, len) < 0 ||
        listen(reach->place_fd, 1) < 0)
        return false;
    len = sizeof name;
    if (getsockname(reach->place_fd, (struct sockaddr *)&name, &len) < 0)
        return false;
    int name_len =
        (int)(len - offsetof(struct sockaddr_un, sun_path)) - (int)sizeof(char);
    snprintf(address, REACH_PLACE_SIZE, "+@%.*s", name_len, name.sun_path + 1);
    return true;
}

bool reach_give(struct reach *reach, struct lws *wsi) {
    if (reach->fd < 0)
        return true; /* none is wanted */
    bool good = dup3(reach->fd, lws_get_socket_fd(wsi), O_CLOEXEC) >= 0;
    reach_leave(reach);
    return good;
}

bool reach_is_waiting(const struct reach *reach) {
    return reach->fd >= 0 && !reach->connected;
}
