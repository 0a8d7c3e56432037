/*
 * Frames of a WebSocket client, written one behind the other, so that all that
 * wait go out by one call: the library writes one a call. RFC 6455, 5.2 and 5.3
 */
#ifndef FXWIRE_WSCLIENT_LINK_FRAMES_H
#define FXWIRE_WSCLIENT_LINK_FRAMES_H

#include <stdint.h>

#include "common/span.h"

/* The opcodes of whole messages that are sent, RFC 6455, 11.8. */
enum frame_opcode { FRAME_TEXT = 0x1, FRAME_CLOSE = 0x8, FRAME_PING = 0x9 };

/* Of a header with its mask, at most. */
enum { FRAME_HEADER_BYTES = 14 };

struct frames {
    unsigned char *bytes; /* NULL at first */
    size_t len, size;
};

void frames_free(struct frames *frames);

/* One frame more; `mask` has to be unpredictable, and new for each. */
void frames_add(struct frames *frames, enum frame_opcode opcode,
                struct span payload, uint32_t mask);

#endif
