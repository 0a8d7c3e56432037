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

/* Bytes that are changed at once, wherever they stand. */
typedef uint32_t step __attribute__((vector_size(16), aligned(1), may_alias));

static void put_step(unsigned char *out, const char *bytes, uint32_t mask) {
    *(step *)out = *(const step *)bytes ^ (step) { mask, mask, mask, mask };
}

static void put_masked_bytes(unsigned char *out, struct span payload,
                             const unsigned char mask[static 4]) {
    for (size_t i = 0; i < payload.len; i++)
        out[i] = (unsigned char)payload.data[i] ^ mask[i % 4];
}

/*
 * By steps, with which the mask stays in tune. The last one ends where the
 * payload does: it does some bytes a second time, by the mask turned to fit.
 */
static unsigned char *put_masked(unsigned char *out, struct span payload,
                                 uint32_t mask) {
    unsigned char twice[2 * sizeof mask];
    uint32_t turned;
    memcpy(twice, &mask, sizeof mask);
    memcpy(twice + sizeof mask, &mask, sizeof mask);
    if (payload.len < sizeof(step)) {
        put_masked_bytes(out, payload, twice);
        return out + payload.len;
    }
    size_t last = payload.len - sizeof(step);
    for (size_t at = 0; at < last; at += sizeof(step))
        put_step(out + at, payload.data + at, mask);
    memcpy(&turned, twice + last % sizeof mask, sizeof turned);
    put_step(out + last, payload.data + last, turned);
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
