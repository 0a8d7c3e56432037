/*
 * The scanner beside Python's parser, on what fuzz targets are fed with: all
 * their seeds, and what `make fuzz` has found here so far; each as a whole and
 * line by line.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>

#include "common/json_scan.h"
#include "common/utf8.h"
#include "tests/unit/json_oracle.h"
#include "tests/unit/unit.h"

static const char *const targets[] = {"json",      "request", "json_bodies",
                                      "redis",     "lines",   "log_lines",
                                      "audit_file"};

static bool is_utf8(struct span text) {
    struct utf8 utf8 = {0};
    return utf8_feed(&utf8, text) && utf8_complete(&utf8);
}

/* Python has no bound of levels that would be ours. */
static void compare(struct judge *judge, struct span text) {
    struct json_found none[1];
    enum json_kind top;
    if (!is_utf8(text))
        return;
    struct span exact = exact_copy(text.data, text.len);
    enum json_error error = json_scan(exact, NULL, 0, none, &top);
    if (error != JSON_TOO_DEEP)
        judge_compare(judge, text, error == JSON_OK);
}

static void compare_file(struct judge *judge, const char *path) {
    static char bytes[1 << 20];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct span text = {bytes, fread(bytes, 1, sizeof bytes, file)};
    fclose(file);
    compare(judge, text);
    while (text.len > 0) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.data) : text.len;
        compare(judge, (struct span){text.data, len});
        text = span_from(text, end != NULL ? len + 1 : len);
    }
}

/* Gives how many files there are. */
static size_t compare_folder(struct judge *judge, const char *folder) {
    char path[PATH_MAX];
    struct dirent **files;
    size_t compared = 0;
    int count = scandir(folder, &files, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
        if (files[i]->d_name[0] != '.') {
            compare_file(judge, path);
            compared++;
        }
        free(files[i]);
    }
    if (count >= 0)
        free(files);
    return compared;
}

static void agrees_with_python(void **state) {
    (void)state;
    char folder[PATH_MAX];
    struct judge *judge = judge_new();
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        snprintf(folder, sizeof folder, "tests/fuzz/seeds/%s", targets[i]);
        assert_in_range(compare_folder(judge, folder), 2, 1000);
        snprintf(folder, sizeof folder, "build-fuzz/corpus/%s", targets[i]);
        compare_folder(judge, folder);
    }
    judge_free(judge);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_python),
    };
    return cmocka_run_group_tests_name("json_seeds", tests, NULL, NULL);
}
