/*
 * Messages put together from pieces, and their UTF-8: lines, of which the first
 * gives the lengths of the pieces (by its bytes, in turn), the rest is the
 * message. It comes out as it came, if it is short enough and UTF-8, which
 * iconv() says too.
 */
#include <iconv.h>

#include "tests/fuzz/fuzz.h"
#include "wsclient/link/inbox.h"

enum { KEPT_BYTES = 256 };

/* glibc's tables: surrogates, overlong forms and all beyond U+10FFFF are out.
 */
static bool iconv_takes(struct span text) {
    static iconv_t converter;
    if (converter == NULL)
        converter = iconv_open("UTF-16LE", "UTF-8");
    size_t room = text.len * 4 + 4, in_left = text.len, out_left = room;
    char *out = malloc(room), *to = out, *from = (char *)text.data;
    iconv(converter, NULL, NULL, NULL, NULL);
    bool good =
        iconv(converter, &from, &in_left, &to, &out_left) != (size_t)-1 &&
        in_left == 0;
    free(out);
    return good;
}

static enum inbox_verdict add_pieces(struct inbox *inbox, struct span lengths,
                                     struct span text, struct span *message) {
    struct span rest = text;
    inbox_begin(inbox);
    for (size_t i = 0;; i++) {
        size_t len = lengths.len > 0
                         ? (unsigned char)lengths.data[i % lengths.len] % 64
                         : rest.len;
        bool last = len >= rest.len;
        struct span copy =
            fuzz_copy((struct span){rest.data, last ? rest.len : len});
        enum inbox_verdict verdict = inbox_add(inbox, copy, 0, last, message);
        bool same = verdict != INBOX_MESSAGE || fuzz_same(*message, text);
        free((char *)copy.data);
        HOLDS(same, "%.*s", SPAN(text));
        if (last || verdict != INBOX_MORE)
            return verdict;
        rest = span_from(rest, len);
        if (len == 0 && i > 2 * text.len + 256)
            return INBOX_MORE; /* pieces without bytes, for ever */
    }
}

static void check_characters(struct span text) {
    while (text.len > 0) {
        size_t len = utf8_char_len(text);
        HOLDS(len >= 1 && len <= 4 &&
                  iconv_takes((struct span){text.data, len}),
              "%.*s", SPAN(text));
        text = span_from(text, len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size), message = {"", 0};
    struct span lengths = fuzz_take(&text, '\n');
    struct inbox inbox;
    bool utf8 = iconv_takes(text);
    inbox_init(&inbox, KEPT_BYTES);
    HOLDS(fuzz_is_utf8(text) == utf8, "%.*s", SPAN(text));
    enum inbox_verdict verdict = add_pieces(&inbox, lengths, text, &message);
    enum inbox_verdict expected = !utf8                    ? INBOX_NOT_UTF8
                                  : text.len <= KEPT_BYTES ? INBOX_MESSAGE
                                                           : INBOX_TOO_LONG;
    HOLDS(verdict == expected || verdict == INBOX_MORE, "%d, not %d", verdict,
          expected);
    /* One that goes on beyond what is read past. */
    inbox_begin(&inbox);
    HOLDS(inbox_add(&inbox, text, INBOX_MAX_SKIPPED_BYTES, false, &message) ==
              (text.len > 0 ? INBOX_TOO_BIG : INBOX_MORE),
          "%.*s", SPAN(text));
    inbox_clear(&inbox);
    if (utf8)
        check_characters(text);
    HOLDS(utf8_without_mark(text).len ==
              text.len - (span_begins(text, "\xEF\xBB\xBF") ? 3 : 0),
          "%.*s", SPAN(text));
    HOLDS(!utf8_is_utf16(text) || !utf8 || memchr(text.data, 0, text.len),
          "%.*s", SPAN(text));
    return 0;
}
