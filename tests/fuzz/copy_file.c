/*
 * The copy of a history in STATE_DIR: lines of it behind that of the sum, then
 * its body; the sum is put before them. What is taken has the bytes that the
 * sum is of; with any other byte nothing is. Behind a first line that says
 * `raw`, the whole file. Behind one that says `write`, an ETag, a Last-Modified
 * and a body: written, they are read again as they were, unless a folder is in
 * the way or no descriptor is left.
 */
#include <errno.h>
#include <openssl/sha.h>
#include <poll.h>

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

static int write_copy(const struct copy_version *version, struct span body) {
    struct copy_writer *writer = copy_write(files_path, hash, version, body);
    HOLDS(writer != NULL, "%s", strerror(errno));
    struct pollfd done = {copy_writer_fd(writer), POLLIN, 0};
    int ready;
    do /* libFuzzer's clock is a signal */
        ready = poll(&done, 1, 10000);
    while (ready < 0 && errno == EINTR);
    HOLDS(ready == 1, "%s", files_path);
    int error = copy_writer_end(&writer);
    HOLDS(writer == NULL, "%s", files_path);
    return error;
}

/* As many bytes of a line as a version takes. */
static void take_version(struct span *text, char out[static COPY_TEXT_BYTES]) {
    struct span line = fuzz_take(text, '\n');
    size_t len = line.len < COPY_TEXT_BYTES ? line.len : COPY_TEXT_BYTES - 1;
    memcpy(out, line.data, len);
    out[len] = '\0';
}

/* Descriptors from `first` on are refused. */
static void limit_descriptors(rlim_t first) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = first;
    HOLDS(setrlimit(RLIMIT_NOFILE, &limit) == 0, "%s", strerror(errno));
}

static void check_without_descriptors(void) {
    static const struct copy_version version;
    struct copy copy;
    struct rlimit usual;
    getrlimit(RLIMIT_NOFILE, &usual);
    limit_descriptors(0);
    errno = 0;
    HOLDS(copy_write(files_path, hash, &version, span_of("")) == NULL &&
              errno == EMFILE,
          "%s", strerror(errno));
    HOLDS(strcmp(copy_read(files_path, hash, &copy), "") != 0, "%s",
          files_path);
    limit_descriptors(usual.rlim_cur);
}

static void check_written(struct span text) {
    struct copy_version version;
    struct copy copy;
    take_version(&text, version.etag);
    take_version(&text, version.changed);
    HOLDS(write_copy(&version, text) == 0, "%.*s", SPAN(text));
    copy_confirm(files_path);
    const char *why = copy_read(files_path, hash, &copy);
    HOLDS(why == NULL, "%s: %.*s", why, SPAN(text));
    HOLDS(fuzz_same(copy.body, text), "%.*s", SPAN(copy.body));
    HOLDS(strcmp(copy.version.etag, version.etag) == 0 &&
              strcmp(copy.version.changed, version.changed) == 0,
          "%s, %s", copy.version.etag, copy.version.changed);
    HOLDS(llabs(copy.confirmed_ms - clock_wall_ms()) < 600 * MSEC_PER_SEC,
          "%lld", (long long)copy.confirmed_ms);
    free(copy.text);
    check_without_descriptors();
    files_block(true);
    HOLDS(write_copy(&version, text) != 0, "%s", files_path);
    HOLDS(copy_read(files_path, hash, &copy) != NULL, "%s", files_path);
    files_block(false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size), rest = text;
    char head[128];
    bool taken;
    files_begin("copy");
    copy_hash("https://example.org/hist", hash);
    struct span how = fuzz_take(&rest, '\n');
    if (span_equals(how, "write")) {
        check_written(rest);
    } else if (span_equals(how, "raw")) {
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
