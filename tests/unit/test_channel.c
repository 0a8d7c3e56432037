/* Channels, over socket pairs of which the test holds the other end. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/lines/channel.h"
#include "tests/unit/channel_pair.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

static void is_idle_at_first(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    assert_false(channel_has_output(&p.channel));
    expect_status(&p, CHANNEL_IDLE);
    expect_no_line(&p); /* buffers are made by the first read */
    teardown(&p);
}

/* Reads once and appends the lines that there are, each with its end. */
static void read_lines(struct pair *p, char *seen) {
    expect_status(p, CHANNEL_LINES);
    struct span line;
    while (channel_next_line(&p->channel, &line))
        sprintf(seen + strlen(seen), "%.*s\n", (int)line.len, line.data);
}

static void reads_lines_split_at_any_place(void **state) {
    (void)state;
    static const char text[] = "{\"op\":\"ping\"}\n\nsecond\r\n \nlast\n";
    for (size_t split = 1; split < sizeof text - 1; split++) {
        struct pair p;
        setup(&p);
        char seen[sizeof text] = "";
        send_all(&p, text, split);
        read_lines(&p, seen);
        send_all(&p, text + split, sizeof text - 1 - split);
        read_lines(&p, seen);
        if (strcmp(seen, text) != 0)
            fail_msg("split at %zu: `%s`", split, seen);
        expect_status(&p, CHANNEL_IDLE);
        teardown(&p);
    }
}

static void reads_lines_byte_by_byte(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    for (const char *at = "ab\n\nc\n"; *at != '\0'; at++) {
        send_all(&p, at, 1);
        expect_status(&p, CHANNEL_LINES);
        if (*at != '\n')
            expect_no_line(&p);
        else if (at[-1] == '\n')
            expect_line(&p, "");
        else
            expect_line(&p, at[-1] == 'b' ? "ab" : "c");
    }
    teardown(&p);
}

/* All lines of one read are lent together, until the next read. */
static void lends_many_lines_at_once(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    send_all(&p, "one\ntwo\nthree\nfo", 16);
    expect_status(&p, CHANNEL_LINES);
    struct span lines[3];
    for (int i = 0; i < 3; i++)
        assert_true(channel_next_line(&p.channel, &lines[i]));
    expect_no_line(&p);
    assert_true(span_equals(lines[0], "one"));
    assert_true(span_equals(lines[1], "two"));
    assert_true(span_equals(lines[2], "three"));
    send_all(&p, "ur\n", 3);
    expect_status(&p, CHANNEL_LINES);
    expect_line(&p, "four");
    teardown(&p);
}

/* Only the newline ends a line: CR and NUL are bytes like any other. */
static void keeps_all_other_bytes(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    all['\n'] = 'n';
    send_all(&p, all, sizeof all);
    send_all(&p, "\n", 1);
    expect_status(&p, CHANNEL_LINES);
    struct span line;
    assert_true(channel_next_line(&p.channel, &line));
    assert_int_equal(line.len, sizeof all);
    assert_memory_equal(line.data, all, sizeof all);
    teardown(&p);
}

static void sees_the_peer_go(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    send_all(&p, "whole\nhalf", 10);
    close_peer(&p);
    expect_status(&p, CHANNEL_LINES);
    expect_line(&p, "whole");
    expect_no_line(&p);
    expect_status(&p, CHANNEL_CLOSED);
    expect_no_line(&p);
    expect_status(&p, CHANNEL_CLOSED);
    teardown(&p);
}

/* A peer that closes with our bytes unread resets the connection. */
static void calls_a_reset_broken(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    assert_int_equal(channel_write(&p.channel, span_of("unread")), 0);
    close_peer(&p);
    expect_status(&p, CHANNEL_BROKEN);
    teardown(&p);
}

/* Who shuts down his side only has still his answers to come. */
static void answers_who_has_sent_all(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    send_all(&p, "question\n", 9);
    assert_int_equal(shutdown(p.peer, SHUT_WR), 0);
    expect_status(&p, CHANNEL_LINES);
    expect_line(&p, "question");
    expect_status(&p, CHANNEL_CLOSED);
    assert_int_equal(channel_write(&p.channel, span_of("answer")), 0);
    char answer[16] = "";
    assert_int_equal(recv(p.peer, answer, sizeof answer, 0), 7);
    assert_string_equal(answer, "answer\n");
    teardown(&p);
}

