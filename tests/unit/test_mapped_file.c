/* Mapped files: whose they are, how long, and what they say of themselves. */
#include "common/mapped_file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/faulty_calls.h"
#include "tests/unit/unit.h"

static const char magic[] = "fxtested";

static char folder[] = "/tmp/fxwire-unit-XXXXXX";
static char path[64];

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int forget_file(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

static void open_mapped(struct mapped_file *file, size_t bytes) {
    assert_int_equal(mapped_file_open(file, path), 0);
    assert_int_equal(mapped_file_map(file, bytes), 0);
}

static void what_is_stored_outlives_a_close(void **state) {
    (void)state;
    struct mapped_file file;
    struct stat status;
    open_mapped(&file, 8192);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(status.st_blocks * 512 >= 8192);
    strcpy((char *)file.start + 8000, "text");
    mapped_file_close(&file, false);
    open_mapped(&file, 8192);
    assert_string_equal((char *)file.start + 8000, "text");
    /* It may move when it grows; what is behind the old end is zero. */
    assert_int_equal(mapped_file_map(&file, 1 << 20), 0);
    assert_int_equal(file.bytes, 1 << 20);
    assert_int_equal(mapped_file_length(&file), 1 << 20);
    assert_string_equal((char *)file.start + 8000, "text");
    assert_int_equal(((char *)file.start)[(1 << 20) - 1], 0);
    mapped_file_close(&file, true);
    assert_int_equal(stat(path, &status), -1);
}

/* What the header says, by what was begun and what is asked for. */
static void tells_what_it_is(void **state) {
    (void)state;
    struct mapped_file file;
    open_mapped(&file, 4096);
    assert_int_equal(mapped_file_form(&file, magic, 3), MAPPED_FORM_NONE);
    mapped_file_begin(&file, magic, 3);
    assert_int_equal(mapped_file_form(&file, magic, 3), MAPPED_FORM_SAME);
    assert_int_equal(mapped_file_form(&file, magic, 4), MAPPED_FORM_VERSION);
    assert_int_equal(mapped_file_form(&file, "fxtester", 3),
                     MAPPED_FORM_FOREIGN);
    ((struct mapped_header *)file.start)->boot_id[3] ^= 1;
    assert_int_equal(mapped_file_form(&file, magic, 3), MAPPED_FORM_BOOT);
    mapped_file_close(&file, false);
    static const struct {
        const char *bytes;
        size_t len;
        enum mapped_form form;
    } contents[] = {
        {"", 0, MAPPED_FORM_NONE},
        {"\0\0\0", 3, MAPPED_FORM_NONE},
        {"\0\0\0\0\0\0\0\0\3", 9, MAPPED_FORM_NONE},
        {"x", 1, MAPPED_FORM_FOREIGN},
        {"fxteste", 7, MAPPED_FORM_FOREIGN},
        {"fxtested", 8, MAPPED_FORM_VERSION},
        {"fxtested\3\0\0\0", 12, MAPPED_FORM_BOOT},
    };
    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        int fd = open(path, O_WRONLY | O_TRUNC);
        ssize_t len = (ssize_t)contents[i].len;
        assert_int_equal(write(fd, contents[i].bytes, contents[i].len), len);
        close(fd);
        assert_int_equal(mapped_file_open(&file, path), 0);
        assert_int_equal(mapped_file_length(&file), len);
        assert_int_equal(mapped_file_form(&file, magic, 3), contents[i].form);
        mapped_file_close(&file, false);
    }
}

/* Whoever can not read the boot's id must not give up what is in the file. */
static void without_a_descriptor_it_is_of_no_other_boot(void **state) {
    (void)state;
    struct mapped_file file;
    struct rlimit before, none;
    open_mapped(&file, 4096);
    mapped_file_begin(&file, magic, 3);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum mapped_form form = mapped_file_form(&file, magic, 3);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(form, MAPPED_FORM_SAME);
    mapped_file_close(&file, true);
}

