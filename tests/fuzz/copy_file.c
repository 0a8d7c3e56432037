/*
 * The copy of a history in STATE_DIR: lines of it behind that of the sum, then
 * its body; the sum is put before them. Behind a first line that says `raw`,
 * the whole file. What is taken has the bytes that the sum is of; with any
 * other byte nothing is.
 */
#include <openssl/sha.h>

#include "ratefetcher/providers/copy_file.h"
#include "tests/fuzz/files.h"

static char hash[COPY_HASH_SIZE];

static void write_file(const char *head, struct span text) {
    FILE *file = fopen(files_path, "w");
    HOLDS(file != NULL, "%s", files_path);
    fputs(head, file);
    fwrite(text.data, 1, text.len, file);
    fclose(file);
}

static const char *read_file(struct span text, bool *taken) {
    struct copy copy;
    const char *why = copy_read(files_path, hash, &copy);
    HOLDS((copy.text != NULL) == (why == NULL), "%s", why);
    *taken = why == NULL;
    if (*taken) {
        HOLDS(copy.body.len <= text.len &&
                  memcmp(copy.body.data, text.data + text.len - copy.body.len,
                         copy.body.len) == 0,
              "%.*s", SPAN(copy.body));
        HOLDS(memchr(copy.version.etag, '\0', COPY_TEXT_BYTES) != NULL &&
                  memchr(copy.version.changed, '\0', COPY_TEXT_BYTES) != NULL,
              "%.*s", SPAN(text));
    }
    free(copy.text);
    return why;
}

/* As RFC 6234 has it, by the library. */
static void put_head(struct span text, char head[static 128]) {
    unsigned char sum[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text.data, text.len, sum);
    char *at = head + sprintf(head, "fxwire-rates 1\nsha256 ");
    for (size_t i = 0; i < sizeof sum; i++)
        at += sprintf(at, "%02x", sum[i]);
    strcpy(at, "\n");
}

static void check_damaged(const char *head, struct span text) {
    bool taken;
    struct span other = fuzz_copy(text);
    ((char *)other.data)[text.len / 2] ^= 1;
    write_file(head, other);
    read_file(other, &taken);
    HOLDS(!taken, "%.*s", SPAN(other));
    write_file(head, (struct span){text.data, text.len - 1});
    read_file(text, &taken);
    HOLDS(!taken, "%.*s", SPAN(text));
    free((char *)other.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size), rest = text;
    char head[128];
    bool taken;
    files_begin("copy");
    copy_hash("https://example.org/hist", hash);
    if (span_equals(fuzz_take(&rest, '\n'), "raw")) {
        write_file("", rest);
        read_file(rest, &taken);
    } else {
        put_head(text, head);
        write_file(head, text);
        const char *why = read_file(text, &taken);
        HOLDS(taken || why[0] != '\0', "%.*s", SPAN(text));
        if (taken)
            check_damaged(head, text);
    }
    unlink(files_path);
    return 0;
}
