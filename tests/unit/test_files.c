/* Small files, and folders that can be made or not. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/files.h"
#include "tests/unit/unit.h"

static char folder[] = "/tmp/fx-files-XXXXXX";
static char path[128];

/* A path in this test's folder, until the next call. */
static const char *in_folder(const char *name) {
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make(void **state) {
    (void)state;
    strcpy(strrchr(folder, '-'), "-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_all(void **state) {
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void write_file(const char *name, size_t len) {
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    for (size_t i = 0; i < len; i++)
        fputc('a', file);
    fclose(file);
}

static void a_file_is_read_whole(void **state) {
    (void)state;
    size_t len;
    write_file("small", 5);
    char *text = files_read(in_folder("small"), &len);
    assert_string_equal(text, "aaaaa");
    assert_int_equal(len, 5);
    free(text);
    write_file("large", (1 << 20) - 1);
    text = files_read(in_folder("large"), &len);
    assert_int_equal(len, (1 << 20) - 1);
    free(text);
}

static void files_that_are_not_read(void **state) {
    (void)state;
    size_t len;
    write_file("too large", 1 << 20);
    assert_null(files_read(in_folder("too large"), &len));
    assert_int_equal(errno, EFBIG);
    assert_null(files_read(in_folder("none"), &len));
    assert_int_equal(errno, ENOENT);
    assert_null(files_read(folder, &len));
    assert_int_equal(errno, EISDIR);
}

/* A folder's path, and what comes of making it: 0 or errno. */
static void folders_are_made_or_not(void **state) {
    static const struct {
        const char *name;
        int error;
    } cases[] = {
        {"one", 0},
        {"one", 0},
        {"two/three/four", 0},
        {"five/", 0},
        {"six//seven/", 0},
        {"file", ENOTDIR},
        {"file/x", ENOTDIR},
        {"file/x/y/", ENOTDIR},
        {"dangling", ENOENT},
        {"to one/eight", 0},
    };
    (void)state;
    write_file("file", 1);
    assert_int_equal(symlink("/nowhere", in_folder("dangling")), 0);
    assert_int_equal(symlink("one", in_folder("to one")), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        /* What is only checked is not made. */
        bool may = files_check_folder(in_folder(cases[i].name)) == 0;
        int error = may ? 0 : errno;
        if (cases[i].error != ENOENT)
            assert_int_equal(error, cases[i].error);
        assert_true(i != 2 || access(in_folder("two"), F_OK) < 0);
        int made = files_make_folder(in_folder(cases[i].name));
        assert_int_equal(made < 0 ? errno : 0, cases[i].error);
    }
    struct stat status;
    assert_int_equal(stat(in_folder("two/three"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

static void folders_elsewhere(void **state) {
    (void)state;
    assert_int_equal(files_check_folder("here/and/there"), 0);
    assert_int_equal(files_check_folder("/dev/null/x"), -1);
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(files_make_folder("/dev/null/x"), -1);
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(files_make_folder("/proc/none/at/all"), -1);
}

/* Asked by somebody who is not root, who may write everywhere. */
static bool is_told_that_it_may_not(void) {
    enum { NOBODY = 65534 };
    if (geteuid() == 0 && setuid(NOBODY) < 0)
        return false;
    return files_check_folder(in_folder("closed/x")) == -1 && errno == EACCES &&
           files_make_folder(in_folder("closed")) == -1 && errno == EACCES;
}

static void who_may_not_write_is_told(void **state) {
    (void)state;
    int status;
    assert_int_equal(chmod(in_folder("."), 0755), 0);
    assert_int_equal(mkdir(in_folder("closed"), 0555), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(is_told_that_it_may_not() ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void the_boot_has_an_id(void **state) {
    (void)state;
    char one[BOOT_ID_SIZE], two[BOOT_ID_SIZE];
    memset(one, 'x', sizeof one);
    files_boot_id(one);
    files_boot_id(two);
    assert_memory_equal(one, two, BOOT_ID_SIZE);
    assert_int_equal(strnlen(one, sizeof one), 37); /* with a line's end */
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, remove_all)
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read_whole),      TEST(files_that_are_not_read),
        TEST(folders_are_made_or_not),   TEST(folders_elsewhere),
        TEST(who_may_not_write_is_told), TEST(the_boot_has_an_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
