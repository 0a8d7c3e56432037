/* Extents: room that is given out and taken back, and outlives a kill. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "tests/unit/random.h"
#include "tests/unit/unit.h"
#include "wsclient/ledger_room.h"

enum { STRETCH = 16384, MARKS = 3 };

/* What stands in an extent that is taken: all follows from its number. */
struct content {
    struct extent extent;
    uint64_t number;
    uint8_t first[8];
    uint8_t second[]; /* to the end; right once the mark is above 1 */
};

static uint8_t byte_of(uint64_t number, size_t at) {
    return (uint8_t)(number * 31 + at * 7 + 1);
}

static void fill_first(struct content *content, uint64_t number) {
    content->number = number;
    for (size_t i = 0; i < sizeof content->first; i++)
        content->first[i] = byte_of(number, i);
}

static size_t second_len(const struct content *content, size_t size) {
    return size - sizeof *content;
}

static void fill_second(struct content *content, size_t size) {
    for (size_t i = 0; i < second_len(content, size); i++)
        content->second[i] = byte_of(content->number + 1, i);
}

/* Why the content is not what its number and its mark say; NULL: it is. */
static const char *fault_of(const struct content *content, size_t size,
                            unsigned mark) {
    if (size < sizeof *content)
        return "it is too short";
    for (size_t i = 0; i < sizeof content->first; i++)
        if (content->first[i] != byte_of(content->number, i))
            return "its first part is not what was written";
    for (size_t i = 0; mark > 1 && i < second_len(content, size); i++)
        if (content->second[i] != byte_of(content->number + 1, i))
            return "its second part is not what was written";
    return NULL;
}

/* What is taken, by the test's own account. */
struct live {
    struct extent *extent;
    size_t size;
    unsigned mark;
    uint64_t number;
};

struct model {
    struct ledger_room room;
    struct live live[STRETCH / sizeof(struct content)];
    size_t count, used;
    uint64_t last_number;
};

static const struct live *find_live(const struct model *m,
                                    const struct extent *extent) {
    for (size_t i = 0; i < m->count; i++)
        if (m->live[i].extent == extent)
            return &m->live[i];
    return NULL;
}

/*
 * Goes over the row: it is exactly what is live, and free ones between. Gives
 * the longest run of free bytes.
 */
static size_t check_row(const struct model *m, const struct ledger_room *room) {
    size_t seen = 0, bytes = 0, run = 0, longest = 0;
    for (struct extent *e = ledger_room_first(room); e != NULL;
         e = ledger_room_next(room, e)) {
        const struct live *live = find_live(m, e);
        bytes += ledger_room_size_of(e);
        run = live == NULL ? run + ledger_room_size_of(e) : 0;
        longest = run > longest ? run : longest;
        if (live == NULL) {
            assert_int_equal(ledger_room_mark_of(e), EXTENT_FREE);
            continue;
        }
        seen++;
        assert_int_equal(ledger_room_mark_of(e), live->mark);
        assert_int_equal(ledger_room_size_of(e), live->size);
        assert_int_equal(((struct content *)e)->number, live->number);
        const char *fault = fault_of((struct content *)e, live->size, 2);
        if (fault != NULL)
            fail_msg("number %lu: %s", (unsigned long)live->number, fault);
    }
    assert_int_equal(bytes, room->bytes);
    assert_int_equal(seen, m->count);
    assert_int_equal(room->used, m->used);
    return longest;
}

/* Also for who opens the stretch now. */
static size_t check(const struct model *m) {
    struct ledger_room other;
    assert_true(
        ledger_room_open(&other, m->room.base, m->room.bytes, m->room.limit));
    check_row(m, &other);
    return check_row(m, &m->room);
}

