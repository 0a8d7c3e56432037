/* The ledger where its file is another's, damaged, or can not be had. */
#ifndef FXWIRE_TESTS_UNIT_LEDGER_BAD_FILES_H
#define FXWIRE_TESTS_UNIT_LEDGER_BAD_FILES_H

#include <poll.h>

#include "tests/unit/faulty_calls.h"
#include "tests/unit/ledger_reopened.h"
#include "wsclient/ledger_room.h"

enum { FILE_SIZE_MAX = 1 << 16 };

/* Where what stands at the front of the file; its magic is the first. */
enum {
    VERSION_AT = 8,
    BOOT_ID_AT = 12,
    ROOM_BYTES_AT = 56,
    IN_WORK_AT = 64,
    HEADER_BYTES = 72,
    SEQUENCE_AT = 4096 + 8 /* of the first message */
};

static char file_bytes[FILE_SIZE_MAX], other_bytes[FILE_SIZE_MAX];

/* Leaves a file with two messages, the second answered; gives its bytes. */
static size_t leave_two(struct room *room, char bytes[FILE_SIZE_MAX]) {
    struct ledger *ledger = ledger_open(room->path, 4000);
    struct message *first = room_take(ledger, "{\"id\":1}", 1);
    ledger_note_id(first, (struct span){first->request.data + 6, 1});
    room_answer(room_take(ledger, "the second", 2), "its answer");
    ledger_close(&ledger);
    return room_read(room->path, bytes, FILE_SIZE_MAX);
}

/* An empty ledger that works, in a file or in memory. */
static void expect_empty(struct room *room, bool in_file) {
    struct found found;
    room_find(&found, room->path, 4000, 0);
    room_expect_end(&found);
    assert_int_equal(ledger_count(found.ledger), 0);
    struct message *message = room_take(found.ledger, "new", 5);
    assert_int_equal(message->sequence, 1);
    room_answer(message, "answered");
    ledger_close(&found.ledger);
    if (!in_file)
        return;
    room_find(&found, room->path, 4000, 0);
    message = room_expect(&found, "new", "answered");
    assert_int_equal(message->deaths, 0);
    ledger_release(found.ledger, message);
    ledger_close(&found.ledger);
}

static void expect_set_aside(struct room *room, size_t len) {
    room_expect_told(room, "");
    expect_empty(room, true);
    room_expect_told(room, "WARN test[");
    /* As it was, for a person to look at. */
    assert_int_equal(room_read(room->aside, other_bytes, FILE_SIZE_MAX), len);
    assert_memory_equal(other_bytes, file_bytes, len);
    unlink(room->aside);
}

/* What is changed in a good file's first bytes, or how much is left of it. */
static const struct {
    const char *what;
    size_t at, len;
    const char *put;
    size_t cut_to; /* 0: all of it */
} strange[] = {
    {"another magic", 0, 8, "fxledges", 0},
    {"half a magic", 0, 8, "fxle\0\0\0\0", 0},
    {"an earlier version", VERSION_AT, 4, "\0\0\0\0", 0},
    {"a later version", VERSION_AT, 4, "\x04\0\0\0", 0},
    {"another boot", BOOT_ID_AT, 36, "01234567-89ab-cdef-0123-456789abcdef", 0},
    {"no boot", BOOT_ID_AT, 40,
     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
     "\0"
     "\0\0\0",
     0},
    {"more room than there is", ROOM_BYTES_AT, 8, "\0\0\1\0\0\0\0\0", 0},
    {"endless room", ROOM_BYTES_AT, 8, "\0\xf0\xff\xff\xff\xff\xff\xff", 0},
    {"no room", ROOM_BYTES_AT, 8, "\0\0\0\0\0\0\0\0", 0},
    {"half a page of room", ROOM_BYTES_AT, 8, "\0\x08\0\0\0\0\0\0", 0},
    {"a message without a number", SEQUENCE_AT, 8, "\0\0\0\0\0\0\0\0", 0},
    {"a byte", 0, 0, "", 1},
    {"its magic alone", 0, 0, "", 8},
    {"half a header", 0, 0, "", 40},
    {"most of a page", 0, 0, "", 4000},
    {"a header alone", 0, 0, "", 4096},
    {"a byte of room", 0, 0, "", 4097},
    {"all but a byte", 0, 0, "", 8191},
    {"text", 0, 24, "This is somebody's text\n", 24},
};

static void what_is_strange_is_set_aside(void **state) {
    struct room *room = *state;
    for (size_t i = 0; i < COUNT_OF(strange); i++) {
        size_t len = leave_two(room, file_bytes);
        assert_int_equal(len, 8192);
        memcpy(file_bytes + strange[i].at, strange[i].put, strange[i].len);
        len = strange[i].cut_to != 0 ? strange[i].cut_to : len;
        room_write(room->path, file_bytes, len);
        print_message("%s\n", strange[i].what);
        expect_set_aside(room, len);
    }
}

