/*
 * A client of libwebsockets that only echoes, in the three ways to write:
 *
 *     echo_lws plain|corked|raw PORT [CA_FILE]
 *
 * plain: a message each time the socket is writeable; corked: all that wait,
 * under TCP_CORK; raw: all that wait in one write, framed and masked here.
 * With CA_FILE over TLS, to "localhost".
 */
#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 1 << 18, MASKS = 1 << 14, FRAME_EXTRA = 14, GULP = 1 << 16 };

/* Messages that wait, each: its length, LWS_PRE bytes of room, its text. */
static unsigned char *queue;
static size_t queue_start, queue_end, queue_room, open_at;
static bool is_open; /* the last message is not complete yet */

static unsigned char batch[LWS_PRE + BATCH];
static unsigned char masks[MASKS];
static size_t masks_used = MASKS;
static bool over;

static void queue_make_room(size_t more) {
    if (queue_end + more <= queue_room)
        return;
    memmove(queue, queue + queue_start, queue_end - queue_start);
    open_at -= queue_start;
    queue_end -= queue_start;
    queue_start = 0;
    while (queue_end + more > queue_room)
        queue_room = queue_room > 0 ? 2 * queue_room : 1 << 20;
    queue = realloc(queue, queue_room);
    if (queue == NULL)
        exit(1);
}

static void receive(struct lws *wsi, const void *data, size_t len) {
    queue_make_room(sizeof(size_t) + LWS_PRE + len);
    if (!is_open) {
        open_at = queue_end;
        queue_end += sizeof(size_t) + LWS_PRE;
    }
    memcpy(queue + queue_end, data, len);
    queue_end += len;
    is_open = !lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi);
    size_t size = queue_end - open_at - sizeof(size_t) - LWS_PRE;
    memcpy(queue + open_at, &size, sizeof size);
    if (!is_open)
        lws_callback_on_writable(wsi);
}

/* The oldest complete message; NULL: there is none. */
static unsigned char *front(size_t *size) {
    if (queue_start == (is_open ? open_at : queue_end))
        return NULL;
    memcpy(size, queue + queue_start, sizeof *size);
    return queue + queue_start + sizeof *size + LWS_PRE;
}

static void pop(size_t size) {
    queue_start += sizeof size + LWS_PRE + size;
    if (queue_start == queue_end)
        queue_start = queue_end = 0;
}

static int write_plain(struct lws *wsi) {
    size_t size;
    unsigned char *text = front(&size);
    if (text != NULL && lws_write(wsi, text, size, LWS_WRITE_TEXT) < (int)size)
        return -1;
    if (text != NULL)
        pop(size);
    return 0;
}

static void cork(struct lws *wsi, int on) {
    setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

static int write_corked(struct lws *wsi) {
    size_t size;
    int result = 0;
    cork(wsi, 1);
    while (result == 0 && front(&size) != NULL && !lws_partial_buffered(wsi))
        result = write_plain(wsi);
    cork(wsi, 0);
    return result;
}

static const unsigned char *next_mask(void) {
    if (masks_used == MASKS) {
        arc4random_buf(masks, MASKS);
        masks_used = 0;
    }
    masks_used += 4;
    return masks + masks_used - 4;
}

static size_t put_head(unsigned char *to, size_t size) {
    size_t wide = size < 126 ? 0 : size < 65536 ? 2 : 8;
    to[0] = 0x81;
    to[1] = (unsigned char)(0x80 | (wide == 0 ? size : wide == 2 ? 126 : 127));
    for (size_t i = 0; i < wide; i++)
        to[2 + i] = (unsigned char)(size >> 8 * (wide - 1 - i));
    return 2 + wide;
}

static size_t put_frame(unsigned char *to, const unsigned char *text,
                        size_t size) {
    const unsigned char *mask = next_mask();
    size_t head = put_head(to, size), i = 0;
    uint64_t wide, word;
    memcpy(to + head, mask, 4);
    memcpy(&wide, mask, 4);
    memcpy((char *)&wide + 4, mask, 4);
    to += head + 4;
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, text + i, 8);
        word ^= wide;
        memcpy(to + i, &word, 8);
    }
    for (; i < size; i++)
        to[i] = text[i] ^ mask[i & 3];
    return head + 4 + size;
}

static int write_raw(struct lws *wsi) {
    size_t size, len = 0;
    unsigned char *text;
    if (lws_partial_buffered(wsi))
        return 0;
    while ((text = front(&size)) != NULL && len + size + FRAME_EXTRA <= BATCH) {
        len += put_frame(batch + LWS_PRE + len, text, size);
        pop(size);
    }
    if (len == 0)
        return 0;
    return lws_write(wsi, batch + LWS_PRE, len, LWS_WRITE_RAW) < (int)len ? -1
                                                                          : 0;
}

static const struct {
    const char *name;
    int (*write)(struct lws *wsi);
} forms[] = {
    {"plain", write_plain}, {"corked", write_corked}, {"raw", write_raw}};
static int (*write_some)(struct lws *wsi);

static int on_event(struct lws *wsi, enum lws_callback_reasons reason,
                    void *user, void *in, size_t len) {
    (void)user;
    size_t size;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_RECEIVE:
        receive(wsi, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        if (write_some(wsi) < 0)
            return -1;
        if (front(&size) != NULL)
            lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        fprintf(stderr, "echo_lws: %s\n", in != NULL ? (char *)in : "?");
        over = true;
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        over = true;
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {"echo", on_event, 0, GULP, 0, NULL, BATCH}, {0}};

static struct lws_context *make_context(const char *ca_file) {
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .fd_limit_per_thread = 16,
        .pt_serv_buf_size = GULP,
        .options = ca_file != NULL ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0,
        .client_ssl_ca_filepath = ca_file,
    };
    lws_set_log_level(LLL_ERR, NULL);
    return lws_create_context(&info);
}

static bool connect_to(struct lws_context *context, const char *port,
                       bool tls) {
    struct lws_client_connect_info info = {
        .context = context,
        .address = "127.0.0.1",
        .host = "localhost",
        .port = atoi(port),
        .path = "/",
        .local_protocol_name = "echo",
        .alpn = "http/1.1",
        .ssl_connection = tls ? LCCSCF_USE_SSL : 0,
    };
    return lws_client_connect_via_info(&info) != NULL;
}

int main(int argc, char *argv[]) {
    const char *ca_file = argc > 3 ? argv[3] : NULL;
    for (size_t i = 0; argc > 2 && i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(argv[1], forms[i].name) == 0)
            write_some = forms[i].write;
    if (write_some == NULL)
        return 64;
    unsetenv("http_proxy"); /* which the library would obey */
    struct lws_context *context = make_context(ca_file);
    if (context == NULL || !connect_to(context, argv[2], ca_file != NULL))
        return 1;
    while (!over && lws_service(context, 0) >= 0)
        ;
    lws_context_destroy(context);
    free(queue);
    return 0;
}