static void take(struct model *m, size_t asked, unsigned mark) {
    size_t wanted = (asked + EXTENT_UNIT - 1) / EXTENT_UNIT * EXTENT_UNIT;
    bool has_room = m->used + wanted <= m->room.limit && check(m) >= wanted;
    size_t size = asked;
    struct extent *extent = ledger_room_find(&m->room, &size);
    assert_int_equal(extent != NULL, has_room);
    if (extent == NULL)
        return;
    assert_int_equal(size, wanted);
    assert_int_equal(ledger_room_mark_of(extent), EXTENT_FREE);
    check(m); /* what was found is still free for others */
    fill_first((struct content *)extent, ++m->last_number);
    fill_second((struct content *)extent, size);
    ledger_room_take(&m->room, extent, size, mark);
    m->live[m->count++] = (struct live){extent, size, mark, m->last_number};
    m->used += size;
}

static void release(struct model *m, size_t which) {
    ledger_room_release(&m->room, m->live[which].extent);
    m->used -= m->live[which].size;
    m->live[which] = m->live[--m->count];
}

static void step(struct model *m, struct random *random, size_t longest) {
    uint64_t choice = random_below(random, 10);
    if (choice < 5 || m->count == 0) {
        take(m, sizeof(struct content) + random_below(random, longest),
             1 + (unsigned)random_below(random, MARKS));
    } else if (choice < 9) {
        release(m, random_below(random, m->count));
    } else {
        struct live *live = &m->live[random_below(random, m->count)];
        live->mark = 1 + (unsigned)random_below(random, MARKS);
        ledger_room_set_mark(live->extent, live->mark);
    }
}

static char *new_stretch(size_t bytes) {
    char *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(base != MAP_FAILED);
    return base;
}

static void agrees_with_a_simple_model(void **state) {
    (void)state;
    /* Many small ones, some large ones, ones that hardly fit. */
    static const size_t longest[] = {64, 700, 5000, STRETCH};
    static const size_t limits[] = {STRETCH, STRETCH, STRETCH / 4, STRETCH};
    char *base = new_stretch(STRETCH);
    for (size_t i = 0; i < COUNT_OF(longest); i++) {
        struct random random = {i};
        struct model m = {.count = 0};
        ledger_room_format(&m.room, base, STRETCH, limits[i]);
        for (int n = 0; n < 2000; n++) {
            step(&m, &random, longest[i]);
            check(&m);
        }
        /* All can be had again, in one piece. */
        while (m.count > 0)
            release(&m, random_below(&random, m.count));
        assert_int_equal(check(&m), STRETCH);
        take(&m, limits[i], 1);
        assert_int_equal(m.count, 1);
        release(&m, 0);
    }
    munmap(base, STRETCH);
}

static void no_more_than_the_limit_is_given_out(void **state) {
    (void)state;
    char *base = new_stretch(STRETCH);
    struct model m = {.count = 0};
    ledger_room_format(&m.room, base, STRETCH, 4096 + 8);
    take(&m, 4096, 1);
    assert_int_equal(m.count, 1);
    take(&m, 32, 1); /* 8 are left */
    assert_int_equal(m.count, 1);
    release(&m, 0);
    take(&m, 4096 + 16, 1);
    assert_int_equal(m.count, 0);
    /* More may be in use than a lower limit allows: then nothing is given. */
    take(&m, 4096, 1);
    assert_true(ledger_room_open(&m.room, base, STRETCH, 1024));
    take(&m, 32, 1);
    assert_int_equal(m.count, 1);
    check(&m);
    size_t none = SIZE_MAX - 64;
    assert_null(ledger_room_find(&m.room, &none));
    munmap(base, STRETCH);
}

/* Growing makes room at once, also for what was refused just before. */
static void a_stretch_that_grows(void **state) {
    (void)state;
    char *base = new_stretch(STRETCH);
    struct random random = {7};
    struct model m = {.count = 0};
    ledger_room_format(&m.room, base, 1024, STRETCH);
    for (size_t more = 32; m.room.bytes + more <= STRETCH; more *= 2) {
        for (int n = 0; n < 100; n++)
            step(&m, &random, 900);
        size_t before;
        do { /* until there is no room for another one */
            before = m.count;
            take(&m, 64, 1);
        } while (m.count > before);
        ledger_room_grow(&m.room, more);
        check(&m);
        take(&m, 64, 1);
        take(&m, more, 1);
        for (int n = 0; n < 100; n++)
            step(&m, &random, 900);
    }
    munmap(base, STRETCH);
}