/* The room is one free extent, and one that is too short for what it says. */
static void nothing_is_read_behind_the_end(void **state) {
    struct room *room = *state;
    size_t len = leave_two(room, file_bytes);
    mmap_strictly = true;
    for (uint64_t size = EXTENT_UNIT; size <= 256; size += EXTENT_UNIT)
        for (unsigned mark = 1; mark <= 3; mark++) {
            uint64_t words[] = {4096 - size, size | mark};
            memset(file_bytes + 4096, 0, 4096);
            memcpy(file_bytes + 4096, &words[0], sizeof *words);
            memcpy(file_bytes + 8192 - size, &words[1], sizeof *words);
            room_write(room->path, file_bytes, len);
            expect_set_aside(room, len);
        }
    mmap_strictly = false;
}

/* The newest is kept, in the place of one that was there. */
static void what_was_set_aside_before_is_replaced(void **state) {
    struct room *room = *state;
    room_write(room->aside, "older", 5);
    memcpy(file_bytes, "newer", 5);
    room_write(room->path, file_bytes, 5);
    expect_set_aside(room, 5);
}

/* As a kill leaves it that comes while the file is made. */
static void a_file_that_was_not_begun_is_begun_anew(void **state) {
    struct room *room = *state;
    static const size_t lengths[] = {0, 1, 7, 8, 4096, 8192, 40960};
    memset(file_bytes, 0, sizeof file_bytes);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        room_write(room->path, file_bytes, lengths[i]);
        expect_empty(room, true);
        room_expect_told(room, "");
        assert_false(room_has(room->aside));
    }
    /* Its header was written but for the magic, which comes last. */
    leave_two(room, file_bytes);
    memset(file_bytes, 0, 8);
    memset(file_bytes + 4096, 0, 4096);
    file_bytes[IN_WORK_AT] = 1;
    room_write(room->path, file_bytes, 8192);
    expect_empty(room, true);
    room_expect_told(room, "");
}

static void expect_in_memory(struct room *room) {
    expect_empty(room, false);
    room_expect_told(room, "ledger_in_memory_only");
}