/* `before` short lines, and then one of `len` bytes. */
static void check_line_length(size_t before, size_t len, bool fits) {
    struct pair p;
    setup(&p);
    char *bytes = malloc(2 * before + len + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < before; i++)
        memcpy(bytes + 2 * i, "s\n", 2);
    memset(bytes + 2 * before, 'L', len);
    bytes[2 * before + len / 2] = 'M';
    bytes[2 * before + len] = '\n';
    struct span line = {"", 0};
    int lines;
    enum channel_status status =
        pump(&p, bytes, 2 * before + len + 1, &line, &lines);
    if (status != (fits ? CHANNEL_IDLE : CHANNEL_BROKEN))
        fail_msg("%zu bytes after %zu lines: status %d", len, before, status);
    assert_int_equal(lines, (int)before + (fits ? 1 : 0));
    if (fits) {
        assert_int_equal(line.len, len);
        assert_memory_equal(line.data, bytes + 2 * before, len);
        send_all(&p, "next\n", 5);
        expect_status(&p, CHANNEL_LINES);
        expect_line(&p, "next");
    } else {
        expect_no_line(&p);
    }
    free(bytes);
    teardown(&p);
}

static void limits_the_line(void **state) {
    (void)state;
    assert_int_equal(CHANNEL_MAX_LINE_BYTES, 262144);
    static const size_t before[] = {0, 1, 2, 1000, 2048, 50000};
    for (size_t i = 0; i < COUNT_OF(before); i++) {
        check_line_length(before[i], 4095, true);
        check_line_length(before[i], 4096, true);
        check_line_length(before[i], 4097, true);
        check_line_length(before[i], 100000, true);
        check_line_length(before[i], 262143, true);
        check_line_length(before[i], 262144, true);
        check_line_length(before[i], 262145, false);
        check_line_length(before[i], 262146, false);
        check_line_length(before[i], 1000000, false);
    }
}

/* The longest line is whole but for its end, and the socket is empty. */
static void waits_for_the_end_of_the_longest_line(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    static char bytes[CHANNEL_MAX_LINE_BYTES];
    struct span line;
    int lines;
    memset(bytes, 'w', sizeof bytes);
    assert_int_equal(pump(&p, bytes, sizeof bytes, &line, &lines),
                     CHANNEL_IDLE);
    assert_int_equal(lines, 0);
    send_all(&p, "\n", 1);
    expect_status(&p, CHANNEL_LINES);
    assert_true(channel_next_line(&p.channel, &line));
    assert_int_equal(line.len, sizeof bytes);
    teardown(&p);
}

/* Line `number` is its number and so many letters, by its own dice. */
static int make_line(int number, char out[static 10000]) {
    struct random random = {(uint64_t)number};
    size_t letters = random_below(&random, number % 10 == 0 ? 9000 : 90);
    int len = sprintf(out, "%d ", number);
    memset(out + len, 'a' + number % 26, letters);
    return len + (int)letters;
}

static void reads_many_lines(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    enum { LINES = 5000 };
    char *all = malloc(LINES * 10000), *end = all;
    assert_non_null(all);
    for (int i = 0; i < LINES; i++) {
        end += make_line(i, end);
        *end++ = '\n';
    }
    struct random random = {5};
    int seen = 0;
    for (char *at = all; seen < LINES;) {
        size_t n = 1 + random_below(&random, 20000);
        n = n > (size_t)(end - at) ? (size_t)(end - at) : n;
        ssize_t sent = n > 0 ? send(p.peer, at, n, 0) : 0;
        at += sent > 0 ? sent : 0;
        expect_status(&p, CHANNEL_LINES);
        struct span line;
        for (; channel_next_line(&p.channel, &line); seen++) {
            char wanted[10000];
            if (line.len != (size_t)make_line(seen, wanted) ||
                memcmp(line.data, wanted, line.len) != 0)
                fail_msg("line %d is `%.*s`", seen, (int)line.len, line.data);
        }
    }
    expect_status(&p, CHANNEL_IDLE);
    free(all);
    teardown(&p);
}

