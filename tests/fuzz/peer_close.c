/*
 * The peer's close frame, looked for in bytes of the stream: one that is put
 * behind whole frames is found, whatever these are.
 */
#include "wsclient/link/peer_close.h"
#include "tests/fuzz/fuzz.h"

static void check_described(const struct peer_close *close) {
    char detail[PEER_CLOSE_DETAIL_SIZE];
    HOLDS(close->text_len <= PEER_CLOSE_MAX_TEXT, "%zu", close->text_len);
    HOLDS(peer_close_is_text(close) ==
              fuzz_is_utf8((struct span){close->text, close->text_len}),
          "%zu", close->text_len);
    for (int kept = 0; kept < 2; kept++) {
        peer_close_describe(close, kept, detail);
        HOLDS(strlen(detail) < sizeof detail, "%s", detail);
        for (const char *c = detail; *c != '\0'; c++)
            HOLDS(*c >= ' ' && *c <= '~', "%s", detail);
    }
    HOLDS(!peer_close_is_leave(close) || close->code > 1000, "%u", close->code);
    /* Where the library keeps the code, who restarts leaves. */
    HOLDS(!peer_close_is_restart(close, true) || peer_close_is_leave(close),
          "%u", close->code);
}

/* What we answer is the same but for one code, which is then the normal one. */
static void check_answer(struct span text) {
    struct span answer = fuzz_copy(text);
    struct peer_close close = {.came = false}, ours = {.came = false};
    peer_close_make_answer((char *)answer.data, answer.len);
    peer_close_read(&close, text);
    peer_close_read(&ours, answer);
    HOLDS(ours.code == (close.code == 1002 ? 1000 : close.code), "%u",
          ours.code);
    HOLDS(text.len < 2 || fuzz_same(span_from(answer, 2), span_from(text, 2)),
          "%u", ours.code);
    free((char *)answer.data);
}

/* Text frames of up to 100 bytes each, as a server sends them. */
static size_t put_frames(struct span text, unsigned char *out) {
    size_t len = 0;
    while (text.len > 0) {
        size_t part = text.len < 100 ? text.len : 100;
        out[len++] = 0x81;
        out[len++] = (unsigned char)part;
        memcpy(out + len, text.data, part);
        len += part;
        text = span_from(text, part);
    }
    return len;
}

static void check_found_behind(struct span text) {
    static const unsigned char close_frame[] = {0x88, 5,   0x03, 0xF1,
                                                'b',  'y', 'e'};
    unsigned char *out = malloc(text.len + text.len / 50 + 16);
    struct peer_close close = {.came = false};
    size_t len = put_frames(text, out);
    memcpy(out + len, close_frame, sizeof close_frame);
    peer_close_find(&close,
                    (struct span){(char *)out, len + sizeof close_frame}, 0);
    HOLDS(close.came && close.code == 1009 && close.text_len == 3,
          "%u after %zu bytes", close.code, len);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    struct peer_close close = {.came = false};
    size_t skip = size > 0 ? data[0] % 16 : 0;
    peer_close_find(&close, text, skip);
    if (close.came)
        check_described(&close);
    struct peer_close first = {.came = false};
    peer_close_read(&first, text);
    check_described(&first);
    struct peer_close second = first;
    peer_close_read(&second, span_of("\x03\xE8"));
    HOLDS(second.code == first.code, "%u", second.code);
    check_answer(text);
    check_found_behind(text);
    return 0;
}
