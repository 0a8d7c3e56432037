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

bool sender_send(struct sender *sender, struct lws *wsi, struct span text) {
    if (LWS_PRE + text.len > sender->size) {
        sender->size = LWS_PRE + text.len;
        sender->buffer = memory_resize(sender->buffer, sender->size);
    }
    unsigned char *payload = sender->buffer + LWS_PRE;
    memcpy(payload, text.data, text.len);
    return lws_write(wsi, payload, text.len, LWS_WRITE_TEXT) == (int)text.len;
}

void sender_cork(struct lws *wsi, bool on) {
    int value = on;
    setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_CORK, &value,
               sizeof value);
}