/* The first word, and what is wrong with it; the stretch is 1024 bytes. */
static void what_is_no_row_is_not_opened(void **state) {
    (void)state;
    static const uint64_t words[] = {
        0, 1, 15, 1040, 2048, UINT64_MAX, 1024 - 8, 1ULL << 63, 1009 + 1024};
    char *base = new_stretch(STRETCH);
    struct ledger_room room;
    for (size_t at = 0; at < 1024; at += 512) {
        for (size_t i = 0; i < COUNT_OF(words); i++) {
            memset(base, 0, 1024);
            ledger_room_format(&room, base, 512, 512);
            memcpy(base + at, &words[i], sizeof words[i]);
            if (ledger_room_open(&room, base, 1024, 1024))
                fail_msg("word %lu at %zu", (unsigned long)words[i], at);
        }
    }
    munmap(base, STRETCH);
}

/*
 * A worker in a process of its own, which tells of each of its steps before
 * and after, and is killed or looked at in between.
 */
enum { WORKED_STRETCH = 4096, SLOTS = 24 };
enum told { NOTHING, TAKING, TAKEN, RELEASING };

struct worked {
    _Alignas(EXTENT_UNIT) char stretch[WORKED_STRETCH];
    _Atomic uint64_t steps;
    uint64_t last_number;
    struct {
        _Atomic uint64_t number;
        _Atomic unsigned told, mark;
    } slots[SLOTS];
};

static void work_on(struct worked *w, struct ledger_room *room,
                    struct extent *held[SLOTS], struct random *random) {
    size_t slot = random_below(random, SLOTS);
    if (held[slot] == NULL) {
        size_t size = sizeof(struct content) + random_below(random, 300);
        struct extent *extent = ledger_room_find(room, &size);
        if (extent == NULL)
            return;
        w->slots[slot].mark = 1;
        w->slots[slot].number = ++w->last_number;
        w->slots[slot].told = TAKING;
        fill_first((struct content *)extent, w->last_number);
        ledger_room_take(room, extent, size, 1);
        w->slots[slot].told = TAKEN;
        held[slot] = extent;
    } else if (ledger_room_mark_of(held[slot]) == 1) {
        fill_second((struct content *)held[slot],
                    ledger_room_size_of(held[slot]));
        ledger_room_set_mark(held[slot], 2);
        w->slots[slot].mark = 2;
    } else {
        w->slots[slot].told = RELEASING;
        ledger_room_release(room, held[slot]);
        w->slots[slot].told = NOTHING;
        held[slot] = NULL;
    }
}

/* Goes on with what it finds, as a successor does. */
static void go_on_working(struct worked *w, uint64_t seed, uint64_t steps) {
    struct ledger_room room;
    struct extent *held[SLOTS] = {NULL};
    struct random random = {seed};
    size_t found = 0;
    if (!ledger_room_open(&room, w->stretch, WORKED_STRETCH, WORKED_STRETCH))
        _exit(1);
    for (size_t i = 0; i < SLOTS; i++)
        w->slots[i].told = NOTHING;
    for (struct extent *e = ledger_room_first(&room); e != NULL;
         e = ledger_room_next(&room, e)) {
        if (ledger_room_mark_of(e) == EXTENT_FREE)
            continue;
        w->slots[found].number = ((struct content *)e)->number;
        w->slots[found].mark = ledger_room_mark_of(e);
        w->slots[found].told = TAKEN;
        held[found++] = e;
    }
    w->steps = 0;
    while (w->steps < steps) {
        work_on(w, &room, held, &random);
        w->steps++;
    }
}

static struct worked *new_worked(void) {
    struct worked *w = (struct worked *)(void *)new_stretch(sizeof *w);
    struct ledger_room room;
    ledger_room_format(&room, w->stretch, WORKED_STRETCH, WORKED_STRETCH);
    return w;
}

static int find_slot(const struct worked *w, uint64_t number) {
    for (int i = 0; i < SLOTS; i++)
        if (w->slots[i].number == number && w->slots[i].told != NOTHING)
            return i;
    return -1;
}

