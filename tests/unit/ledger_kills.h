/* The ledger and a worker that is killed at random moments. */
#ifndef FXWIRE_TESTS_UNIT_LEDGER_KILLS_H
#define FXWIRE_TESTS_UNIT_LEDGER_KILLS_H

#include <sched.h>
#include <stdatomic.h>
#include <sys/ptrace.h>

#include "tests/unit/ledger_reopened.h"
#include "tests/unit/random.h"

enum { KILLED_ROOM = 8192, HELD = 12, LONGEST = 600, TOLD = 1 << 16 };

/* What the worker tells of, in memory that outlives it; all in order. */
enum deed {
    TO_TAKE, /* it may be taken or not */
    HAS_TAKEN,
    TO_ANSWER,
    HAS_ANSWERED,
    TO_RELEASE,
    TO_WORK,
    WORKS,
    TO_WORK_NO_MORE,
    WORKS_NO_MORE
};

struct journal {
    _Atomic size_t count;
    struct {
        enum deed deed;
        uint64_t number; /* of the message */
    } told[TOLD];
};

static void tell(struct journal *journal, enum deed deed, uint64_t number) {
    size_t count = journal->count;
    if (count == TOLD)
        for (;;)
            pause();
    journal->told[count].deed = deed;
    journal->told[count].number = number;
    journal->count = count + 1;
}

/* Request and answer follow from a message's number. */
static void write_text(uint64_t number, bool answer, char text[LONGEST + 1]) {
    struct random random = {number * 2 + answer};
    size_t len = 21 + random_below(&random, LONGEST / 2);
    snprintf(text, LONGEST, "%020lu", (unsigned long)number);
    memset(text + 20, (int)('a' + random_below(&random, 26)), len - 20);
    text[len] = '\0';
    if (answer) { /* never longer than there is room for */
        char request[LONGEST + 1];
        write_text(number, false, request);
        text[strlen(request) < len ? strlen(request) : len] = '\0';
    }
}

static uint64_t number_of(const struct message *message) {
    return strtoull(message->request.data, NULL, 10);
}

static void take_one(struct ledger *ledger, struct journal *journal,
                     uint64_t number, struct message **held) {
    char text[LONGEST + 1];
    write_text(number, false, text);
    tell(journal, TO_TAKE, number);
    *held = room_take(ledger, text, (int64_t)number);
    if (*held != NULL)
        tell(journal, HAS_TAKEN, number);
}

static void answer_one(struct ledger *ledger, struct journal *journal,
                       struct message *message) {
    char text[LONGEST + 1];
    uint64_t number = number_of(message);
    tell(journal, TO_WORK, number);
    ledger_work_begins(ledger, message);
    tell(journal, WORKS, number);
    write_text(number, true, text);
    tell(journal, TO_ANSWER, number);
    room_answer(message, text);
    tell(journal, HAS_ANSWERED, number);
    tell(journal, TO_WORK_NO_MORE, number);
    ledger_work_ends(ledger);
    tell(journal, WORKS_NO_MORE, number);
}

/* Goes on with what was left until it is killed, or has told of enough. */
static void work_on(struct found *found, struct journal *journal,
                    uint64_t number, uint64_t seed, size_t enough) {
    struct message *held[HELD] = {NULL};
    struct random random = {seed};
    for (size_t i = 0; i < HELD; i++)
        held[i] = room_next(found);
    while (journal->count < enough) {
        struct message **one = &held[random_below(&random, HELD)];
        if (*one == NULL) {
            take_one(found->ledger, journal, number++, one);
        } else if ((*one)->answer.len == 0) {
            answer_one(found->ledger, journal, *one);
        } else {
            tell(journal, TO_RELEASE, number_of(*one));
            ledger_release(found->ledger, *one);
            *one = NULL;
        }
    }
}

/* What has to be found, by the journal. */
struct expected {
    uint64_t number;
    bool may_be_missing, may_be_unanswered, must_be_unanswered;
    unsigned deaths, deaths_at_most;
};

