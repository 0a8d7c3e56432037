/*
 * What an HTTP proxy answers to CONNECT: a line with a number, then the bytes.
 * They come in pieces of that many bytes, and as a whole, and then no more: the
 * same comes of both, once. Of a tunnel that stands, what is behind the head is
 * left to the upstream.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/files.h"
#include "wsclient/link/tunnel.h"

enum { MOST_TURNS = 100000 };

static int ends[2];    /* ours, and the proxy's */
static int in_the_way; /* of a connection: the number of an error */

static struct outcome {
    unsigned done, status;
    bool stands;
    char why[TUNNEL_TEXT_SIZE];
    size_t left; /* bytes for the upstream */
} outcome;

/* In the place of the library's: the socket is an end of a pair then. */
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t len) {
    (void)address, (void)len;
    errno = in_the_way;
    if (in_the_way != 0)
        return -1;
    return dup2(ends[0], fd) == fd ? 0 : -1;
}

/* In the place of wsclient/fd_watch.c. */
int fd_watch_start(struct fd_watch *watch, struct lws_context *context, int fd,
                   void (*ready)(void *arg), void *arg) {
    (void)context, (void)fd;
    watch->ready = ready;
    watch->arg = arg;
    return 0;
}

void fd_watch_for_writing(struct fd_watch *watch) {
    (void)watch;
}

void fd_watch_stop(struct fd_watch *watch) {
    watch->ready = NULL;
}

static void on_done(void *arg, const char *why, unsigned status) {
    (void)arg;
    outcome.done++;
    outcome.status = status;
    outcome.stands = why == NULL;
    snprintf(outcome.why, sizeof outcome.why, "%s", why != NULL ? why : "");
}

static void turn(struct tunnel *tunnel) {
    if (tunnel->watch.ready != NULL)
        tunnel->watch.ready(tunnel->watch.arg);
}

/* In the place of the library's: what it connected is the proxy's end. */
lws_sockfd_type lws_get_socket_fd(struct lws *wsi) {
    (void)wsi;
    return ends[1];
}

/* An address that nobody is at; false: it is known at once. */
static bool try(struct tunnel *tunnel, const char *address, int error) {
    struct lws_context *none = (struct lws_context *)(void *)&outcome;
    in_the_way = error;
    bool begun = tunnel_begin(tunnel, none, address);
    in_the_way = 0;
    turn(tunnel);
    HOLDS(!tunnel->asked && outcome.done == 0, "%s", outcome.why);
    return begun;
}

static void begin(struct tunnel *tunnel) {
    static char label[] = "proxy:1", user_info[] = "u:p", host[] = "::1";
    static struct proxy proxy = {
        .label = label, .user_info = user_info, .port = 1};
    static struct upstream upstream = {.host = host, .port = 80, .ipv6 = true};
    struct lws_context *none = (struct lws_context *)(void *)&outcome;
    char asked[256];
    outcome = (struct outcome){.done = 0};
    HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0,
          "no socket");
    tunnel_init(tunnel, &proxy, &upstream, on_done, &outcome);
    HOLDS(tunnel_begin(tunnel, none, "127.0.0.1"), "%s", tunnel->why);
    close(ends[0]);
    turn(tunnel);
    HOLDS(tunnel->asked && recv(ends[1], asked, sizeof asked, 0) > 40,
          "not asked");
}

/* The proxy is gone: before it is asked, or without reading the question. */
static void end_early(struct tunnel *tunnel, bool before) {
    begin(tunnel);
    if (before) {
        tunnel->asked = false;
        shutdown(ends[1], SHUT_RD);
        close(ends[1]);
        turn(tunnel);
    } else {
        turn(tunnel); /* nothing is there */
        HOLDS(outcome.done == 0, "%s", outcome.why);
        HOLDS(send(tunnel->fd, "x", 1, 0) == 1, "%s", strerror(errno));
        close(ends[1]); /* which resets it */
        turn(tunnel);
    }
    HOLDS(outcome.done == 1 && !outcome.stands && tunnel->fd < 0, "%s",
          outcome.why);
    tunnel_leave(tunnel);
}

