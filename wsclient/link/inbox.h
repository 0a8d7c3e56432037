/* Puts whole text messages together from the pieces that frames bring. */
#ifndef FXWIRE_WSCLIENT_LINK_INBOX_H
#define FXWIRE_WSCLIENT_LINK_INBOX_H

#include <stdbool.h>

#include "common/span.h"
#include "common/utf8.h"

/* A message longer than is kept is read past up to this size. */
enum { INBOX_MAX_SKIPPED_BYTES = 16 * 1024 * 1024 };

struct inbox {
    size_t max_bytes; /* longest message that is kept */
    char *buffer;     /* made when a message first comes in parts */
    size_t total;     /* bytes of the present message so far */
    struct utf8 utf8;
};

enum inbox_verdict {
    INBOX_MORE,     /* the message is not yet whole */
    INBOX_MESSAGE,  /* it is whole */
    INBOX_TOO_LONG, /* it is over, and was too long to be kept */
    INBOX_NOT_UTF8,
    INBOX_TOO_BIG /* it goes beyond INBOX_MAX_SKIPPED_BYTES */
};

void inbox_init(struct inbox *inbox, size_t max_bytes);
void inbox_clear(struct inbox *inbox);

/* The next piece begins a message; an unfinished one is dropped. */
void inbox_begin(struct inbox *inbox);

/*
 * Adds a piece. `announced` more bytes of its frame are still to come; `last`
 * says that the message ends with it. A whole message is lent until the next
 * call.
 */
enum inbox_verdict inbox_add(struct inbox *inbox, struct span piece,
                             size_t announced, bool last, struct span *message);

#endif
