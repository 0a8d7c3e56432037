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

static int ends[2];        /* ours, and the proxy's */
static bool watch_is_full; /* nothing more can be watched */

static struct outcome {
    unsigned done, status;
    bool stands;
    char why[TUNNEL_TEXT_SIZE];
    size_t left; /* bytes for the upstream */
} outcome;

/* In the place of wsclient/fd_watch.c. */
int fd_watch_start(struct fd_watch *watch, struct lws_context *context, int fd,
                   void (*ready)(void *arg), void *arg) {
    (void)context, (void)fd;
    watch->ready = ready;
    watch->arg = arg;
    return watch_is_full ? -1 : 0;
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

/* Asks over our end, of a proxy that may be gone. */
static void ask(struct tunnel *tunnel, bool gone) {
    static char label[] = "proxy:1", user_info[] = "u:p", host[] = "::1";
    static struct proxy proxy = {
        .label = label, .user_info = user_info, .port = 1};
    static struct upstream upstream = {.host = host, .port = 80, .ipv6 = true};
    struct lws_context *none = (struct lws_context *)(void *)&outcome;
    outcome = (struct outcome){.done = 0};
    HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0,
          "no socket");
    struct reach reach = {.fd = ends[0]};
    tunnel_init(tunnel, &proxy, &upstream, on_done, &outcome);
    if (gone)
        close(ends[1]);
    tunnel_begin(tunnel, none, &reach);
}

static void begin(struct tunnel *tunnel) {
    char asked[256];
    ask(tunnel, false);
    HOLDS(outcome.done == 0 && recv(ends[1], asked, sizeof asked, 0) > 40,
          "not asked");
}

static void end(struct tunnel *tunnel) {
    HOLDS(outcome.done == 1 && !outcome.stands && tunnel->fd < 0, "%s",
          outcome.why);
    tunnel_leave(tunnel);
    close(ends[0]);
}

/* The proxy is gone before it is asked, or does not read the question. */
static void check_ends(void) {
    static struct tunnel tunnel; /* too large for the stack */
    ask(&tunnel, true);
    end(&tunnel);
    watch_is_full = true;
    ask(&tunnel, false);
    watch_is_full = false;
    end(&tunnel);
    close(ends[1]);
    begin(&tunnel);
    turn(&tunnel); /* nothing is there */
    HOLDS(outcome.done == 0, "%s", outcome.why);
    HOLDS(send(ends[0], "x", 1, 0) == 1, "%s", strerror(errno));
    close(ends[1]); /* which resets it */
    turn(&tunnel);
    end(&tunnel);
}

static struct outcome answer(struct span text, size_t piece) {
    static struct tunnel tunnel; /* too large for the stack */
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
        for (ssize_t n; (n = recv(ends[0], rest, sizeof rest, 0)) > 0;)
            outcome.left += (size_t)n;
        outcome.left += text.len; /* not sent yet */
    }
    tunnel_leave(&tunnel);
    close(ends[0]);
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
        check_ends();
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
