/*
 * The frames that our own codec writes: lines of messages, each with a mask
 * that is made of it. Read by a decoder that is written from RFC 6455, 5.2,
 * they are these messages again.
 */
#include "wsclient/link/frames.h"
#include "tests/fuzz/fuzz.h"

struct frame {
    unsigned opcode;
    char *payload;
    size_t len;
};

static size_t number_at(const unsigned char *at, size_t bytes) {
    size_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number = number * 256 + at[i];
    return number;
}

/* Takes one off the bytes; each length has to be in its shortest form. */
static struct frame take_frame(const unsigned char **at,
                               const unsigned char *end) {
    const unsigned char *in = *at;
    struct frame frame = {0};
    HOLDS(end - in >= 6, "%td", end - in);
    HOLDS((in[0] & 0xF0) == 0x80, "%02x", in[0]); /* FIN, nothing reserved */
    HOLDS((in[1] & 0x80) != 0, "%02x", in[1]);    /* masked */
    frame.opcode = in[0] & 0x0F;
    frame.len = in[1] & 0x7F;
    size_t more = frame.len == 126 ? 2 : frame.len == 127 ? 8 : 0;
    if (more > 0)
        frame.len = number_at(in + 2, more);
    HOLDS(more == (frame.len < 126     ? 0u
                   : frame.len < 65536 ? 2u
                                       : 8u),
          "%zu", frame.len);
    const unsigned char *mask = in + 2 + more, *masked = mask + 4;
    HOLDS(masked <= end && (size_t)(end - masked) >= frame.len, "%zu",
          frame.len);
    frame.payload = malloc(frame.len + 1);
    for (size_t i = 0; i < frame.len; i++)
        frame.payload[i] = (char)(masked[i] ^ mask[i % 4]);
    *at = masked + frame.len;
    return frame;
}

/* `times` the bytes of a line, so that all forms of a length come. */
static struct span stretch(struct span line, size_t times) {
    char *text = malloc(line.len * times + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * line.len, line.data, line.len);
    return (struct span){text, line.len * times};
}

enum { MESSAGES = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size), sent[MESSAGES];
    struct frames frames = {.bytes = NULL};
    size_t count = 0;
    for (; text.len > 0 && count < MESSAGES; count++) {
        struct span line = fuzz_take(&text, '\n');
        /* A + at its begin: as long as makes 8 bytes of length necessary. */
        bool large = span_begins(line, "+") && count == 0;
        sent[count] = stretch(line, large ? 65536 / line.len + 1 : 1);
        frames_add(&frames, count % 2 == 0 ? FRAME_TEXT : FRAME_PING,
                   sent[count], (uint32_t)(line.len * 2654435761u + count));
    }
    const unsigned char *at = frames.bytes,
                        *end = count > 0 ? at + frames.len : at;
    for (size_t i = 0; i < count; i++) {
        struct frame frame = take_frame(&at, end);
        HOLDS(frame.opcode == (i % 2 == 0 ? 1u : 9u), "%u", frame.opcode);
        HOLDS(fuzz_same((struct span){frame.payload, frame.len}, sent[i]),
              "%.*s", SPAN(sent[i]));
        free(frame.payload);
        free((char *)sent[i].data);
    }
    HOLDS(at == end, "%td", end - at);
    frames_free(&frames);
    return 0;
}
