/* Daily files: which, what is in them, and what a disk that fails costs. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "supervisor/monitor/daily_file.h"
#include "tests/unit/fake_clock.h"
#include "tests/unit/unit.h"

/* 2099-12-30T23:59:59Z: far ahead, so that no limit is over at once. */
#define EVENING_MS INT64_C(4102358399000)
#define DAY_MS     INT64_C(86400000)

static char folder[] = "/tmp/fx-daily-XXXXXX";

/* How many bytes more the disk takes; -1: any. */
static long disk_takes = -1;

ssize_t write(int fd, const void *data, size_t size) {
    if (disk_takes >= 0 && size > (size_t)disk_takes)
        size = (size_t)disk_takes;
    if (disk_takes >= 0)
        disk_takes -= (long)size;
    if (size == 0) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, data, size);
}

static int make(void **state) {
    (void)state;
    strcpy(strrchr(folder, '-'), "-XXXXXX");
    fake_wall_ms = EVENING_MS;
    disk_takes = -1;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_all(void **state) {
    char command[64];
    (void)state;
    disk_takes = -1;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const char *in_folder(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static struct daily_file *open_file(int keep_days) {
    const struct daily_file_form form = {folder, "log-", ".txt", keep_days};
    struct daily_file *file = daily_file_open(&form);
    assert_non_null(file);
    return file;
}

/* Adds lines, and waits until they are written or lost. */
static void put(const char *lines, int keep_days) {
    struct daily_file *file = open_file(keep_days);
    daily_file_add(file, span_of(lines));
    daily_file_close(&file, SECONDS(60));
    assert_null(file);
}

static void assert_holds(const char *name, const char *expected) {
    char text[256] = "";
    FILE *file = fopen(in_folder(name), "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static void touch(const char *name) {
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fclose(file);
}

static bool is_there(const char *name) {
    struct stat status;
    return stat(in_folder(name), &status) == 0;
}

static void a_file_a_day(void **state) {
    (void)state;
    put("one\ntwo\n", 0);
    put("three\n", 0);
    fake_wall_ms += 1000;
    put("four\n", 0);
    assert_holds("log-2099-12-30.txt", "one\ntwo\nthree\n");
    assert_holds("log-2099-12-31.txt", "four\n");
}

static void only_old_ones_of_this_form_go(void **state) {
    (void)state;
    static const char *const kept[] = {
        "log-2099-12-28.txt",    "log-2100-01-05.txt", "log-2099-12-27.txt.gz",
        "my-log-2099-12-01.txt", "log-2099-12-1.txt",  "log-2099-02-30.txt",
        "audit-2099-12-01.txt",  "log-.txt",           "notes"};
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        touch(kept[i]);
    touch("log-2099-12-27.txt");
    touch("log-1999-01-04.txt");
    put("one\n", 2);
    assert_false(is_there("log-2099-12-27.txt"));
    assert_false(is_there("log-1999-01-04.txt"));
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        assert_true(is_there(kept[i]));
}

/* Waits for the thread to come to the end of what was added. */
static struct daily_file_state settle(struct daily_file *file,
                                      uint64_t lost_lines) {
    struct daily_file_state s;
    while ((s = daily_file_state(file)).lost_lines < lost_lines)
        sched_yield();
    return s;
}

static void a_full_disk_costs_whole_lines(void **state) {
    (void)state;
    struct daily_file *file = open_file(0);
    disk_takes = 6;
    daily_file_add(file, span_of("one\ntwo\nthree\n"));
    assert_int_equal(settle(file, 2).error, ENOSPC);
    disk_takes = -1;
    daily_file_add(file, span_of("four\n"));
    daily_file_close(&file, SECONDS(60));
    assert_holds("log-2099-12-30.txt", "one\nfour\n");
}

static void what_is_moved_or_removed_is_made_anew(void **state) {
    (void)state;
    put("one\n", 0);
    struct daily_file *file = open_file(0);
    char aside[128];
    snprintf(aside, sizeof aside, "%s", in_folder("aside"));
    assert_int_equal(rename(in_folder("log-2099-12-30.txt"), aside), 0);
    daily_file_add(file, span_of("two\n"));
    daily_file_close(&file, SECONDS(60));
    assert_holds("aside", "one\n");
    assert_holds("log-2099-12-30.txt", "two\n");
    remove_all(NULL);
    put("three\n", 0);
    assert_holds("log-2099-12-30.txt", "three\n");
}

/* A FIFO that nobody reads holds who opens it, as a disk does that stalls. */
static void a_stalled_disk_costs_no_time(void **state) {
    (void)state;
    enum { LINE = 1000, LINES = 10000 };
    static char line[LINE + 1];
    memset(line, 'x', LINE - 1);
    line[LINE - 1] = '\n';
    assert_int_equal(mkfifo(in_folder("log-2099-12-30.txt"), 0600), 0);
    struct daily_file *file = open_file(0);
    for (int i = 0; i < LINES; i++)
        daily_file_add(file, span_of(line));
    struct daily_file_state s = daily_file_state(file);
    assert_true(s.lost_lines > 0 && s.lost_lines < LINES);
    /* How long it stalls is seen while it does. */
    while (s.slowest.usec < 2 * USEC_PER_SEC) {
        fake_monotonic_usec += USEC_PER_SEC;
        sched_yield();
        s = daily_file_state(file);
    }
    /* It moves on, and fails. */
    signal(SIGPIPE, SIG_IGN);
    close(open(in_folder("log-2099-12-30.txt"), O_RDONLY));
    while (daily_file_state(file).error != EPIPE)
        sched_yield();
    assert_int_equal(daily_file_state(file).slowest.usec, 0);
    daily_file_close(&file, SECONDS(60));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_a_day, make, remove_all),
        cmocka_unit_test_setup_teardown(only_old_ones_of_this_form_go, make,
                                        remove_all),
        cmocka_unit_test_setup_teardown(a_full_disk_costs_whole_lines, make,
                                        remove_all),
        cmocka_unit_test_setup_teardown(what_is_moved_or_removed_is_made_anew,
                                        make, remove_all),
        cmocka_unit_test_setup_teardown(a_stalled_disk_costs_no_time, make,
                                        remove_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
