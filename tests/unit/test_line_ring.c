/* Lines through a mapped file: whole, in order, once, also across kills. */
#include "common/line_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/unit.h"

enum { RING = 8192, KILLS = 200 };

static char folder[] = "/tmp/fxwire-unit-XXXXXX";
static char path[64], aside_path[80];

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/ring", folder);
    snprintf(aside_path, sizeof aside_path, "%s.aside", path);
    return 0;
}

static int forget_files(void **state) {
    (void)state;
    unlink(path);
    unlink(aside_path);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

static void open_ring(struct line_ring *ring) {
    const char *aside;
    assert_int_equal(line_ring_open(ring, path, RING, &aside), 0);
    assert_null(aside);
}

/* The line of that number: they have many lengths. Gives its length. */
static size_t write_line(char *out, unsigned long number) {
    int len = sprintf(out, "%lu %.*s\n", number, (int)(number * 7919 % 500),
                      "....................................................."
                      ".....................................................");
    return (size_t)len;
}

static bool put(struct line_ring *ring, unsigned long number) {
    char *room = line_ring_room(ring, 600);
    if (room == NULL)
        return false;
    line_ring_put(ring, write_line(room, number), number);
    return true;
}

/* Takes all lines that are there; they have to be the next numbers. */
static void take(struct line_ring *ring, unsigned long *next) {
    struct span lines;
    while ((lines = line_ring_lines(ring)).len > 0) {
        char expected[600];
        size_t at = 0;
        while (at < lines.len) {
            size_t len = write_line(expected, *next);
            if (len > lines.len - at ||
                memcmp(lines.data + at, expected, len) != 0)
                fail_msg("no line %lu but %.20s", *next, lines.data + at);
            at += len;
            ++*next;
        }
        line_ring_taken(ring, lines.len);
    }
}

static void lines_come_whole_and_in_order(void **state) {
    (void)state;
    struct line_ring putter, taker;
    unsigned long next = 1;
    open_ring(&putter);
    assert_true(line_ring_attach(&taker, path));
    assert_int_equal(line_ring_lines(&taker).len, 0);
    for (unsigned long i = 1; i <= 20000; i++) {
        assert_true(put(&putter, i));
        if (i * 31 % 7 == 0)
            take(&taker, &next);
    }
    take(&taker, &next);
    assert_int_equal(next, 20001);
    assert_int_equal(line_ring_take_lost(&taker), 0);
    line_ring_close(&putter);
    line_ring_detach(&taker);
}

static void what_does_not_fit_is_counted(void **state) {
    (void)state;
    struct line_ring putter, taker;
    unsigned long next = 1, last = 0;
    open_ring(&putter);
    assert_true(line_ring_attach(&taker, path));
    while (put(&putter, last + 1))
        last++;
    assert_false(put(&putter, last + 1));
    assert_null(line_ring_room(&putter, RING + 1));
    line_ring_lose(&putter, 4);
    assert_int_equal(line_ring_take_lost(&taker), 7);
    assert_int_equal(line_ring_take_lost(&taker), 0);
    assert_true(last > 10);
    take(&taker, &next);
    assert_int_equal(next, last + 1);
    assert_true(put(&putter, last + 1));
    take(&taker, &next);
    line_ring_close(&putter);
    line_ring_detach(&taker);
}

/* One that fills the lap to its last byte leaves no place where it turns. */
static void a_line_may_end_with_the_lap(void **state) {
    (void)state;
    struct line_ring putter, taker;
    open_ring(&putter);
    assert_true(line_ring_attach(&taker, path));
    for (int i = 0; i < 100; i++) {
        size_t len = i % 3 == 0 ? RING / 2 : RING / 4;
        char *room = line_ring_room(&putter, len);
        assert_non_null(room);
        memset(room, 'a' + i % 26, len);
        line_ring_put(&putter, len, 0);
        struct span lines = line_ring_lines(&taker);
        assert_int_equal(lines.len, len);
        assert_int_equal(lines.data[len - 1], 'a' + i % 26);
        line_ring_taken(&taker, len);
    }
    line_ring_close(&putter);
    line_ring_detach(&taker);
}

static void the_last_mark_is_kept(void **state) {
    (void)state;
    struct line_ring ring, taker;
    open_ring(&ring);
    assert_int_equal(line_ring_mark(&ring), 0);
    assert_true(put(&ring, 5) && put(&ring, 9));
    assert_int_equal(line_ring_mark(&ring), 9);
    mapped_file_close(&ring.file, false); /* as a kill does */
    open_ring(&ring);
    assert_int_equal(line_ring_mark(&ring), 9);
    assert_true(put(&ring, 10));
    assert_int_equal(line_ring_mark(&ring), 10);
    line_ring_clear_mark(&ring);
    assert_int_equal(line_ring_mark(&ring), 0);
    assert_true(put(&ring, 11));
    line_ring_close(&ring); /* what it told of ends with that */
    open_ring(&ring);
    assert_int_equal(line_ring_mark(&ring), 0);
    assert_true(line_ring_attach(&taker, path));
    line_ring_detach(&taker);
    line_ring_close(&ring);
}

/* Puts what comes after the last mark, until it is killed. */
static _Noreturn void put_on(void) {
    struct line_ring ring;
    const char *aside;
    if (line_ring_open(&ring, path, RING, &aside) < 0)
        _exit(1);
    for (unsigned long next = line_ring_mark(&ring) + 1;; next++)
        while (!put(&ring, next))
            usleep(10);
}

static void no_line_is_lost_or_comes_twice_by_kills(void **state) {
    (void)state;
    struct line_ring taker;
    unsigned long next = 1;
    for (int i = 0; i < KILLS; i++) {
        pid_t pid = fork();
        if (pid == 0)
            put_on();
        unsigned long enough = next + 50 + (unsigned long)i;
        while (!line_ring_attach(&taker, path))
            usleep(100);
        while (next < enough)
            take(&taker, &next);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        if (i % 2 == 0) /* and the one who takes is another one each time */
            take(&taker, &next);
        line_ring_detach(&taker);
    }
    assert_true(next > KILLS * 50);
}

static void an_append_that_was_not_finished_is_told(void **state) {
    (void)state;
    struct line_ring ring, taker;
    struct line_ring_append append;
    unsigned long next = 1;
    open_ring(&ring);
    assert_true(put(&ring, 1) && line_ring_attach(&taker, path));
    assert_false(line_ring_unfinished_append(&taker, &append));
    line_ring_begin_append(&taker, (struct line_ring_append){77, 1000});
    line_ring_detach(&taker);
    assert_true(put(&ring, 2) && line_ring_attach(&taker, path));
    assert_true(line_ring_unfinished_append(&taker, &append));
    assert_int_equal(append.inode, 77);
    assert_int_equal(append.size, 1000);
    take(&taker, &next);
    assert_false(line_ring_unfinished_append(&taker, &append));
    line_ring_close(&ring);
    line_ring_detach(&taker);
}

static void a_swept_file_is_followed(void **state) {
    (void)state;
    struct line_ring ring, taker;
    unsigned long next = 1;
    open_ring(&ring);
    assert_true(put(&ring, 1) && put(&ring, 2));
    assert_true(line_ring_attach(&taker, path));
    assert_true(mapped_file_is_in_place(&taker.file));
    unlink(path);
    assert_false(mapped_file_is_in_place(&taker.file));
    assert_false(line_ring_follow(&taker));
    assert_int_equal(mapped_file_restore(&ring.file), 1);
    take(&taker, &next); /* from the old one still */
    assert_true(put(&ring, 3));
    assert_true(line_ring_follow(&taker));
    take(&taker, &next);
    assert_int_equal(next, 4);
    line_ring_close(&ring);
    line_ring_detach(&taker);
}

static void only_a_closed_and_empty_one_goes(void **state) {
    (void)state;
    struct line_ring ring, taker;
    unsigned long next = 1;
    open_ring(&ring);
    assert_true(put(&ring, 1) && line_ring_attach(&taker, path));
    assert_false(line_ring_retire(&taker));
    line_ring_close(&ring);
    assert_false(line_ring_retire(&taker)); /* not empty */
    open_ring(&ring);
    take(&taker, &next);
    assert_false(line_ring_retire(&taker)); /* in use */
    line_ring_close(&ring);
    assert_true(line_ring_retire(&taker));
    assert_int_equal(access(path, F_OK), -1);
    line_ring_detach(&taker);
}

static void what_is_none_is_set_aside(void **state) {
    (void)state;
    struct line_ring ring;
    const char *aside;
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "something else", 14), 14);
    close(fd);
    assert_false(line_ring_attach(&ring, path));
    assert_int_equal(line_ring_open(&ring, path, RING, &aside), 0);
    assert_string_equal(aside, "it is none of ours");
    assert_int_equal(access(aside_path, F_OK), 0);
    assert_true(put(&ring, 1));
    line_ring_close(&ring);
    fd = open(path, O_RDWR);
    assert_int_equal(ftruncate(fd, 5000), 0);
    close(fd);
    assert_false(line_ring_attach(&ring, path));
    assert_int_equal(line_ring_open(&ring, path, RING, &aside), 0);
    assert_string_equal(aside, "it is damaged");
    line_ring_close(&ring);
}

