/* WebSocket, the server's side (RFC 6455): bytes in, bytes out, no sockets. */
#ifndef UPSTREAM_WS_H
#define UPSTREAM_WS_H

#include <stddef.h>

enum ws_kind {
    WS_TEXT = 1,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

enum ws_code {
    WS_NORMAL = 1000,
    WS_AWAY = 1001,
    WS_PROTOCOL = 1002,
    WS_UNSUPPORTED = 1003,
    WS_TOO_BIG = 1009,
};

enum {
    WS_GREETING_MAX = 8192,
    WS_REPLY_MAX = 256,
    WS_PAYLOAD_MAX = 1 << 20,
    WS_CONTROL_MAX = 125,
    WS_HEAD_MAX = 10,
};

/* `data` points into the bytes that were parsed. */
struct ws_frame {
    enum ws_kind kind;
    char *data;
    size_t len;
};

/* Reads the client's opening request. Returns its length and fills `reply`
 * with the 101 answer; 0 if more bytes are needed; -1 if it is no WebSocket
 * request, with a 400 answer in `reply`, or, where `refuse` is a status, with
 * that one. *reply_len is set unless 0 came. */
long ws_greet(const char *in, size_t len, unsigned refuse,
              char reply[WS_REPLY_MAX], size_t *reply_len);

/* Takes one frame off the front of `in` and unmasks it in place. Returns its
 * whole length; 0 if more bytes are needed; or minus the enum ws_code to close
 * with (fragments and binary messages are refused: the client has no use for
 * them). */
long ws_parse(char *in, size_t len, struct ws_frame *frame);

/* Writes the head of an unmasked frame whose payload has `len` bytes; returns
 * its length. `out` has WS_HEAD_MAX bytes. */
size_t ws_head(char *out, enum ws_kind kind, size_t len);

#endif
