#include "wsclient/link/inbox.h"

#include <stdlib.h>

#include "common/memory.h"

void inbox_init(struct inbox *inbox, size_t max_bytes) {
    *inbox = (struct inbox){.max_bytes = max_bytes};
}

void inbox_clear(struct inbox *inbox) {
    free(inbox->buffer);
    *inbox = (struct inbox){0};
}

void inbox_begin(struct inbox *inbox) {
    inbox->total = 0;
    inbox->utf8 = (struct utf8){0};
}

/* Keeps the piece behind the earlier ones. */
static void keep(struct inbox *inbox, struct span piece) {
    if (inbox->buffer == NULL)
        inbox->buffer = memory_new(inbox->max_bytes);
    memcpy(inbox->buffer + inbox->total, piece.data, piece.len);
}

/* A piece of those that follow, or of a message that is too long. */
static NOINLINE enum inbox_verdict add_part(struct inbox *inbox,
                                            struct span piece, size_t announced,
                                            bool last, struct span *message) {
    size_t before = inbox->total;
    if (before + piece.len > INBOX_MAX_SKIPPED_BYTES ||
        announced > INBOX_MAX_SKIPPED_BYTES - before - piece.len)
        return INBOX_TOO_BIG;
    if (!utf8_feed(&inbox->utf8, piece) ||
        (last && !utf8_complete(&inbox->utf8)))
        return INBOX_NOT_UTF8;
    bool kept = before + piece.len <= inbox->max_bytes;
    if (kept && piece.len > 0)
        keep(inbox, piece);
    inbox->total += piece.len;
    if (!last)
        return INBOX_MORE;
    if (!kept)
        return INBOX_TOO_LONG;
    *message = (struct span){inbox->buffer, inbox->total};
    return INBOX_MESSAGE;
}

enum inbox_verdict inbox_add(struct inbox *inbox, struct span piece,
                             size_t announced, bool last,
                             struct span *message) {
    if (!last || inbox->total > 0 || piece.len > inbox->max_bytes)
        return add_part(inbox, piece, announced, last, message);
    if (!utf8_is_ascii(piece) &&
        (!utf8_feed(&inbox->utf8, piece) || !utf8_complete(&inbox->utf8)))
        return INBOX_NOT_UTF8;
    inbox->total = piece.len;
    *message = piece;
    return INBOX_MESSAGE;
}
