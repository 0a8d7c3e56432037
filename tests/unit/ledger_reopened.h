/* The ledger's second half: what a successor finds in the file. */
#ifndef FXWIRE_TESTS_UNIT_LEDGER_REOPENED_H
#define FXWIRE_TESTS_UNIT_LEDGER_REOPENED_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/unit/ledger_folder.h"

enum { ROOM = 16384 };

static void what_is_in_hand_is_found(void **state) {
    struct room *room = *state;
    struct found found;
    struct ledger *ledger = ledger_open(room->path, ROOM);
    struct message *first = room_take(ledger, "{\"id\":77}", 1000);
    struct message *second = room_take(ledger, "", 2000);
    struct message *third = room_take(ledger, "[3]", 3000);
    room_take(ledger, "{\"id\":4}", 4000);
    ledger_note_id(first, (struct span){first->request.data + 6, 2});
    room_answer(first, "to the first");
    room_answer(second, "to the second");
    ledger_release(ledger, third);
    ledger_close(&ledger);

    room_find(&found, room->path, ROOM, 9000);
    assert_int_equal(ledger_count(found.ledger), 3);
    first = room_expect(&found, "{\"id\":77}", "to the first");
    assert_true(span_equals(first->id, "77"));
    assert_int_equal(first->sequence, 1);
    assert_int_equal(first->arrived.usec, 1000);
    assert_int_equal(first->waits_from.usec, 9000);
    assert_int_equal(first->deaths, 0);
    assert_int_equal(first->connection, 0);
    assert_int_equal(first->position, 0);
    second = room_expect(&found, "", "to the second");
    assert_int_equal(second->id.len, 0);
    struct message *fourth = room_expect(&found, "{\"id\":4}", "");
    assert_int_equal(fourth->arrived.usec, 4000);
    assert_int_equal(fourth->sequence, 4);
    room_expect_end(&found);
    /* It goes on: answers what it found, takes what comes. */
    room_answer(fourth, "late");
    ledger_release(found.ledger, second);
    assert_int_equal(room_take(found.ledger, "five", 5000)->sequence, 5);
    ledger_close(&found.ledger);

    room_find(&found, room->path, ROOM, 9000);
    room_expect(&found, "{\"id\":77}", "to the first");
    room_expect(&found, "{\"id\":4}", "late");
    room_expect(&found, "five", "");
    room_expect_end(&found);
    ledger_close(&found.ledger);
}

/* In order of arrival, though a later one lies before an earlier one. */
static void it_is_found_in_order_of_arrival(void **state) {
    struct room *room = *state;
    struct found found;
    struct message *taken[64];
    char text[16];
    int count = 0;
    struct ledger *ledger = ledger_open(room->path, ROOM);
    do {
        snprintf(text, sizeof text, "old %02d", count);
        taken[count] = room_take(ledger, text, count);
    } while (taken[count] != NULL && ++count < (int)COUNT_OF(taken));
    static const int released[] = {5, 0, 20, 2};
    for (size_t i = 0; i < COUNT_OF(released); i++) {
        ledger_release(ledger, taken[released[i]]);
        snprintf(text, sizeof text, "new %02zu", i);
        assert_non_null(room_take(ledger, text, 100 + (int64_t)i));
    }
    ledger_close(&ledger);
    room_find(&found, room->path, ROOM, 0);
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "old %02d", i);
        if (i != 5 && i != 0 && i != 20 && i != 2)
            room_expect(&found, text, "");
    }
    for (size_t i = 0; i < COUNT_OF(released); i++) {
        snprintf(text, sizeof text, "new %02zu", i);
        room_expect(&found, text, "");
    }
    room_expect_end(&found);
    ledger_close(&found.ledger);
}

/* The longest answers and requests keep their bytes, whatever they are. */
static void all_bytes_are_found(void **state) {
    struct room *room = *state;
    struct found found;
    static char request[3000], answer[3000 + RESPONSE_GROWTH_BYTES];
    for (size_t i = 0; i < sizeof request; i++)
        request[i] = (char)(i * 7);
    for (size_t i = 0; i < sizeof answer; i++)
        answer[i] = (char)(i * 11);
    struct ledger *ledger = ledger_open(room->path, ROOM);
    struct span text = {request, sizeof request};
    struct message *message = ledger_take(ledger, text, (monotime){1});
    memcpy(ledger_answer_room(message), answer, sizeof answer);
    ledger_answered(message, sizeof answer);
    ledger_close(&ledger);
    room_find(&found, room->path, ROOM, 0);
    message = room_next(&found);
    assert_int_equal(message->request.len, sizeof request);
    assert_memory_equal(message->request.data, request, sizeof request);
    assert_int_equal(message->answer.len, sizeof answer);
    assert_memory_equal(message->answer.data, answer, sizeof answer);
    room_expect_end(&found);
    ledger_close(&found.ledger);
}

