#include "wsclient/sender.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/memory.h"

void sender_clear(struct sender *sender) {
    free(sender->buffer);
    *sender = (struct sender){0};
}

static bool send_frame(struct sender *sender, struct lws *wsi,
                       struct span payload, enum lws_write_protocol kind) {
    if (LWS_PRE + payload.len > sender->size) {
        sender->size = LWS_PRE + payload.len;
        sender->buffer = memory_resize(sender->buffer, sender->size);
    }
    unsigned char *start = sender->buffer + LWS_PRE;
    memcpy(start, payload.data, payload.len);
    /* For a control frame, lws counts the frame's header too. */
    return lws_write(wsi, start, payload.len, kind) >= (int)payload.len;
}

bool sender_text(struct sender *sender, struct lws *wsi, struct span text) {
    return send_frame(sender, wsi, text, LWS_WRITE_TEXT);
}

bool sender_ping(struct sender *sender, struct lws *wsi, struct span payload) {
    return send_frame(sender, wsi, payload, LWS_WRITE_PING);
}

void sender_cork(struct lws *wsi, bool on) {
    int value = on;
    setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_CORK, &value,
               sizeof value);
}