static void is_had_by_one_at_a_time(void **state) {
    (void)state;
    struct mapped_file first, second;
    open_mapped(&first, 4096);
    assert_int_equal(mapped_file_open(&second, path), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    /* Removed by who has it: then there is another file of that name. */
    unlink(path);
    open_mapped(&second, 4096);
    mapped_file_close(&first, false);
    mapped_file_close(&second, false);
}

static void what_is_in_the_way_is_told(void **state) {
    (void)state;
    struct mapped_file file;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(mapped_file_open(&file, path), -1);
    assert_int_equal(errno, EPERM);
    unlink(path);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(mapped_file_open(&file, path), -1);
    assert_int_equal(errno, ELOOP);
    unlink(path);
    flock_error = ENOLCK;
    assert_int_equal(mapped_file_open(&file, path), -1);
    assert_int_equal(errno, ENOLCK);
    flock_error = 0;
    mapped_file_close(&file, false); /* nothing to be closed */
}

/* The disk has not as much: the file is as it was, and is still mapped. */
static void without_room_it_stays_as_it_was(void **state) {
    (void)state;
    struct mapped_file file;
    struct rlimit limit, before;
    open_mapped(&file, 4096);
    strcpy(file.start, "text");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){10000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(mapped_file_map(&file, 1 << 20), -1);
    assert_int_equal(errno, EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(mapped_file_length(&file), 4096);
    assert_int_equal(file.bytes, 4096);
    assert_string_equal(file.start, "text");
    mapped_file_close(&file, false);
}

static void memory_can_take_its_place(void **state) {
    (void)state;
    struct mapped_file file;
    assert_int_equal(mapped_file_use_memory(&file, 4096), 0);
    assert_int_equal(((char *)file.start)[4095], 0);
    mapped_file_begin(&file, magic, 3);
    mapped_file_close(&file, true);
    assert_int_equal(mapped_file_use_memory(&file, (size_t)1 << 50), -1);
    assert_int_equal(errno, ENOMEM);
    mapped_file_close(&file, true);
}

/* Another process may look, and what is stored has to be in the new file. */
static void assert_restored(struct mapped_file *file) {
    struct mapped_file other;
    void *start = file->start;
    strcpy((char *)file->start + 8000, "before");
    assert_int_equal(mapped_file_restore(file), 1);
    assert_ptr_equal(file->start, start);
    assert_string_equal((char *)file->start + 8000, "before");
    strcpy((char *)file->start + 100, "after");
    assert_int_equal(mapped_file_restore(file), 0);
    assert_int_equal(mapped_file_open(&other, path), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    mapped_file_close(file, false);
    open_mapped(&other, 8192);
    assert_string_equal((char *)other.start + 8000, "before");
    assert_string_equal((char *)other.start + 100, "after");
    mapped_file_close(&other, true);
}

static void one_that_was_removed_is_made_anew(void **state) {
    (void)state;
    struct mapped_file file;
    open_mapped(&file, 8192);
    assert_int_equal(mapped_file_restore(&file), 0);
    assert_int_equal(unlink(path), 0);
    assert_restored(&file);
}

static void one_that_was_replaced_is_made_anew(void **state) {
    (void)state;
    struct mapped_file file;
    char other[80];
    open_mapped(&file, 8192);
    snprintf(other, sizeof other, "%s.other", path);
    close(open(other, O_CREAT | O_RDWR, 0600));
    assert_int_equal(rename(other, path), 0);
    assert_restored(&file);
}

static void one_that_can_not_be_made_anew_is_used_on(void **state) {
    (void)state;
    struct mapped_file file;
    char away[80];
    open_mapped(&file, 8192);
    assert_int_equal(unlink(path), 0);
    snprintf(away, sizeof away, "%s.away", folder);
    assert_int_equal(rename(folder, away), 0);
    strcpy(file.start, "text");
    assert_int_equal(mapped_file_restore(&file), -1);
    assert_int_equal(errno, ENOENT);
    assert_string_equal(file.start, "text");
    assert_int_equal(rename(away, folder), 0);
    assert_restored(&file);
}

static void anothers_is_left_alone(void **state) {
    (void)state;
    struct mapped_file file, other;
    open_mapped(&file, 8192);
    assert_int_equal(unlink(path), 0);
    open_mapped(&other, 4096);
    assert_int_equal(mapped_file_restore(&file), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    mapped_file_close(&other, true);
    assert_restored(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_is_stored_outlives_a_close, forget_file),
        cmocka_unit_test_teardown(tells_what_it_is, forget_file),
        cmocka_unit_test_teardown(without_a_descriptor_it_is_of_no_other_boot,
                                  forget_file),
        cmocka_unit_test_teardown(is_had_by_one_at_a_time, forget_file),
        cmocka_unit_test_teardown(what_is_in_the_way_is_told, forget_file),
        cmocka_unit_test_teardown(without_room_it_stays_as_it_was, forget_file),
        cmocka_unit_test(memory_can_take_its_place),
        cmocka_unit_test(one_that_was_removed_is_made_anew),
        cmocka_unit_test(one_that_was_replaced_is_made_anew),
        cmocka_unit_test(one_that_can_not_be_made_anew_is_used_on),
        cmocka_unit_test(anothers_is_left_alone),
    };
    return cmocka_run_group_tests_name("mapped_file", tests, make_folder,
                                       remove_folder);
}
