/* The peer's close frame: its code and text (RFC 6455, 5.5.1). */
#ifndef FXWIRE_WSCLIENT_LINK_PEER_CLOSE_H
#define FXWIRE_WSCLIENT_LINK_PEER_CLOSE_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/span.h"

/* Close codes of RFC 6455, 7.4.1, and of its registry at IANA. */
enum close_code {
    CLOSE_NONE = 0,
    CLOSE_NORMAL = 1000,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_PROTOCOL = 1002,
    CLOSE_NOT_TEXT = 1003,
    CLOSE_NOT_UTF8 = 1007,
    CLOSE_TOO_BIG = 1009,
    CLOSE_RESTART = 1012,
    CLOSE_BAD_GATEWAY = 1014,
};

enum {
    PEER_CLOSE_MAX_TEXT = 123, /* a control frame has at most 125 bytes */
    PEER_CLOSE_DETAIL_SIZE = 640
};

struct peer_close {
    bool came;
    unsigned code; /* 0: it gave none */
    size_t text_len;
    char text[PEER_CLOSE_MAX_TEXT];
};

/* Reads the payload of a close frame; the first one counts (7.1.5). */
NONNULL_ALL void peer_close_read(struct peer_close *close, struct span payload);

/* Whether its text is UTF-8, as it must be (5.5.1). */
NONNULL_ALL bool peer_close_is_text(const struct peer_close *close);

/*
 * Whether it says that the peer goes away, restarts or wants to be left alone
 * (1001, 1012 to 1014), whatever it was sent.
 */
NONNULL_ALL bool peer_close_is_leave(const struct peer_close *close);

/* Whether it says that the peer is there again soon (1001, 1012). */
NONNULL_ALL bool peer_close_is_restart(const struct peer_close *close,
                                       bool codes_are_kept);

/*
 * The library answers a close frame by its payload, as it is after this. Where
 * it has put 1002 in the place of a code that it does not know, that is not
 * what the peer did: 1000 is.
 */
void peer_close_make_answer(char *payload, size_t len);

/*
 * Looks for a close frame in bytes of the stream, whose first `skip` are the
 * rest of a frame, and reads it. A frame is found by its header, RFC 6455, 5.2.
 */
NONNULL_ALL void peer_close_find(struct peer_close *close, struct span bytes,
                                 size_t skip);

/*
 * Writes what it said, for people: in printable ASCII, all else in its text as
 * \xNN. `codes_are_kept`: the library passes on all codes as they came; else
 * 1012 to 1014 come as 1002.
 */
NONNULL_ALL void peer_close_describe(const struct peer_close *close,
                                     bool codes_are_kept,
                                     char detail[PEER_CLOSE_DETAIL_SIZE]);

#endif
