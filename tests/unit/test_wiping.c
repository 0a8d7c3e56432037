/*
 * Secrets leave nothing behind: when the settings and the log are closed, this
 * process's heap has none of them any more. Here they stand as the complement
 * of their bytes, so that the test itself does not put them there.
 */
#include <fcntl.h>
#include <stdio.h>

#include "common/log.h"
#include "common/memory.h"
#include "common/settings/settings.h"
#include "tests/unit/unit.h"

enum { SECRETS = 5, SECRET_BYTES = 24, MAX_HEAP_BYTES = 64 << 20 };

/* The complement of secret number `n`. */
static void write_hidden(int n, char out[static SECRET_BYTES]) {
    for (int i = 0; i < SECRET_BYTES; i++)
        out[i] = (char)~("abcdefghijklmnopqrstuvwx"[(i * 7 + n * 5) % 24]);
}

/* Writes secret number `n` byte by byte: no buffer of ours has it. */
static void put_secret(int fd, int n) {
    char hidden[SECRET_BYTES];
    write_hidden(n, hidden);
    for (int i = 0; i < SECRET_BYTES; i++) {
        char c = (char)~hidden[i];
        assert_int_equal(write(fd, &c, 1), 1);
    }
}

static void put(int fd, const char *text) {
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static size_t count_in(const char *data, size_t len, int n) {
    char hidden[SECRET_BYTES];
    size_t found = 0;
    write_hidden(n, hidden);
    for (size_t at = 0; at + SECRET_BYTES <= len; at++) {
        size_t same = 0;
        while (same < SECRET_BYTES && data[at + same] == (char)~hidden[same])
            same++;
        found += same == SECRET_BYTES;
    }
    return found;
}

/*
 * How often a secret stands in the private writable memory of this process,
 * the stack aside. It is read as a file, and into shared memory: so neither
 * does a sanitizer mind, nor is the copy found.
 */
static size_t count_secrets(void) {
    static char *copy;
    if (copy == NULL)
        copy = mmap(NULL, MAX_HEAP_BYTES, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(copy != MAP_FAILED);
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    char line[512], rights[8];
    size_t found = 0;
    unsigned long start, end;
    assert_true(maps != NULL && memory >= 0);
    while (fgets(line, sizeof line, maps) != NULL) {
        assert_int_equal(sscanf(line, "%lx-%lx %7s", &start, &end, rights), 3);
        if (strcmp(rights, "rw-p") != 0 || strstr(line, "[stack]") != NULL ||
            end - start > MAX_HEAP_BYTES)
            continue;
        ssize_t len = pread(memory, copy, end - start, (off_t)start);
        for (int n = 0; len > 0 && n < SECRETS; n++)
            found += count_in(copy, (size_t)len, n);
    }
    close(memory);
    fclose(maps);
    return found;
}

/* A new file in `folder`, whose path is written to `path`. */
static int new_file(const char *folder, const char *name, char path[64]) {
    snprintf(path, 64, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void no_secret_stays_in_memory(void **state) {
    (void)state;
    char folder[] = "/tmp/fx-wiping-XXXXXX", env_file[64], key_file[64];
    assert_non_null(mkdtemp(folder));
    int env = new_file(folder, "env", env_file);
    int key = new_file(folder, "key", key_file);
    put(env, "EXCHANGE_ACCESS_KEY=");
    put(env, "long so that the next one, which replaces it, is kept elsewhere");
    put_secret(env, 0);
    put(env, "\nEXCHANGE_ACCESS_KEY='");
    put_secret(env, 1);
    put(env, "'\nREQUESTS_WS_URL=ws://user:");
    put_secret(env, 2);
    put(env, "@h/?");
    put_secret(env, 3);
    put(env, "\nWS_AUTHORIZATION_FILE=");
    put(env, key_file);
    put(env, "\n");
    put_secret(key, 4);
    close(env);
    close(key);
    assert_int_equal(count_secrets(), 0);

    char *const environment[] = {NULL};
    struct settings *settings =
        settings_load(environment, env_file, true, SETTINGS_ALL);
    assert_string_equal(settings_faults(settings), "");
    log_mask(settings_text(settings, SETTING_REQUESTS_WS_URL));
    log_mask(settings_text(settings, SETTING_EXCHANGE_ACCESS_KEY));
    log_mask(settings_text(settings, SETTING_WS_AUTHORIZATION));
    assert_true(count_secrets() >= SECRETS - 1); /* the search finds them */
    log_close();
    settings_free(&settings);
    assert_int_equal(count_secrets(), 0);

    unlink(env_file);
    unlink(key_file);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_secret_stays_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
