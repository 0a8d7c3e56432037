/* The ledger's file grows as it is needed, and is made short again. */
#ifndef FXWIRE_TESTS_UNIT_LEDGER_GROWTH_H
#define FXWIRE_TESTS_UNIT_LEDGER_GROWTH_H

#include <sys/ptrace.h>

#include "tests/unit/ledger_bad_files.h"
#include "wsclient/ledger_file.h"

enum {
    LARGE_ROOM = 3 << 20,
    FIRST_LENGTH = 4096 + LEDGER_FILE_STEP,
    LOOKS = 10 /* in a row, before anything is given back */
};

/* The file's length; it has no holes. */
static size_t length_of(const struct room *room) {
    struct stat status;
    assert_int_equal(stat(room->path, &status), 0);
    assert_true(status.st_blocks * 512 >= status.st_size);
    return (size_t)status.st_size;
}

static void look(struct ledger *ledger, int times) {
    while (times-- > 0)
        assert_false(ledger_restore(ledger));
}

/* Releases all that is found. */
static void release_found(struct found *found) {
    struct message *message;
    while ((message = room_next(found)) != NULL)
        ledger_release(found->ledger, message);
}

static int fill_memory(size_t max_bytes) {
    struct ledger *ledger = ledger_open(NULL, max_bytes);
    int count = fill_up(ledger);
    ledger_close(&ledger);
    return count;
}

static void it_grows_with_use(void **state) {
    struct room *room = *state;
    struct found found;
    struct ledger *ledger = ledger_open(room->path, LARGE_ROOM);
    int in_hand = 0;
    assert_int_equal(length_of(room), FIRST_LENGTH);
    assert_int_equal(ledger_max_bytes(ledger), LARGE_ROOM);
    for (; room_take(ledger, "some request", in_hand) != NULL; in_hand++)
        assert_in_range(length_of(room), 4096 + ledger_bytes(ledger),
                        4096 + ledger_bytes(ledger) * 5 / 3 + LEDGER_FILE_STEP);
    assert_int_equal(length_of(room), 4096 + LARGE_ROOM);
    ledger_close(&ledger);
    room_find(&found, room->path, LARGE_ROOM, 0);
    assert_int_equal(count_found(&found), in_hand);
    ledger_close(&found.ledger);
    unlink(room->path);
    /* As much is taken in the end as by one that has all at once. */
    ledger = ledger_open(room->path, LARGE_ROOM);
    assert_int_equal(fill_up(ledger), fill_memory(LARGE_ROOM));
    ledger_close(&ledger);
}

/* One message may need more than a step. */
static void it_grows_by_as_much_as_one_needs(void **state) {
    struct room *room = *state;
    static char text[400000];
    struct ledger *ledger = ledger_open(room->path, LARGE_ROOM);
    for (int i = 1; i <= 3; i++) {
        struct message *message = ledger_take(
            ledger, (struct span){text, sizeof text}, (monotime){i});
        assert_non_null(message);
        memset(ledger_answer_room(message), 'a', sizeof text);
        ledger_answered(message, sizeof text);
        assert_true(length_of(room) > 2 * sizeof text * (unsigned)i);
    }
    assert_null(
        ledger_take(ledger, (struct span){text, sizeof text}, (monotime){4}));
    ledger_close(&ledger);
}

static void what_a_burst_needed_is_given_back(void **state) {
    struct room *room = *state;
    struct found found;
    struct ledger *ledger = ledger_open(room->path, LARGE_ROOM);
    int in_hand = fill_up(ledger);
    ledger_close(&ledger);
    room_find(&found, room->path, LARGE_ROOM, 0);
    look(found.ledger, 2 * LOOKS);
    assert_int_equal(length_of(room), 4096 + LARGE_ROOM);
    release_found(&found);
    look(found.ledger, LOOKS - 1);
    assert_int_equal(length_of(room), 4096 + LARGE_ROOM);
    /* It is in use again: then it is kept for ten looks more. */
    struct message *message = room_take(found.ledger, "again", 1);
    look(found.ledger, LOOKS);
    ledger_release(found.ledger, message);
    look(found.ledger, LOOKS - 1);
    assert_int_equal(length_of(room), 4096 + LARGE_ROOM);
    look(found.ledger, 1);
    assert_int_equal(length_of(room), FIRST_LENGTH);
    assert_int_equal(fill_up(found.ledger), in_hand);
    ledger_close(&found.ledger);
}

