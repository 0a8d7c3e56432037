/*
 * Takes libFuzzer's place: replay FOLDER... gives each file in these folders to
 * the target, in the order of their names. Says so in TAP.
 */
#include <dirent.h>
#include <limits.h>

#include "tests/fuzz/fuzz.h"

static void give(const char *path) {
    FILE *file = fopen(path, "rb");
    HOLDS(file != NULL, "%s cannot be read", path);
    size_t size = 0, len = 0;
    char *bytes = NULL;
    do {
        bytes = realloc(bytes, size += 65536);
        HOLDS(bytes != NULL, "no memory");
        len += fread(bytes + len, 1, size - len, file);
    } while (len == size);
    fclose(file);
    /* To the byte, so that a read beyond is seen. */
    struct span exact = fuzz_copy((struct span){bytes, len});
    free(bytes);
    LLVMFuzzerTestOneInput((const uint8_t *)exact.data, exact.len);
    free((char *)exact.data);
}

static size_t give_all(const char *folder) {
    struct dirent **files;
    char path[PATH_MAX];
    size_t given = 0;
    int count = scandir(folder, &files, NULL, alphasort);
    HOLDS(count >= 0, "%s cannot be read", folder);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
        if (files[i]->d_name[0] != '.') {
            give(path);
            given++;
        }
        free(files[i]);
    }
    free(files);
    return given;
}

int main(int argc, char *argv[]) {
    size_t given = 0;
    for (int i = 1; i < argc; i++)
        given += give_all(argv[i]);
    printf("%sok - %zu inputs\n", given > 0 ? "" : "not ", given);
    return given > 0 ? 0 : 1;
}