/* What the peer has received so far is appended at `out`. */
static size_t drain(struct pair *p, char *out) {
    size_t total = 0;
    ssize_t n;
    while ((n = recv(p->peer, out + total, 65536, 0)) > 0)
        total += (size_t)n;
    return total;
}

static void writes_lines_at_once(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    static char seen[1 << 20];
    assert_int_equal(channel_write(&p.channel, span_of("one")), 0);
    assert_int_equal(channel_write(&p.channel, span_of("")), 0);
    assert_int_equal(
        channel_write(&p.channel, (struct span){"a\0b, cut here", 3}), 0);
    assert_false(channel_has_output(&p.channel));
    assert_int_equal(drain(&p, seen), 9);
    assert_memory_equal(seen, "one\n\na\0b\n", 9);
    teardown(&p);
}

/* What the socket takes in small pieces goes out all the same, in order. */
static void goes_on_after_a_part_and_an_interruption(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    char seen[32] = "";
    most_at_once = 3;
    interruptions = 2;
    int written = channel_write(&p.channel, span_of("abcdefghij"));
    most_at_once = SIZE_MAX;
    assert_int_equal(written, 0);
    assert_int_equal(interruptions, 0);
    assert_false(channel_has_output(&p.channel));
    assert_int_equal(recv(p.peer, seen, sizeof seen, 0), 11);
    assert_string_equal(seen, "abcdefghij\n");
    teardown(&p);
}