/* Writes another number wherever this one stands in the file's header. */
static void damage(uint64_t from, uint64_t to) {
    uint64_t words[512];
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, words, sizeof words, 0), sizeof words);
    for (size_t i = 0; i < 512; i++)
        if (words[i] == from)
            words[i] = to;
    assert_int_equal(pwrite(fd, words, sizeof words, 0), sizeof words);
    close(fd);
}

static void positions_that_can_not_be_give_nothing(void **state) {
    (void)state;
    struct line_ring putter, taker;
    unsigned long next = 1;
    open_ring(&putter);
    assert_true(put(&putter, 1) && line_ring_attach(&taker, path));
    take(&taker, &next);
    assert_true(put(&putter, 2));
    assert_true(line_ring_lines(&taker).len > 0);
    damage(putter.head, taker.tail - 1);
    assert_int_equal(line_ring_lines(&taker).len, 0);
    damage(taker.tail - 1, UINT64_MAX);
    assert_int_equal(line_ring_lines(&taker).len, 0);
    line_ring_close(&putter);
    line_ring_detach(&taker);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(lines_come_whole_and_in_order, forget_files),
        cmocka_unit_test_teardown(what_does_not_fit_is_counted, forget_files),
        cmocka_unit_test_teardown(a_line_may_end_with_the_lap, forget_files),
        cmocka_unit_test_teardown(the_last_mark_is_kept, forget_files),
        cmocka_unit_test_teardown(no_line_is_lost_or_comes_twice_by_kills,
                                  forget_files),
        cmocka_unit_test_teardown(an_append_that_was_not_finished_is_told,
                                  forget_files),
        cmocka_unit_test_teardown(a_swept_file_is_followed, forget_files),
        cmocka_unit_test_teardown(only_a_closed_and_empty_one_goes,
                                  forget_files),
        cmocka_unit_test_teardown(what_is_none_is_set_aside, forget_files),
        cmocka_unit_test_teardown(positions_that_can_not_be_give_nothing,
                                  forget_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