/* A NUL ends each request until it is answered, though a wsclient died while it
 * wrote the answer there. */
static void a_nul_ends_what_is_to_be_read(void **state) {
    struct room *room = *state;
    struct found found;
    struct ledger *ledger = ledger_open(room->path, ROOM);
    struct message *message = room_take(ledger, "first", 1);
    memset(ledger_answer_room(message), 'a', RESPONSE_GROWTH_BYTES);
    ledger_release(ledger, message);
    message = room_take(ledger, "again", 2);
    assert_string_equal(message->request.data, "again");
    memset(ledger_answer_room(message), 'a', RESPONSE_GROWTH_BYTES);
    room_answer(room_take(ledger, "other", 3), "its answer");
    ledger_close(&ledger);
    room_find(&found, room->path, ROOM, 4);
    assert_string_equal(room_expect(&found, "again", "")->request.data,
                        "again");
    room_expect(&found, "other", "its answer");
    ledger_close(&found.ledger);
}

/* The file is this user's own; without anything in hand it is removed. */
static void nothing_in_hand_leaves_no_file(void **state) {
    struct room *room = *state;
    struct stat status;
    struct ledger *ledger = ledger_open(room->path, ROOM);
    assert_int_equal(lstat(room->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(status.st_size >= ROOM);
    assert_true(status.st_blocks * 512 >= ROOM); /* no hole is in it */
    struct message *message = room_take(ledger, "1", 1);
    ledger_close(&ledger);
    assert_true(room_has(room->path));
    struct found found;
    room_find(&found, room->path, ROOM, 0);
    message = room_expect(&found, "1", "");
    ledger_release(found.ledger, message);
    ledger_close(&found.ledger);
    assert_false(room_has(room->path));
}

/* The deaths of the messages "a" and "b" that are found now; closes it. */
static void expect_deaths(struct room *room, unsigned a, unsigned b) {
    struct found found;
    room_find(&found, room->path, ROOM, 0);
    assert_int_equal(room_expect(&found, "a", "")->deaths, a);
    assert_int_equal(room_expect(&found, "b", "")->deaths, b);
    room_expect_end(&found);
    ledger_close(&found.ledger);
}

/* A process that ends while it works on one of them: 'a', 'b'; or on none. */
static void die_at_work_on(struct room *room, char which) {
    struct found found;
    struct message *message;
    room_find(&found, room->path, ROOM, 0);
    while ((message = room_next(&found)) != NULL) {
        ledger_work_begins(found.ledger, message);
        if (message->request.data[0] == which)
            break;
        ledger_work_ends(found.ledger);
    }
    ledger_close(&found.ledger);
}

static void deaths_are_counted_for_who_was_worked_on(void **state) {
    struct room *room = *state;
    struct ledger *ledger = ledger_open(room->path, ROOM);
    ledger_work_begins(ledger, room_take(ledger, "a", 1));
    ledger_work_ends(ledger);
    ledger_work_begins(ledger, room_take(ledger, "b", 2));
    ledger_close(&ledger);
    expect_deaths(room, 0, 1);
    expect_deaths(room, 0, 1); /* who only looked has killed nobody */
    die_at_work_on(room, 'a');
    expect_deaths(room, 1, 1);
    die_at_work_on(room, 'b');
    expect_deaths(room, 1, 2);
    die_at_work_on(room, '-');
    expect_deaths(room, 1, 2);
}

/* A message that was being worked on and is gone harms no other. */
static void deaths_of_one_that_is_gone(void **state) {
    struct room *room = *state;
    struct ledger *ledger = ledger_open(room->path, ROOM);
    struct message *gone = room_take(ledger, "gone", 1);
    room_take(ledger, "a", 2);
    room_take(ledger, "b", 3);
    ledger_work_begins(ledger, gone);
    ledger_release(ledger, gone);
    ledger_close(&ledger);
    expect_deaths(room, 0, 0);
}

/* Takes messages of 100 bytes until it is full; gives how many. */
static int fill_up(struct ledger *ledger) {
    char text[101];
    int count = 0;
    memset(text, 'x', 100);
    text[100] = '\0';
    while (room_take(ledger, text, 0) != NULL)
        count++;
    return count;
}

static int count_found(struct found *found) {
    int count = 0;
    for (; room_next(found) != NULL; count++)
        ;
    assert_int_equal(ledger_count(found->ledger), count);
    return count;
}

static void a_larger_setting_makes_room(void **state) {
    struct room *room = *state;
    struct found found;
    struct ledger *ledger = ledger_open(room->path, ROOM);
    int in_hand = fill_up(ledger), at_first = in_hand;
    ledger_close(&ledger);
    for (size_t bytes = 2 * ROOM; bytes <= 8 * ROOM; bytes *= 2) {
        room_find(&found, room->path, bytes, 0);
        assert_int_equal(count_found(&found), in_hand);
        in_hand += fill_up(found.ledger);
        assert_true(in_hand >= (int)(bytes / ROOM) * at_first);
        ledger_close(&found.ledger);
    }
    room_find(&found, room->path, 8 * ROOM, 0);
    assert_int_equal(count_found(&found), in_hand);
    assert_int_equal(fill_up(found.ledger), 0);
    ledger_close(&found.ledger);
}

static void a_smaller_setting_loses_nothing(void **state) {
    struct room *room = *state;
    struct found found;
    struct ledger *ledger = ledger_open(room->path, 4 * ROOM);
    int in_hand = fill_up(ledger);
    ledger_close(&ledger);
    room_find(&found, room->path, ROOM, 0);
    assert_int_equal(ledger_count(found.ledger), in_hand);
    struct message *message;
    /* Nothing new, until less is in hand than the new setting allows. */
    while (ledger_count(found.ledger) > (size_t)in_hand / 4) {
        assert_null(room_take(found.ledger, (char[101]){"more"}, 0));
        message = room_next(&found);
        assert_int_equal(message->request.len, 100);
        ledger_release(found.ledger, message);
    }
    for (int i = 0; i < 2; i++) {
        message = room_next(&found);
        ledger_release(found.ledger, message);
    }
    assert_in_range(fill_up(found.ledger), 1, 4);
    ledger_close(&found.ledger);
    room_find(&found, room->path, ROOM, 0);
    assert_in_range(count_found(&found), in_hand / 4 - 1, in_hand / 4 + 2);
    ledger_close(&found.ledger);
}

/* Killed between the two steps of growing: the file is longer than it says. */
static void growing_that_was_cut_short(void **state) {
    struct room *room = *state;
    struct found found;
    struct ledger *ledger = ledger_open(room->path, ROOM);
    int in_hand = fill_up(ledger);
    ledger_close(&ledger);
    struct stat status;
    assert_int_equal(stat(room->path, &status), 0);
    assert_int_equal(truncate(room->path, status.st_size + ROOM), 0);
    room_find(&found, room->path, 4 * ROOM, 0);
    assert_int_equal(count_found(&found), in_hand);
    assert_in_range(fill_up(found.ledger), 3 * in_hand, 4 * in_hand);
    ledger_close(&found.ledger);
}

/* Taking, answering and releasing cost no call of the kernel. */
/* Its own instructions and system calls would be counted as the ledger's. */
static void need_no_valgrind(void) {
    const char *preloaded = getenv("LD_PRELOAD");
    if (preloaded != NULL && strstr(preloaded, "vgpreload") != NULL) {
        print_message("SKIPPED: not under valgrind\n");
        skip();
    }
}

static void messages_need_no_system_call(void **state) {
    struct room *room = *state;
    need_no_valgrind();
    struct ledger *ledger = ledger_open(room->path, ROOM);
    /* The first one of all may have memory allocated for its like. */
    ledger_release(ledger, room_take(ledger, "the first", 0));
    pid_t pid = fork();
    if (pid == 0) {
        /* Whatever else is called kills the process. */
        struct sock_filter rules[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                     offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        };
        struct sock_fprog program = {COUNT_OF(rules), rules};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
            syscall(SYS_exit_group, 77);
        for (int i = 0; i < 1000; i++) {
            struct message *message = room_take(ledger, "some request", i);
            ledger_work_begins(ledger, message);
            room_answer(message, "some answer");
            ledger_work_ends(ledger);
            ledger_release(ledger, message);
        }
        syscall(SYS_exit_group, 0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ledger_close(&ledger);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("SKIPPED: system calls can not be filtered here\n");
        skip();
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
