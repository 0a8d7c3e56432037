#include "wsclient/link/frames.h"

#include <stdlib.h>

#include "common/memory.h"

enum {
    FINAL = 0x80,
    MASKED = 0x80,
    LEN_IN_2_BYTES = 126,
    LEN_IN_8_BYTES = 127
};

void frames_free(struct frames *frames) {
    free(frames->bytes);
    *frames = (struct frames){0};
}

static void make_room(struct frames *frames, size_t bytes) {
    if (bytes <= frames->size)
        return;
    frames->size = 2 * bytes;
    frames->bytes = memory_resize(frames->bytes, frames->size);
}

static unsigned char *put_len(unsigned char *out, size_t len) {
    int bytes = len < LEN_IN_2_BYTES ? 0 : len <= UINT16_MAX ? 2 : 8;
    *out++ = (unsigned char)(MASKED | (bytes == 0   ? len
                                       : bytes == 2 ? LEN_IN_2_BYTES
                                                    : LEN_IN_8_BYTES));
    while (bytes-- > 0)
        *out++ = (unsigned char)(len >> 8 * bytes);
    return out;
}

/* By words: the mask stays in step, as they are a multiple of its length. */
static unsigned char *put_masked(unsigned char *out, struct span payload,
                                 uint32_t mask) {
    uint64_t twice = (uint64_t)mask << 32 | mask, word;
    size_t at = 0;
    for (; at + sizeof word <= payload.len; at += sizeof word) {
        memcpy(&word, payload.data + at, sizeof word);
        word ^= twice;
        memcpy(out + at, &word, sizeof word);
    }
    word = 0;
    memcpy(&word, payload.data + at, payload.len - at);
    word ^= twice;
    memcpy(out + at, &word, payload.len - at);
    return out + payload.len;
}

void frames_add(struct frames *frames, enum frame_opcode opcode,
                struct span payload, uint32_t mask) {
    make_room(frames, frames->len + FRAME_HEADER_BYTES + payload.len);
    unsigned char *out = frames->bytes + frames->len;
    *out++ = (unsigned char)(FINAL | opcode);
    out = put_len(out, payload.len);
    memcpy(out, &mask, sizeof mask);
    out = put_masked(out + sizeof mask, payload, mask);
    frames->len = (size_t)(out - frames->bytes);
}