struct account {
    struct expected all[HELD + 1];
    size_t count;
};

static struct expected *find_expected(struct account *account,
                                      uint64_t number) {
    for (size_t i = 0; i < account->count; i++)
        if (account->all[i].number == number)
            return &account->all[i];
    return NULL;
}

static void drop_expected(struct account *account, struct expected *one) {
    *one = account->all[--account->count];
}

/*
 * Another deed has followed: what was about to be released is gone, and what
 * was about to be taken was not (there was no room).
 */
static void drop_the_uncertain(struct account *account) {
    for (size_t i = account->count; i-- > 0;)
        if (account->all[i].may_be_missing)
            drop_expected(account, &account->all[i]);
}

static void follow(struct account *account, enum deed deed, uint64_t number) {
    if (deed != HAS_TAKEN)
        drop_the_uncertain(account);
    struct expected *one = find_expected(account, number);
    switch (deed) {
    case TO_TAKE:
        assert_true(account->count <= HELD);
        account->all[account->count++] =
            (struct expected){.number = number,
                              .may_be_missing = true,
                              .may_be_unanswered = true,
                              .must_be_unanswered = true};
        break;
    case HAS_TAKEN:
        one->may_be_missing = false;
        break;
    case TO_ANSWER:
        one->must_be_unanswered = false;
        break;
    case HAS_ANSWERED:
        one->may_be_unanswered = false;
        break;
    case TO_RELEASE:
        one->may_be_missing = true;
        break;
    case TO_WORK:
        one->deaths_at_most++;
        break;
    case WORKS:
        one->deaths++;
        break;
    case TO_WORK_NO_MORE:
        one->deaths--;
        break;
    case WORKS_NO_MORE:
        one->deaths_at_most--;
        break;
    }
}

/* Looks at what is left; `next` becomes the account of a next round. */
static void check_found(const char *path, const struct account *expected,
                        uint64_t round, struct account *next) {
    struct found found;
    struct message *message;
    char text[LONGEST + 1];
    size_t count = 0;
    uint64_t before = 0;
    struct account account = *expected;
    next->count = 0;
    room_find(&found, path, KILLED_ROOM, 0);
    while ((message = room_next(&found)) != NULL) {
        uint64_t number = number_of(message);
        struct expected *one = find_expected(&account, number);
        bool answered = message->answer.len > 0;
        if (one == NULL || number <= before)
            fail_msg("round %lu: %lu is there", (unsigned long)round,
                     (unsigned long)number);
        before = number;
        count += !one->may_be_missing;
        write_text(number, false, text);
        assert_true(span_equals(message->request, text));
        assert_int_equal(message->arrived.usec, number);
        assert_false(answered && one->must_be_unanswered);
        assert_false(!answered && !one->may_be_unanswered);
        write_text(number, true, text);
        assert_true(!answered || span_equals(message->answer, text));
        assert_in_range(message->deaths, one->deaths, one->deaths_at_most);
        next->all[next->count++] =
            (struct expected){.number = number,
                              .may_be_unanswered = !answered,
                              .must_be_unanswered = !answered,
                              .deaths = message->deaths,
                              .deaths_at_most = message->deaths};
    }
    for (size_t i = 0; i < account.count; i++)
        count -= !account.all[i].may_be_missing;
    assert_int_equal(count, 0); /* each that was taken is there */
    ledger_close(&found.ledger);
}

