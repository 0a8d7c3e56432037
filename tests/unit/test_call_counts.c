/* The book of calls: by month, and over the end of a process. */
#include "ratefetcher/call_counts.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

#define NOW ((monotime){INT64_C(5000000000)})

static char folder[] = "/tmp/fxwire-call_counts-XXXXXX";
static char dir[64], path[80];

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(dir, sizeof dir, "%s/a/b", folder);
    snprintf(path, sizeof path, "%s/calls", dir);
    return 0;
}

static int forget_file(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    char above[64];
    snprintf(above, sizeof above, "%s/a", folder);
    unlink(path);
    return rmdir(dir) | rmdir(above) | rmdir(folder);
}

static uint64_t calls_of(struct call_counts *book, const char *provider,
                         const char *today) {
    return call_counts_of_month(call_counts_record(book, provider),
                                day_of_text(today));
}

static void count(struct call_counts *book, const char *provider,
                  const char *today) {
    call_counts_add(call_counts_record(book, provider), day_of_text(today),
                    NOW);
}

static void counts_by_calendar_month(void **state) {
    (void)state;
    struct call_counts *book = call_counts_open(dir);
    assert_int_equal(calls_of(book, "ecb", "2021-05-18"), 0);
    count(book, "ecb", "2021-05-18");
    count(book, "ecb", "2021-05-31");
    count(book, "file", "2021-05-31");
    assert_int_equal(calls_of(book, "ecb", "2021-05-31"), 2);
    assert_int_equal(calls_of(book, "file", "2021-05-01"), 1);
    assert_int_equal(calls_of(book, "ecb", "2021-06-01"), 0);
    assert_int_equal(calls_of(book, "ecb", "2022-05-01"), 0);
    count(book, "ecb", "2021-06-01");
    assert_int_equal(calls_of(book, "ecb", "2021-06-30"), 1);
    assert_int_equal(calls_of(book, "ecb", "2021-05-31"), 0);
    call_counts_close(&book);
    assert_null(book);
}

/* A call that was not made after all; its month may be over by then. */
static void takes_back(void **state) {
    (void)state;
    struct call_counts *book = call_counts_open(dir);
    struct call_counts_record *record = call_counts_record(book, "ecb");
    call_counts_add(record, day_of_text("2021-05-31"), NOW);
    call_counts_add(record, day_of_text("2021-05-31"), NOW);
    call_counts_take_back(record, day_of_text("2021-05-31"), NOW);
    assert_int_equal(calls_of(book, "ecb", "2021-05-31"), 1);
    assert_int_equal(quota_wait(&record->quota, 2, NOW).usec, 0);
    assert_true(quota_wait(&record->quota, 1, NOW).usec > 0);
    call_counts_add(record, day_of_text("2021-06-01"), NOW);
    call_counts_take_back(record, day_of_text("2021-05-31"), NOW);
    assert_int_equal(calls_of(book, "ecb", "2021-06-01"), 1);
    call_counts_take_back(record, day_of_text("2021-06-01"), NOW);
    call_counts_take_back(record, day_of_text("2021-06-01"), NOW);
    assert_int_equal(calls_of(book, "ecb", "2021-06-01"), 0);
    call_counts_close(&book);
}