static void what_is_no_file_of_ours_is_left_alone(void **state) {
    struct room *room = *state;
    char target[80];
    struct stat status;
    assert_int_equal(mkdir(room->path, 0700), 0);
    expect_in_memory(room);
    assert_int_equal(rmdir(room->path), 0);

    snprintf(target, sizeof target, "%s/target", room->folder);
    assert_int_equal(symlink(target, room->path), 0);
    expect_in_memory(room);
    assert_false(room_has(target));
    room_write(target, "precious", 8);
    expect_in_memory(room);
    assert_int_equal(room_read(target, other_bytes, FILE_SIZE_MAX), 8);
    unlink(target);
    unlink(room->path);

    assert_int_equal(mkfifo(room->path, 0600), 0);
    expect_in_memory(room);
    assert_int_equal(lstat(room->path, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    unlink(room->path);

    if (geteuid() != 0) {
        print_message("SKIPPED: another's file, for only root can make one\n");
        return;
    }
    room_write(room->path, "precious", 8);
    assert_int_equal(chown(room->path, 65534, 65534), 0);
    expect_in_memory(room);
    assert_int_equal(room_read(room->path, other_bytes, FILE_SIZE_MAX), 8);
}

/* Not every file system has locks; that is no other wsclient. */
static void without_locks_memory_serves(void **state) {
    struct room *room = *state;
    static const int errors[] = {ENOLCK, EOPNOTSUPP, EINVAL};
    size_t len = leave_two(room, file_bytes);
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        flock_error = errors[i];
        expect_in_memory(room);
    }
    flock_error = 0;
    /* Untouched, for the day on which there are. */
    assert_int_equal(room_read(room->path, other_bytes, FILE_SIZE_MAX), len);
    assert_memory_equal(other_bytes, file_bytes, len);
}

static void without_a_folder_memory_serves(void **state) {
    struct room *room = *state, missing = *room;
    snprintf(missing.path, sizeof missing.path, "%s/no/ledger", room->folder);
    expect_in_memory(&missing);
}

/* The same, where what is to be set aside can not be renamed. */
static void what_can_not_be_set_aside_stays(void **state) {
    struct room *room = *state;
    char inside[80], log[LOG_LINE_BYTES];
    snprintf(inside, sizeof inside, "%s/in", room->aside);
    assert_int_equal(mkdir(room->aside, 0700), 0);
    room_write(inside, "", 0);
    room_write(room->path, "foreign", 7);
    expect_empty(room, false);
    assert_true(read(room->told[0], log, sizeof log) > 0);
    assert_int_equal(room_read(room->path, other_bytes, FILE_SIZE_MAX), 7);
    unlink(inside);
    assert_int_equal(rmdir(room->aside), 0);
}

/* The disk has no more than `bytes`, as far as this process can see. */
static void limit_files(rlim_t bytes) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void without_room_on_the_disk_memory_serves(void **state) {
    struct room *room = *state;
    limit_files(6000);
    expect_in_memory(room);
    limit_files(RLIM_INFINITY);
    assert_false(room_has(room->path)); /* nor is a part of it left */
}

/* Reads every byte of what is found, then works with it. */
static void use_whatever_is_found(struct room *room) {
    struct found found;
    static volatile unsigned sum; /* so that the bytes are read indeed */
    room_find(&found, room->path, 4000, 0);
    struct message *message;
    while ((message = room_next(&found)) != NULL) {
        const struct span spans[] = {message->request, message->id,
                                     message->answer};
        for (size_t i = 0; i < COUNT_OF(spans); i++)
            for (size_t k = 0; k < spans[i].len; k++)
                sum = sum + (unsigned char)spans[i].data[k];
        memset(ledger_answer_room(message), 'a',
               message->request.len + RESPONSE_GROWTH_BYTES);
        ledger_answered(message, message->request.len + RESPONSE_GROWTH_BYTES);
        ledger_release(found.ledger, message);
    }
    assert_int_equal(ledger_count(found.ledger), 0);
    message = room_take(found.ledger, "new", 1);
    assert_non_null(message);
    ledger_release(found.ledger, message);
    ledger_close(&found.ledger);
    assert_false(room_has(room->path));
    char log[LOG_LINE_BYTES];
    while (read(room->told[0], log, sizeof log) > 0)
        ;
}

/* Any byte of it may be another one: it is set aside, or can be worked with. */
static void a_damaged_file_does_no_harm(void **state) {
    struct room *room = *state;
    static const char masks[] = {1, 2, 4, 8, 16, 32, 64, -128, -1};
    size_t len = leave_two(room, file_bytes), aside = 0, opened = 0;
    for (size_t at = 0; at < 4096 + 1500; at++) {
        if (at == HEADER_BYTES)
            at = 4096; /* nothing is between */
        for (size_t i = 0; i < COUNT_OF(masks); i++) {
            file_bytes[at] ^= masks[i];
            room_write(room->path, file_bytes, len);
            file_bytes[at] ^= masks[i];
            use_whatever_is_found(room);
            *(room_has(room->aside) ? &aside : &opened) += 1;
            unlink(room->aside);
        }
    }
    assert_true(aside > 200);
    assert_true(opened > 200);
}

/* One who opens it waits a little for who has it, and finds what he leaves. */
static void a_second_one_waits(void **state) {
    struct room *room = *state;
    for (int in_hand = 0; in_hand <= 1; in_hand++) {
        int opened[2];
        assert_int_equal(pipe(opened), 0);
        pid_t pid = fork(); /* before, else it shares the lock */
        if (pid == 0) {
            struct found found;
            char byte;
            if (read(opened[0], &byte, 1) != 1)
                _exit(99);
            room_find(&found, room->path, ROOM, 0);
            size_t count = ledger_count(found.ledger);
            room_take(found.ledger, "by the second one", 2);
            ledger_close(&found.ledger);
            _exit((int)count);
        }
        struct ledger *ledger = ledger_open(room->path, ROOM);
        assert_int_equal(write(opened[1], "", 1), 1);
        if (in_hand == 1)
            room_take(ledger, "by the first one", 1);
        int status;
        ledger_close(&ledger);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), in_hand);
        struct found found;
        room_find(&found, room->path, ROOM, 0);
        if (in_hand == 1)
            ledger_release(found.ledger,
                           room_expect(&found, "by the first one", ""));
        ledger_release(found.ledger,
                       room_expect(&found, "by the second one", ""));
        close(opened[0]);
        close(opened[1]);
        room_expect_end(&found);
        ledger_close(&found.ledger);
    }
}

/* It is told no, and has changed nothing. */
static void a_second_one_gives_up(void **state) {
    struct room *room = *state;
    struct ledger *ledger = ledger_open(room->path, ROOM);
    struct message *message = room_take(ledger, "by the first one", 1);
    pid_t pid = fork();
    if (pid == 0)
        _exit(ledger_open(room->path, ROOM) == NULL ? 42 : 1);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
    assert_true(span_equals(message->request, "by the first one"));
    ledger_release(ledger, message);
    ledger_close(&ledger);
}

#endif