/* Whatever the worker was at: what it told of is there, and nothing else. */
static const char *fault_in(const struct worked *w) {
    struct ledger_room room;
    bool seen[SLOTS] = {false};
    if (!ledger_room_open(&room, (char *)(uintptr_t)w->stretch, WORKED_STRETCH,
                          WORKED_STRETCH))
        return "it is no row of extents";
    for (struct extent *e = ledger_room_first(&room); e != NULL;
         e = ledger_room_next(&room, e)) {
        if (ledger_room_mark_of(e) == EXTENT_FREE)
            continue;
        const struct content *content = (const struct content *)e;
        int slot = find_slot(w, content->number);
        if (slot < 0 || seen[slot])
            return "one is there that was released, or twice";
        seen[slot] = true;
        if (ledger_room_mark_of(e) < w->slots[slot].mark)
            return "it has an earlier mark";
        const char *fault =
            fault_of(content, ledger_room_size_of(e), ledger_room_mark_of(e));
        if (fault != NULL)
            return fault;
    }
    for (int i = 0; i < SLOTS; i++)
        if (w->slots[i].told == TAKEN && !seen[i])
            return "one that was taken is lost";
    return NULL;
}

static void survives_a_kill_at_any_moment(void **state) {
    (void)state;
    struct random random = {11};
    struct worked *w = new_worked();
    for (uint64_t round = 0; round < 300; round++) {
        w->steps = 0;
        uint64_t moment = 1 + random_below(&random, 2000);
        pid_t pid = fork();
        if (pid == 0)
            go_on_working(w, round, UINT64_MAX);
        int status;
        while (w->steps < moment) {
            assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
            sched_yield();
        }
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        const char *fault = fault_in(w);
        if (fault != NULL)
            fail_msg("round %lu: %s", (unsigned long)round, fault);
    }
    munmap(w, sizeof *w);
}

/* Not at a random one: behind every single instruction of some steps. */
static void is_sound_after_each_instruction(void **state) {
    (void)state;
    struct worked *w = new_worked();
    int status;
    go_on_working(w, 1, 300);
    w->steps = 0; /* it is looked at once it has begun */
    pid_t pid = fork();
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(77);
        raise(SIGSTOP);
        go_on_working(w, 2, 150);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("SKIPPED: nobody may be traced here\n");
        skip();
    }
    uint64_t instructions = 0;
    while (WIFSTOPPED(status)) {
        const char *fault = w->steps > 0 ? fault_in(w) : NULL;
        if (fault != NULL) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            fail_msg("instruction %lu: %s", (unsigned long)instructions, fault);
        }
        instructions++;
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(w->steps, 150);
    assert_true(instructions > 10000);
    munmap(w, sizeof *w);
}

/* Who has few in hand, and never none, stays at the front of a large room. */
static void what_is_used_again_is_near(void **state) {
    (void)state;
    enum { ROOM = 4 << 20, IN_HAND = 8, SIZE = 1024, NEAR = 128 << 10 };
    struct ledger_room room;
    struct extent *in_hand[IN_HAND] = {NULL};
    char *base = aligned_alloc(EXTENT_UNIT, ROOM);
    ledger_room_format(&room, base, ROOM, ROOM);
    for (size_t i = 0; i < 2 * ROOM / SIZE; i++) {
        size_t size = SIZE + i % 3 * EXTENT_UNIT;
        struct extent **oldest = &in_hand[i % IN_HAND],
                      *found = ledger_room_find(&room, &size);
        assert_non_null(found);
        assert_in_range((char *)found - base, 0, NEAR);
        ledger_room_take(&room, found, size, 1);
        if (*oldest != NULL)
            ledger_room_release(&room, *oldest);
        *oldest = found;
    }
    free(base);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_simple_model),
        cmocka_unit_test(no_more_than_the_limit_is_given_out),
        cmocka_unit_test(a_stretch_that_grows),
        cmocka_unit_test(what_is_used_again_is_near),
        cmocka_unit_test(what_is_no_row_is_not_opened),
        cmocka_unit_test(survives_a_kill_at_any_moment),
        cmocka_unit_test(is_sound_after_each_instruction),
    };
    return cmocka_run_group_tests_name("ledger_room", tests, NULL, NULL);
}