/* Two lines, of which the socket takes any part before the flush. */
static void check_queue(size_t first, size_t second, size_t taken) {
    static const char text[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    struct pair p;
    setup(&p);
    most_in_all = taken;
    assert_int_equal(channel_write(&p.channel, (struct span){text, first}), 0);
    assert_int_equal(channel_write(&p.channel, (struct span){text, second}), 0);
    most_in_all = SIZE_MAX;
    size_t len = first + second + 2;
    assert_int_equal(channel_has_output(&p.channel), taken < len);
    assert_int_equal(channel_flush(&p.channel), 0);
    assert_false(channel_has_output(&p.channel));
    char wanted[128], seen[128] = "";
    snprintf(wanted, sizeof wanted, "%.*s\n%.*s\n", (int)first, text,
             (int)second, text);
    assert_int_equal(recv(p.peer, seen, sizeof seen, 0), len);
    assert_string_equal(seen, wanted);
    teardown(&p);
}

static void queues_what_is_not_taken(void **state) {
    (void)state;
    for (size_t first = 0; first < 12; first++)
        for (size_t second = 0; second < 30; second++)
            for (size_t taken = 0; taken <= first + second + 2; taken++)
                check_queue(first, second, taken);
}

/* A peer that reads little at a time gets every byte, once, in order. */
static void drains_its_queue_by_flushes(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    char *written = malloc(4 << 20), *seen = malloc(4 << 20);
    assert_true(written != NULL && seen != NULL);
    size_t queued = 0, got = 0, waits = 0;
    for (int i = 0; queued < 2 << 20; i++) {
        int len = make_line(i, written + queued);
        struct span line = {written + queued, (size_t)len};
        assert_int_equal(channel_write(&p.channel, line), 0);
        queued += (size_t)len;
        written[queued++] = '\n';
        waits += channel_has_output(&p.channel);
        if (p.channel.out_len > CHANNEL_MAX_QUEUE_BYTES / 2) {
            got += drain(&p, seen + got);
            assert_int_equal(channel_flush(&p.channel), 0);
        }
    }
    assert_in_range(waits, 100, 100000);
    while (channel_has_output(&p.channel)) {
        size_t n = drain(&p, seen + got);
        assert_true(n > 0);
        got += n;
        assert_int_equal(channel_flush(&p.channel), 0);
    }
    got += drain(&p, seen + got);
    assert_int_equal(got, queued);
    assert_memory_equal(seen, written, queued);
    free(written);
    free(seen);
    teardown(&p);
}

/* A full queue refuses, and keeps what it has. */
static void limits_its_queue(void **state) {
    (void)state;
    assert_int_equal(CHANNEL_MAX_QUEUE_BYTES, 1048576);
    struct pair p;
    setup(&p);
    static char line[1000], seen[4 << 20];
    memset(line, 'q', sizeof line);
    size_t written = 0;
    while (channel_write(&p.channel, (struct span){line, sizeof line}) == 0)
        written += sizeof line + 1;
    size_t room = CHANNEL_MAX_QUEUE_BYTES - p.channel.out_len;
    assert_in_range(room, 1, sizeof line);
    assert_int_equal(channel_write(&p.channel, (struct span){line, room}), -1);
    assert_int_equal(channel_write(&p.channel, (struct span){line, room - 1}),
                     0);
    assert_int_equal(channel_write(&p.channel, span_of("")), -1);
    written += room;
    size_t got = 0;
    do {
        got += drain(&p, seen + got);
        assert_int_equal(channel_flush(&p.channel), 0);
    } while (channel_has_output(&p.channel));
    got += drain(&p, seen + got);
    assert_int_equal(got, written);
    assert_int_equal(channel_write(&p.channel, span_of("again")), 0);
    teardown(&p);
}

static void takes_a_line_as_long_as_the_queue(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    static char line[CHANNEL_MAX_QUEUE_BYTES];
    assert_int_equal(
        channel_write(&p.channel, (struct span){line, sizeof line}), -1);
    assert_false(channel_has_output(&p.channel));
    assert_int_equal(
        channel_write(&p.channel, (struct span){line, sizeof line - 1}), 0);
    assert_true(channel_has_output(&p.channel));
    teardown(&p);
}

/* No signal, only a result: the test would die of SIGPIPE. */
static void fails_to_write_to_nobody(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    close_peer(&p);
    assert_int_equal(channel_write(&p.channel, span_of("lost")), -1);
    teardown(&p);
    setup(&p);
    static char line[CHANNEL_MAX_QUEUE_BYTES - 1];
    assert_int_equal(
        channel_write(&p.channel, (struct span){line, sizeof line}), 0);
    close_peer(&p);
    assert_int_equal(channel_flush(&p.channel), -1);
    teardown(&p);
}

static void closes_its_socket_once(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    int fd = p.channel.fd;
    send_all(&p, "line\n", 5);
    expect_status(&p, CHANNEL_LINES);
    channel_clear(&p.channel);
    assert_int_equal(p.channel.fd, -1);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_int_equal(fcntl(p.peer, F_GETFD), 0);
    assert_false(channel_has_output(&p.channel));
    channel_clear(&p.channel);
    teardown(&p);
}

/* Nothing was ever read or written, so there are no buffers yet. */
static void has_no_line_before_it_reads(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    expect_no_line(&p);
    teardown(&p);
}

static void flushes_nothing_before_it_writes(void **state) {
    (void)state;
    struct pair p;
    setup(&p);
    assert_int_equal(channel_flush(&p.channel), 0);
    teardown(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_idle_at_first),
        cmocka_unit_test(reads_lines_split_at_any_place),
        cmocka_unit_test(reads_lines_byte_by_byte),
        cmocka_unit_test(lends_many_lines_at_once),
        cmocka_unit_test(keeps_all_other_bytes),
        cmocka_unit_test(sees_the_peer_go),
        cmocka_unit_test(calls_a_reset_broken),
        cmocka_unit_test(answers_who_has_sent_all),
        cmocka_unit_test(limits_the_line),
        cmocka_unit_test(waits_for_the_end_of_the_longest_line),
        cmocka_unit_test(reads_many_lines),
        cmocka_unit_test(writes_lines_at_once),
        cmocka_unit_test(goes_on_after_a_part_and_an_interruption),
        cmocka_unit_test(queues_what_is_not_taken),
        cmocka_unit_test(drains_its_queue_by_flushes),
        cmocka_unit_test(limits_its_queue),
        cmocka_unit_test(takes_a_line_as_long_as_the_queue),
        cmocka_unit_test(fails_to_write_to_nobody),
        cmocka_unit_test(closes_its_socket_once),
        cmocka_unit_test(has_no_line_before_it_reads),
        cmocka_unit_test(flushes_nothing_before_it_writes),
    };
    return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