static void outlives_its_process(void **state) {
    (void)state;
    struct call_counts *book = call_counts_open(dir);
    char token[CALL_COUNTS_TOKEN_SIZE];
    strcpy(token, call_counts_token(book));
    call_counts_close(&book);
    pid_t child = fork();
    if (child == 0) {
        book = call_counts_open(dir);
        for (int i = 0; i < 7; i++)
            count(book, "ecb", "2021-05-18");
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    book = call_counts_open(dir);
    assert_int_equal(calls_of(book, "ecb", "2021-05-18"), 7);
    assert_string_equal(call_counts_token(book), token);
    assert_int_equal(
        quota_wait(&call_counts_record(book, "ecb")->quota, 8, NOW).usec, 0);
    assert_true(
        quota_wait(&call_counts_record(book, "ecb")->quota, 7, NOW).usec > 0);
    call_counts_close(&book);
}

/* Of another boot, the monotonic times mean nothing; the month does. */
static void another_boot_forgets_the_minute(void **state) {
    (void)state;
    struct call_counts *book = call_counts_open(dir);
    count(book, "ecb", "2021-05-18");
    call_counts_close(&book);
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "00000000", 8, 16), 8);
    close(fd);
    book = call_counts_open(dir);
    assert_int_equal(calls_of(book, "ecb", "2021-05-18"), 1);
    assert_int_equal(
        quota_wait(&call_counts_record(book, "ecb")->quota, 1, NOW).usec, 0);
    call_counts_close(&book);
}

static void another_form_begins_anew(void **state) {
    (void)state;
    static const char *const contents[] = {"", "x", "fxwire calls 0",
                                           "fxwire calls 1"};
    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        struct call_counts *book = call_counts_open(dir);
        count(book, "ecb", "2021-05-18");
        call_counts_close(&book);
        FILE *file = fopen(path, "w");
        fputs(contents[i], file);
        fclose(file);
        book = call_counts_open(dir);
        assert_int_equal(calls_of(book, "ecb", "2021-05-18"), 0);
        assert_int_equal(strlen(call_counts_token(book)),
                         CALL_COUNTS_TOKEN_SIZE - 1);
        call_counts_close(&book);
    }
}

/* Whatever a byte of the file was changed to: no crash, no endless loop. */
static void a_damaged_file_does_no_harm(void **state) {
    (void)state;
    static const char byte[] = {0, 1, 127, -128, -1};
    struct stat status;
    for (off_t at = 0; at < 3 * (off_t)sizeof(struct call_counts_record);
         at++) {
        for (size_t i = 0; i < sizeof byte; i++) {
            struct call_counts *book = call_counts_open(dir);
            count(book, "ecb", "2021-05-18");
            call_counts_close(&book);
            int fd = open(path, O_RDWR);
            assert_int_equal(fstat(fd, &status), 0);
            assert_true(at < status.st_size);
            assert_int_equal(pwrite(fd, &byte[i], 1, at), 1);
            close(fd);
            book = call_counts_open(dir);
            struct call_counts_record *record = call_counts_record(book, "ecb");
            assert_true(quota_wait(&record->quota, 1000000, NOW).usec >= 0);
            call_counts_add(record, day_of_text("2021-05-18"), NOW);
            call_counts_close(&book);
        }
        unlink(path);
    }
}

/* A last call so long before the boot that no clock can tell it. */
static void an_impossible_time_begins_anew(void **state) {
    (void)state;
    static const int64_t seconds[] = {-1, -20, INT64_MIN};
    for (size_t i = 0; i < COUNT_OF(seconds); i++) {
        struct call_counts *book = call_counts_open(dir);
        call_counts_record(book, "ecb")->quota.newest = seconds[i];
        call_counts_close(&book);
        book = call_counts_open(dir);
        struct call_counts_record *record = call_counts_record(book, "ecb");
        assert_int_equal(record->quota.newest, 0);
        call_counts_add(record, day_of_text("2021-05-18"), NOW);
        call_counts_close(&book);
    }
}

/* Two at a time do not spoil each other's counts, nor share a token. */
static void a_second_one_counts_in_memory(void **state) {
    (void)state;
    struct call_counts *first = call_counts_open(dir),
                       *second = call_counts_open(dir);
    count(first, "ecb", "2021-05-18");
    count(second, "ecb", "2021-05-18");
    count(second, "ecb", "2021-05-18");
    assert_int_equal(calls_of(first, "ecb", "2021-05-18"), 1);
    assert_int_equal(calls_of(second, "ecb", "2021-05-18"), 2);
    assert_string_not_equal(call_counts_token(first),
                            call_counts_token(second));
    call_counts_close(&second);
    call_counts_close(&first);
}