/* It is told while there is room for more, and what comes meanwhile is taken.
 */
static void a_full_disk_is_met_early(void **state) {
    struct room *room = *state;
    struct ledger *ledger = ledger_open(room->path, LARGE_ROOM);
    limit_files(2 * LEDGER_FILE_STEP);
    while (!ledger_is_stuck(ledger))
        assert_non_null(room_take(ledger, "some request", 1));
    room_expect_told(room, "ledger_not_grown");
    assert_in_range(ledger_bytes(ledger), LEDGER_FILE_STEP / 2,
                    LEDGER_FILE_STEP / 4 * 3 + 1024);
    /* With room on the disk it is as it was, before it is needed. */
    limit_files(RLIM_INFINITY);
    look(ledger, 1);
    assert_false(ledger_is_stuck(ledger));
    assert_int_equal(ledger_max_bytes(ledger), LARGE_ROOM);
    assert_int_equal(length_of(room), FIRST_LENGTH + LEDGER_FILE_STEP);
    ledger_close(&ledger);
}

/* Where a long step finds no room, a short one may. */
static void a_small_rest_of_the_disk_is_used(void **state) {
    struct room *room = *state;
    struct ledger *ledger = ledger_open(room->path, 8 * LARGE_ROOM);
    limit_files(4096 + 2 * LARGE_ROOM);
    int in_hand = fill_up(ledger);
    room_expect_told(room, "ledger_not_grown");
    assert_true(in_hand > 0);
    assert_in_range(length_of(room), 4097 + 2 * LARGE_ROOM - LEDGER_FILE_STEP,
                    4096 + 2 * LARGE_ROOM);
    limit_files(RLIM_INFINITY);
    ledger_close(&ledger);
}

/* It goes on as one that is full, loses nothing, and says so once. */
static void without_room_on_the_disk_nothing_grows(void **state) {
    struct room *room = *state;
    struct found found;
    struct ledger *ledger = ledger_open(room->path, LARGE_ROOM);
    limit_files(FIRST_LENGTH + 4096);
    int in_hand = fill_up(ledger);
    room_expect_told(room, "ERROR test[");
    assert_in_range(in_hand, 1, LEDGER_FILE_STEP / 300);
    assert_int_equal(length_of(room), FIRST_LENGTH);
    assert_int_equal(ledger_max_bytes(ledger), LEDGER_FILE_STEP);
    assert_true(ledger_is_stuck(ledger));
    assert_true(ledger_could_take(ledger, LEDGER_FILE_STEP));
    look(ledger, 1);
    assert_int_equal(fill_up(ledger), 0);
    limit_files(RLIM_INFINITY);
    assert_int_equal(fill_up(ledger), 0); /* it is not tried each time */
    look(ledger, 1);
    in_hand += fill_up(ledger);
    assert_false(ledger_is_stuck(ledger));
    assert_int_equal(in_hand, fill_memory(LARGE_ROOM));
    ledger_close(&ledger);
    room_find(&found, room->path, LARGE_ROOM, 0);
    assert_int_equal(count_found(&found), in_hand);
    ledger_close(&found.ledger);
}

/* The file in its new place grows, too. */
static void one_that_is_made_anew_grows(void **state) {
    struct room *room = *state;
    struct found found;
    struct ledger *ledger = ledger_open(room->path, LARGE_ROOM);
    struct message *message = room_take(ledger, "some request", 1);
    assert_int_equal(unlink(room->path), 0);
    assert_true(ledger_restore(ledger));
    room_expect_told(room, "ledger_made_anew");
    assert_int_equal(length_of(room), FIRST_LENGTH);
    int in_hand = 1 + fill_up(ledger);
    assert_int_equal(length_of(room), 4096 + LARGE_ROOM);
    assert_int_equal(unlink(room->path), 0);
    assert_true(ledger_restore(ledger));
    room_expect_told(room, "ledger_made_anew");
    assert_int_equal(length_of(room), 4096 + LARGE_ROOM);
    room_answer(message, "some answer");
    ledger_close(&ledger);
    room_find(&found, room->path, LARGE_ROOM, 0);
    assert_int_equal(ledger_count(found.ledger), in_hand);
    room_expect(&found, "some request", "some answer");
    ledger_close(&found.ledger);
}