static struct journal *new_journal(void) {
    struct journal *journal =
        mmap(NULL, sizeof *journal, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(journal != MAP_FAILED);
    return journal;
}

static void nothing_is_lost_by_kills(void **state) {
    struct room *room = *state;
    struct random random = {3};
    struct account account = {.count = 0}, next;
    struct journal *journal = new_journal();
    for (uint64_t round = 0; round < 200; round++) {
        journal->count = 0;
        size_t moment = random_below(&random, 3000);
        pid_t pid = fork();
        if (pid == 0) {
            struct found found;
            room_find(&found, room->path, KILLED_ROOM, 0);
            work_on(&found, journal, 1 + round * TOLD, round, SIZE_MAX);
        }
        int status;
        while (journal->count < moment) {
            assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
            sched_yield();
        }
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        for (size_t i = 0; i < journal->count; i++)
            follow(&account, journal->told[i].deed, journal->told[i].number);
        check_found(room->path, &account, round, &next);
        account = next;
        room_expect_told(room, "");
    }
    munmap(journal, sizeof *journal);
}

/* Whether the ledger is at work now, and not the worker between two deeds. */
static bool is_within_a_deed(const struct journal *journal) {
    if (journal->count == 0)
        return false;
    enum deed last = journal->told[journal->count - 1].deed;
    return last == TO_TAKE || last == TO_ANSWER || last == TO_RELEASE;
}

/* A successor that would begin now, with a copy of the file. */
static void check_copy(const struct room *room, struct account *account,
                       const struct journal *journal, size_t *followed) {
    static char bytes[1 << 16], before[1 << 16];
    struct account next;
    char copy[80];
    size_t len = room_read(room->path, bytes, sizeof bytes);
    if (*followed == journal->count && memcmp(bytes, before, len) == 0)
        return; /* nothing was stored since the last look */
    memcpy(before, bytes, len);
    while (*followed < journal->count) {
        follow(account, journal->told[*followed].deed,
               journal->told[*followed].number);
        ++*followed;
    }
    snprintf(copy, sizeof copy, "%s/copy", room->folder);
    room_write(copy, bytes, len);
    check_found(copy, account, *followed, &next);
    unlink(copy);
}

/* Not at a random one: behind every single instruction of some deeds. */
static void nothing_is_lost_behind_any_instruction(void **state) {
    need_no_valgrind();
    struct room *room = *state;
    struct journal *journal = new_journal();
    struct account account = {.count = 0};
    size_t followed = 0, looks = 0;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(77);
        struct found found;
        room_find(&found, room->path, KILLED_ROOM, 0);
        raise(SIGSTOP);
        work_on(&found, journal, 1, 2, 100);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("SKIPPED: nobody may be traced here\n");
        skip();
    }
    while (WIFSTOPPED(status)) {
        if (is_within_a_deed(journal)) {
            check_copy(room, &account, journal, &followed);
            looks++;
        }
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(looks > 1000);
    munmap(journal, sizeof *journal);
}

/* The deaths of "a" in the file as it is now, by a successor with a copy. */
static unsigned count_deaths(const struct room *room, const char *bytes,
                             size_t len) {
    char copy[80];
    struct found found;
    snprintf(copy, sizeof copy, "%s/copy", room->folder);
    room_write(copy, bytes, len);
    room_find(&found, copy, KILLED_ROOM, 0);
    unsigned deaths = room_expect(&found, "a", "")->deaths;
    ledger_close(&found.ledger);
    unlink(copy);
    return deaths;
}

/* Who counts a death may be killed behind any instruction of that, too. */
static void a_death_is_counted_once(void **state) {
    struct room *room = *state;
    static char bytes[1 << 16], before[1 << 16];
    struct ledger *ledger = ledger_open(room->path, KILLED_ROOM);
    ledger_work_begins(ledger, room_take(ledger, "a", 1));
    ledger_close(&ledger);
    int status, looks = 0;
    pid_t pid = fork();
    if (pid == 0) {
        struct message_queue queue = TAILQ_HEAD_INITIALIZER(queue);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(77);
        ledger = ledger_open(room->path, KILLED_ROOM);
        raise(SIGSTOP);
        ledger_found(ledger, (monotime){2}, &queue);
        raise(SIGSTOP);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("SKIPPED: nobody may be traced here\n");
        skip();
    }
    do {
        size_t len = room_read(room->path, bytes, sizeof bytes);
        if (memcmp(bytes, before, len) != 0) {
            assert_int_equal(count_deaths(room, bytes, len), 1);
            memcpy(before, bytes, len);
            looks++;
        }
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
    } while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    assert_int_equal(looks, 3); /* as it was, counted, and noted as such */
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

#endif