static void a_folder_that_can_not_be_is_none(void **state) {
    (void)state;
    struct call_counts *book = call_counts_open("/proc/no/such/folder");
    count(book, "ecb", "2021-05-18");
    assert_int_equal(calls_of(book, "ecb", "2021-05-18"), 1);
    call_counts_close(&book);
}

static void remove_it(bool folders) {
    unlink(path);
    if (folders) {
        char above[64];
        snprintf(above, sizeof above, "%s/a", folder);
        assert_int_equal(rmdir(dir) | rmdir(above), 0);
    }
}

/* With the folders or without; a record that is lent stays good. */
static void is_made_anew_where_it_was_removed(void **state) {
    (void)state;
    for (int folders = 0; folders < 2; folders++) {
        struct call_counts *book = call_counts_open(dir);
        struct call_counts_record *record = call_counts_record(book, "ecb");
        char token[CALL_COUNTS_TOKEN_SIZE];
        strcpy(token, call_counts_token(book));
        call_counts_add(record, day_of_text("2021-05-18"), NOW);
        call_counts_restore(book);
        remove_it(folders);
        call_counts_add(record, day_of_text("2021-05-18"), NOW);
        call_counts_restore(book);
        assert_int_equal(access(path, F_OK), 0);
        call_counts_add(record, day_of_text("2021-05-18"), NOW);
        call_counts_close(&book);
        book = call_counts_open(dir);
        assert_int_equal(calls_of(book, "ecb", "2021-05-18"), 3);
        assert_string_equal(call_counts_token(book), token);
        call_counts_close(&book);
        unlink(path);
    }
}

/* Another one's file is left alone, and the counts go on. */
static void a_name_that_is_taken_is_not_taken_back(void **state) {
    (void)state;
    struct call_counts *first = call_counts_open(dir);
    count(first, "ecb", "2021-05-18");
    unlink(path);
    struct call_counts *second = call_counts_open(dir);
    call_counts_restore(first);
    count(first, "ecb", "2021-05-18");
    assert_int_equal(calls_of(first, "ecb", "2021-05-18"), 2);
    assert_int_equal(calls_of(second, "ecb", "2021-05-18"), 0);
    call_counts_close(&second);
    call_counts_restore(first);
    call_counts_close(&first);
    first = call_counts_open(dir);
    assert_int_equal(calls_of(first, "ecb", "2021-05-18"), 2);
    call_counts_close(&first);
}

static void more_providers_than_records(void **state) {
    (void)state;
    struct call_counts *book = call_counts_open(dir);
    for (int i = 0; i < 2 * CALL_COUNTS_RECORDS; i++) {
        char name[16];
        snprintf(name, sizeof name, "provider%d", i);
        count(book, name, "2021-05-18");
        assert_int_equal(calls_of(book, name, "2021-05-18"), 1);
    }
    call_counts_close(&book);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(counts_by_calendar_month, forget_file),
        cmocka_unit_test_teardown(takes_back, forget_file),
        cmocka_unit_test_teardown(outlives_its_process, forget_file),
        cmocka_unit_test_teardown(another_boot_forgets_the_minute, forget_file),
        cmocka_unit_test_teardown(another_form_begins_anew, forget_file),
        cmocka_unit_test_teardown(a_damaged_file_does_no_harm, forget_file),
        cmocka_unit_test_teardown(an_impossible_time_begins_anew, forget_file),
        cmocka_unit_test_teardown(a_second_one_counts_in_memory, forget_file),
        cmocka_unit_test(a_folder_that_can_not_be_is_none),
        cmocka_unit_test_teardown(is_made_anew_where_it_was_removed,
                                  forget_file),
        cmocka_unit_test_teardown(a_name_that_is_taken_is_not_taken_back,
                                  forget_file),
        cmocka_unit_test_teardown(more_providers_than_records, forget_file),
    };
    return cmocka_run_group_tests_name("call_counts", tests, make_folder,
                                       remove_folder);
}
