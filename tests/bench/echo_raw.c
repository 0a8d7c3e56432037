/*
 * The cheapest client there can be: epoll, no library, no check, no guarantee.
 * All frames of one recv() come back masked in one send(). What it reaches is
 * what the load generator can do.
 *
 *     echo_raw PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 1 << 20, GULP = 1 << 18, MASKS = 1 << 16 };

static unsigned char in[ROOM], out[2 * ROOM];
static size_t in_len, out_len;
static unsigned char masks[MASKS];
static size_t masks_used = MASKS;

static int die(const char *what) {
    perror(what);
    exit(1);
}

static int dial(const char *port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static const char ask[] =
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ||
        send(fd, ask, sizeof ask - 1, 0) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* Reads past the answer to the handshake. */
static void greet(int fd) {
    char c;
    uint32_t last = 0;
    while (last != 0x0d0a0d0a) {
        if (recv(fd, &c, 1, 0) != 1)
            die("handshake");
        last = last << 8 | (unsigned char)c;
    }
}

static const unsigned char *next_mask(void) {
    if (masks_used == MASKS) {
        arc4random_buf(masks, MASKS);
        masks_used = 0;
    }
    masks_used += 4;
    return masks + masks_used - 4;
}

/* The length of the head at `p`; 0: more bytes are needed. */
static size_t head_of(const unsigned char *p, size_t len, size_t *size) {
    size_t head = len < 2 ? 0 : p[1] < 126 ? 2 : p[1] == 126 ? 4 : 10;
    if (head == 0 || len < head)
        return 0;
    *size = p[1];
    if (head > 2)
        *size = 0;
    for (size_t i = 2; i < head; i++)
        *size = *size << 8 | p[i];
    return head;
}

static void put_masked(const unsigned char *from, size_t head, size_t size) {
    const unsigned char *mask = next_mask();
    unsigned char *to = out + out_len;
    uint64_t wide, word;
    memcpy(to, from, head);
    to[1] |= 0x80;
    memcpy(to + head, mask, 4);
    memcpy(&wide, mask, 4);
    memcpy((char *)&wide + 4, mask, 4);
    to += head + 4;
    from += head;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, from + i, 8);
        word ^= wide;
        memcpy(to + i, &word, 8);
    }
    for (; i < size; i++)
        to[i] = from[i] ^ mask[i & 3];
    out_len += head + 4 + size;
}

static void echo_all(void) {
    size_t at = 0, head, size;
    while ((head = head_of(in + at, in_len - at, &size)) > 0 &&
           in_len - at >= head + size) {
        if ((in[at] & 0x0f) == 8)
            exit(0);
        put_masked(in + at, head, size);
        at += head + size;
    }
    memmove(in, in + at, in_len - at);
    in_len -= at;
}

static void send_all(int fd) {
    for (size_t sent = 0; sent < out_len;) {
        ssize_t n = send(fd, out + sent, out_len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            exit(1);
        sent += n > 0 ? (size_t)n : 0;
    }
    out_len = 0;
}

int main(int argc, char *argv[]) {
    if (argc != 2)
        return 64;
    int fd = dial(argv[1]), poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    greet(fd);
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
    while (epoll_wait(poll, &event, 1, -1) >= 0) {
        size_t room = ROOM - in_len;
        ssize_t got = recv(fd, in + in_len, room < GULP ? room : GULP, 0);
        if (got <= 0)
            return got == 0 ? 0 : die("recv");
        in_len += (size_t)got;
        echo_all();
        send_all(fd);
    }
    return 1;
}
