#include "ws.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char WS_GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

enum {
    WS_KEY = 24,    /* 16 bytes in base64 */
    WS_ACCEPT = 29, /* 20 bytes in base64, with the end mark */
};

struct ws_value {
    const char *text;
    size_t len;
};

/* Finds a header of the request, which ends in an empty line. */
static bool ws_header(const char *in, size_t len, const char *name,
                      struct ws_value *value) {
    const char *end = in + len;
    const char *line = memchr(in, '\n', len);
    size_t name_len = strlen(name);
    while (line && ++line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (!next)
            return false;
        if ((size_t)(next - line) > name_len && line[name_len] == ':' &&
            strncasecmp(line, name, name_len) == 0) {
            const char *p = line + name_len + 1;
            const char *q = next;
            while (p < q && (*p == ' ' || *p == '\t'))
                p++;
            while (q > p && (q[-1] == ' ' || q[-1] == '\t' || q[-1] == '\r'))
                q--;
            *value = (struct ws_value){p, (size_t)(q - p)};
            return true;
        }
        line = next;
    }
    return false;
}

/* Whether a comma separated header holds a word, in any case of letters. */
static bool ws_lists(const char *in, size_t len, const char *name,
                     const char *word) {
    struct ws_value value;
    if (!ws_header(in, len, name, &value))
        return false;
    size_t word_len = strlen(word);
    const char *p = value.text;
    const char *end = p + value.len;
    while (p < end) {
        while (p < end && (*p == ' ' || *p == ',' || *p == '\t'))
            p++;
        const char *start = p;
        while (p < end && *p != ' ' && *p != ',' && *p != '\t')
            p++;
        if ((size_t)(p - start) == word_len &&
            strncasecmp(start, word, word_len) == 0)
            return true;
    }
    return false;
}

static bool ws_accept(const struct ws_value *key, char out[WS_ACCEPT]) {
    char joined[WS_KEY + sizeof WS_GUID];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    memcpy(joined, key->text, WS_KEY);
    memcpy(joined + WS_KEY, WS_GUID, sizeof WS_GUID);
    if (!EVP_Digest(joined, sizeof joined - 1, digest, &size, EVP_sha1(), NULL))
        return false;
    EVP_EncodeBlock((unsigned char *)out, digest, (int)size);
    return true;
}

static bool ws_key(const char *in, size_t len, char accept[WS_ACCEPT]) {
    struct ws_value line = {in, (size_t)((char *)memchr(in, '\r', len) - in)};
    struct ws_value key;
    return line.len > 13 && memcmp(in, "GET /", 5) == 0 &&
           memcmp(in + line.len - 9, " HTTP/1.1", 9) == 0 &&
           ws_lists(in, len, "Upgrade", "websocket") &&
           ws_lists(in, len, "Connection", "upgrade") &&
           ws_lists(in, len, "Sec-WebSocket-Version", "13") &&
           ws_header(in, len, "Sec-WebSocket-Key", &key) && key.len == WS_KEY &&
           memcmp(key.text + 22, "==", 2) == 0 && ws_accept(&key, accept);
}

long ws_greet(const char *in, size_t len, unsigned refuse,
              char reply[WS_REPLY_MAX], size_t *reply_len) {
    size_t look = len < WS_GREETING_MAX ? len : WS_GREETING_MAX;
    const char *end = memmem(in, look, "\r\n\r\n", 4);
    if (!end && len < WS_GREETING_MAX)
        return 0;
    size_t size = end ? (size_t)(end - in) + 4 : 0;
    char accept[WS_ACCEPT];
    bool good = end && refuse == 0 && ws_key(in, size, accept);
    int n;
    if (good)
        n = snprintf(reply, WS_REPLY_MAX,
                     "HTTP/1.1 101 Switching Protocols\r\n"
                     "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\n\r\n",
                     accept);
    else
        n = snprintf(reply, WS_REPLY_MAX,
                     "HTTP/1.1 %u No WebSocket\r\n"
                     "Connection: close\r\nContent-Length: 0\r\n\r\n",
                     refuse ? refuse : 400);
    *reply_len = (size_t)n;
    return good ? (long)size : -1;
}

/* Eight bytes at a time: unmasking is most of the work of receiving. */
static void ws_unmask(char *data, size_t len, const char mask[4]) {
    uint64_t wide;
    memcpy(&wide, mask, 4);
    memcpy((char *)&wide + 4, mask, 4);
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t word;
        memcpy(&word, data + i, 8);
        word ^= wide;
        memcpy(data + i, &word, 8);
    }
    for (; i < len; i++)
        data[i] ^= mask[i & 3];
}

/* The close code the two first bytes of a frame ask for, or 0. */
static int ws_objection(unsigned first, unsigned second) {
    unsigned kind = first & 0x0f;
    bool final = first & 0x80;
    if ((first & 0x70) || !(second & 0x80))
        return WS_PROTOCOL;
    if (kind >= 8) {
        bool known = kind == WS_CLOSE || kind == WS_PING || kind == WS_PONG;
        bool small = (second & 0x7f) <= WS_CONTROL_MAX;
        return known && small && final ? 0 : WS_PROTOCOL;
    }
    if (kind > 2)
        return WS_PROTOCOL;
    return kind == WS_TEXT && final ? 0 : WS_UNSUPPORTED;
}

long ws_parse(char *in, size_t len, struct ws_frame *frame) {
    const unsigned char *head = (const unsigned char *)in;
    if (len < 2)
        return 0;
    int code = ws_objection(head[0], head[1]);
    if (code)
        return -code;
    uint64_t size = head[1] & 0x7f;
    size_t at = 2;
    if (size >= 126) {
        size_t wide = size == 126 ? 2 : 8;
        if (len < 2 + wide)
            return 0;
        for (size = 0; at < 2 + wide; at++)
            size = size << 8 | head[at];
    }
    if (size > WS_PAYLOAD_MAX)
        return -WS_TOO_BIG;
    if (len < at + 4 + size)
        return 0;
    frame->kind = (enum ws_kind)(head[0] & 0x0f);
    frame->data = in + at + 4;
    frame->len = (size_t)size;
    ws_unmask(frame->data, frame->len, in + at);
    return (long)(at + 4 + size);
}

size_t ws_head(char *out, enum ws_kind kind, size_t len) {
    unsigned char *head = (unsigned char *)out;
    head[0] = (unsigned char)(0x80 | kind);
    if (len < 126) {
        head[1] = (unsigned char)len;
        return 2;
    }
    size_t wide = len < 65536 ? 2 : 8;
    head[1] = wide == 2 ? 126 : 127;
    for (size_t i = 0; i < wide; i++)
        head[2 + i] = (unsigned char)(len >> (8 * (wide - 1 - i)));
    return 2 + wide;
}