/* A tunnel takes the place of a connection to where libwebsockets is sent. */
static void give(struct tunnel *tunnel) {
    char address[TUNNEL_PLACE_SIZE];
    struct lws *none = (struct lws *)(void *)&outcome;
    HOLDS(tunnel_give(tunnel, none), "there is none to give");
    begin(tunnel);
    HOLDS(tunnel_place(tunnel, address) && strlen(address) > 2 &&
              strlen(address) + 1 < sizeof address,
          "%s", address);
    HOLDS(tunnel_give(tunnel, none) && tunnel->fd < 0 && tunnel->place_fd < 0,
          "%s", address);
    close(ends[1]);
}

static void check_ways(void) {
    static struct tunnel tunnel; /* too large for the stack */
    tunnel = (struct tunnel){.fd = -1, .place_fd = -1};
    give(&tunnel);
    end_early(&tunnel, true);
    end_early(&tunnel, false);
    outcome.done = 0;
    HOLDS(!try(&tunnel, "::1", ECONNREFUSED), "%s", tunnel.why);
    HOLDS(try(&tunnel, "127.0.0.1", EINPROGRESS), "%s", tunnel.why);
    tunnel_leave(&tunnel);
}

static struct outcome answer(struct span text, size_t piece) {
    static struct tunnel tunnel; /* too large for the stack */
    tunnel = (struct tunnel){.fd = -1};
    begin(&tunnel);
    while (text.len > 0 && outcome.done == 0) {
        size_t len = piece > 0 && piece < text.len ? piece : text.len;
        ssize_t sent = send(ends[1], text.data, len, MSG_NOSIGNAL);
        HOLDS(sent >= 0 || outcome.done > 0, "no room");
        text = span_from(text, sent > 0 ? (size_t)sent : text.len);
        turn(&tunnel);
    }
    shutdown(ends[1], SHUT_WR);
    for (int i = 0; i < MOST_TURNS && outcome.done == 0; i++)
        turn(&tunnel);
    HOLDS(outcome.done == 1, "%u", outcome.done);
    if (outcome.stands) {
        char rest[4096];
        for (ssize_t n; (n = recv(tunnel.fd, rest, sizeof rest, 0)) > 0;)
            outcome.left += (size_t)n;
        outcome.left += text.len; /* not sent yet */
    }
    tunnel_leave(&tunnel);
    close(ends[1]);
    return outcome;
}

/* Behind the blank line; 0: there is none. */
static size_t head_len(struct span text) {
    const char *end = memmem(text.data, text.len, "\r\n\r\n", 4);
    return end != NULL ? (size_t)(end - text.data) + 4 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size), line = fuzz_take(&text, '\n');
    if (text.len == 0)
        check_ways();
    struct outcome whole = answer(text, 0);
    struct outcome ours = answer(text, files_number(&line) % 1000);
    size_t head = head_len(text);
    bool good =
        head > 0 && head <= TUNNEL_HEAD_BYTES && text.len > 12 &&
        (span_begins(text, "HTTP/1.1 2") || span_begins(text, "HTTP/1.0 2")) &&
        text.data[10] >= '0' && text.data[10] <= '9' && text.data[11] >= '0' &&
        text.data[11] <= '9' && memchr(text.data, '\0', head) == NULL;
    HOLDS(!good || (whole.stands && whole.left == text.len - head), "%s, %zu",
          whole.why, whole.left);
    HOLDS(!whole.stands || (head > 0 && span_begins(text, "HTTP/1.")), "%u",
          whole.status);
    HOLDS(ours.stands == whole.stands && ours.status == whole.status &&
              ours.left == whole.left && strcmp(ours.why, whole.why) == 0,
          "%s, not %s", ours.why, whole.why);
    for (const char *c = whole.why; *c != '\0'; c++)
        HOLDS(*c >= ' ' && *c <= '~', "%s", whole.why);
    return 0;
}