/* What a successor would find that begins now, with a copy of the file. */
static size_t count_in_copy(const struct room *room, const char *bytes,
                            size_t len) {
    char copy[80];
    snprintf(copy, sizeof copy, "%s/copy", room->folder);
    room_write(copy, bytes, len);
    struct ledger *ledger = ledger_open(copy, LARGE_ROOM);
    room_expect_told((struct room *)(uintptr_t)room, "");
    size_t count = ledger_count(ledger);
    fill_up(ledger);
    assert_in_range(ledger_bytes(ledger), LARGE_ROOM - 1024, LARGE_ROOM);
    ledger_close(&ledger);
    unlink(copy);
    return count;
}

/*
 * Lets it go on, instruction by instruction, until it stops itself: behind each
 * one a successor would find between `least` and `most`. Gives how often the
 * file was another one.
 */
static int follow_to_stop(struct room *room, pid_t pid, size_t least,
                          size_t most) {
    static char bytes[2 << 20], before[2 << 20];
    static size_t len_before;
    int status, looks = 0;
    do {
        size_t len = room_read(room->path, bytes, sizeof bytes);
        if (len != len_before || memcmp(bytes, before, len) != 0) {
            assert_in_range(count_in_copy(room, bytes, len), least, most);
            memcpy(before, bytes, len);
            len_before = len;
            looks++;
        }
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
    } while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    return looks;
}

/* Takes until the next one makes the file longer. */
static size_t fill_step(struct ledger *ledger) {
    static char text[400];
    size_t count = 0, bytes = 0;
    do {
        assert_non_null(ledger_take(ledger, (struct span){text, sizeof text},
                                    (monotime){0}));
        bytes = ledger_bytes(ledger) / ++count;
    } while (ledger_bytes(ledger) + bytes <= LEDGER_FILE_STEP / 4 * 3);
    return count;
}

static void grow_and_give_back(struct room *room) {
    struct message_queue queue = TAILQ_HEAD_INITIALIZER(queue);
    struct ledger *ledger = ledger_open(room->path, LARGE_ROOM);
    static char text[400];
    ledger_found(ledger, (monotime){0}, &queue);
    raise(SIGSTOP);
    struct message *last =
        ledger_take(ledger, (struct span){text, sizeof text}, (monotime){0});
    raise(SIGSTOP);
    TAILQ_INSERT_TAIL(&queue, last, entry);
    struct found found = {ledger, TAILQ_HEAD_INITIALIZER(found.queue)};
    TAILQ_CONCAT(&found.queue, &queue, entry);
    release_found(&found);
    /* The second leaves no extent where the file is to end. */
    static char large[LEDGER_FILE_STEP];
    for (int i = 0; i < 2; i++)
        ledger_release(ledger,
                       ledger_take(ledger, (struct span){large, sizeof large},
                                   (monotime){0}));
    look(ledger, LOOKS - 1);
    raise(SIGSTOP);
    look(ledger, 1);
    raise(SIGSTOP);
    _exit(0);
}

/* Killed behind any instruction of growing, or of giving back. */
static void no_kill_harms_what_grows(void **state) {
    struct room *room = *state;
    int status;
    need_no_valgrind();
    struct ledger *ledger = ledger_open(room->path, LARGE_ROOM);
    size_t count = fill_step(ledger);
    assert_int_equal(length_of(room), FIRST_LENGTH);
    ledger_close(&ledger);
    pid_t pid = fork();
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(77);
        grow_and_give_back(room);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("SKIPPED: nobody may be traced here\n");
        skip();
    }
    /* Longer, its new extent, its length, and the message. */
    assert_true(follow_to_stop(room, pid, count, count + 1) > 4);
    assert_int_equal(length_of(room), FIRST_LENGTH + LEDGER_FILE_STEP);
    assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    /* As it was, cut in two, its length, and shorter. */
    assert_true(follow_to_stop(room, pid, 0, 0) > 4);
    assert_int_equal(length_of(room), FIRST_LENGTH);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

#endif
