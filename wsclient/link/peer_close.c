#include "wsclient/link/peer_close.h"

#include <stdint.h>
#include <stdio.h>

#include "common/utf8.h"

enum { OPCODE_CLOSE = 8 };

void peer_close_read(struct peer_close *close, struct span payload) {
    const unsigned char *in = (const unsigned char *)payload.data;
    if (close->came)
        return;
    *close = (struct peer_close){.came = true};
    if (payload.len < 2)
        return;
    close->code = (unsigned)in[0] << 8 | in[1];
    close->text_len = payload.len - 2 < PEER_CLOSE_MAX_TEXT
                          ? payload.len - 2
                          : PEER_CLOSE_MAX_TEXT;
    memcpy(close->text, payload.data + 2, close->text_len);
}

bool peer_close_is_text(const struct peer_close *close) {
    struct utf8 state = {0};
    return utf8_feed(&state, (struct span){close->text, close->text_len}) &&
           utf8_complete(&state);
}

bool peer_close_is_leave(const struct peer_close *close) {
    return close->code == CLOSE_GOING_AWAY ||
           (close->code >= CLOSE_RESTART && close->code <= CLOSE_BAD_GATEWAY);
}

bool peer_close_is_restart(const struct peer_close *close,
                           bool codes_are_kept) {
    return close->code == CLOSE_GOING_AWAY || close->code == CLOSE_RESTART ||
           (close->code == CLOSE_PROTOCOL && !codes_are_kept);
}

void peer_close_make_answer(char *payload, size_t len) {
    if (len < 2 || payload[0] != CLOSE_PROTOCOL >> 8 ||
        (unsigned char)payload[1] != (CLOSE_PROTOCOL & 0xff))
        return;
    payload[1] = (char)(CLOSE_NORMAL & 0xff);
}

/*
 * Takes the next frame off `bytes`; false: it is not there as a whole, or is
 * none: bits are reserved, or a control frame is not whole in itself.
 */
static bool next_frame(struct span *bytes, unsigned *opcode,
                       struct span *payload) {
    const unsigned char *in = (const unsigned char *)bytes->data;
    if (bytes->len < 2)
        return false;
    uint64_t len = in[1] & 0x7f;
    size_t more = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (bytes->len < 2 + more)
        return false;
    if (more > 0)
        len = 0;
    for (size_t i = 0; i < more; i++)
        len = len << 8 | in[2 + i];
    *bytes = span_from(*bytes, 2 + more);
    if (len > bytes->len)
        return false;
    *opcode = in[0] & 0x0f;
    if ((in[0] & 0x70) != 0 || (in[1] & 0x80) != 0 ||
        (*opcode >= OPCODE_CLOSE && (in[0] < 0x80 || more > 0)))
        return false;
    *payload = (struct span){bytes->data, (size_t)len};
    *bytes = span_from(*bytes, (size_t)len);
    return true;
}

void peer_close_find(struct peer_close *close, struct span bytes, size_t skip) {
    struct span payload;
    unsigned opcode;
    if (skip > bytes.len)
        return;
    bytes = span_from(bytes, skip);
    while (next_frame(&bytes, &opcode, &payload))
        if (opcode == OPCODE_CLOSE) {
            peer_close_read(close, payload);
            return;
        }
}

/* Writes the text behind a colon; at most four bytes for one. */
static void print_text(const struct peer_close *close, char *out) {
    if (close->text_len == 0)
        return;
    out += sprintf(out, ": ");
    for (size_t i = 0; i < close->text_len; i++) {
        unsigned char byte = (unsigned char)close->text[i];
        bool printable = byte >= ' ' && byte <= '~' && byte != '\\';
        out += sprintf(out, printable ? "%c" : "\\x%02x", byte);
    }
}

/* Of the codes of one that comes back, as they are registered at IANA. */
static const char *meaning_of(unsigned code) {
    static const char *const meanings[] = {
        " (service restart)", " (try again later)", " (bad gateway)"};
    return code >= CLOSE_RESTART && code <= CLOSE_BAD_GATEWAY
               ? meanings[code - CLOSE_RESTART]
               : "";
}

void peer_close_describe(const struct peer_close *close, bool codes_are_kept,
                         char detail[PEER_CLOSE_DETAIL_SIZE]) {
    int len;
    if (close->code == CLOSE_NONE)
        len = sprintf(detail, "a close frame without a code");
    else if (close->code == CLOSE_PROTOCOL && !codes_are_kept)
        len = sprintf(detail, "a close code that libwebsockets does not tell "
                              "(1002, or 1012 to 1014: it restarts)");
    else
        len = sprintf(detail, "close code %u%s", close->code,
                      meaning_of(close->code));
    print_text(close, detail + len);
}
