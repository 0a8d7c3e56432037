#include "tests/sim/schedule.h"

#include <string.h>

#include "tests/sim/proc.h"
#include "tests/unit/random.h"

enum {
    MOST_REQUESTS = 30,
    MOST_STORES = 80,
    LENGTH_STORES = 8,
    MOST_QUESTIONS = 15,
    TRIES = 3000
};

/* Of a thousand. */
static const struct {
    unsigned weight;
    enum op op;
} ops[] = {{300, OP_REQUESTS},
           {120, OP_KILL},
           {30, OP_KILL_RATES},
           {100, OP_ASK},
           {150, OP_BREAK},
           {50, OP_ORDER},
           {10, OP_KILL_SUPERVISOR},
           {220, OP_FAULT},
           {20, OP_CLOCK}};

static const unsigned codes[] = {0, 0, 1000, 1001, 1009, 1012};

/* Mostly short, at times hours. */
static int64_t make_wait(struct random *random) {
    static const int64_t most[] = {1,        1000,     100000,    100000,
                                   1000000,  1000000,  5000000,   5000000,
                                   20000000, 70000000, 7200000000};
    enum { KINDS = sizeof most / sizeof *most };
    return (int64_t)random_below(random,
                                 (uint64_t)most[random_below(random, KINDS)]);
}

static enum op make_op(struct random *random) {
    unsigned at = (unsigned)random_below(random, 1000), i = 0;
    while (at >= ops[i].weight)
        at -= ops[i++].weight;
    return ops[i].op;
}

static uint32_t make_kill(struct random *random) {
    switch (random_below(random, 4)) {
    case 0:
        return 0;
    case 1:
        return KILL_AT_LENGTH + (uint32_t)random_below(random, LENGTH_STORES);
    default:
        return 1 + (uint32_t)random_below(random, MOST_STORES);
    }
}

static uint32_t make_much(struct random *random, enum op op) {
    switch (op) {
    case OP_REQUESTS:
        return 1 + (uint32_t)random_below(random, MOST_REQUESTS);
    case OP_KILL:
        return make_kill(random);
    case OP_KILL_RATES:
        return (uint32_t)random_below(random, 4);
    case OP_ASK:
        return 1 + (uint32_t)random_below(random, MOST_QUESTIONS);
    case OP_BREAK:
        return codes[random_below(random, sizeof codes / sizeof *codes)];
    case OP_FAULT:
        return (uint32_t)(make_wait(random) / USEC_PER_MSEC % 100000);
    case OP_CLOCK:
        return (uint32_t)random_below(random, 300000) - 100000;
    case OP_ORDER:
        return (uint32_t)random_below(random, 4);
    case OP_KILL_SUPERVISOR:
    case OPS:
        break;
    }
    return 0;
}

void schedule_make(struct schedule *schedule, uint64_t seed) {
    struct random random = {seed};
    schedule->count = 5 + random_below(&random, SCHEDULE_STEPS - 5);
    for (size_t i = 0; i < schedule->count; i++) {
        enum op op = make_op(&random);
        schedule->steps[i] =
            (struct step){.wait = make_wait(&random),
                          .op = op,
                          .what = (uint32_t)random_below(&random, FAULTS),
                          .much = make_much(&random, op),
                          .dice = random_next(&random)};
    }
}

/* Whether it shows the same; what is wrong is told apart by its first words. */
static bool still_fails(const struct schedule *schedule, const char *wrong) {
    if (world_play(schedule->steps, schedule->count, false))
        return false;
    const char *words = strpbrk(wrong, "abcdefghijklmnopqrstuvwxyz");
    const char *now =
        strpbrk(world_what_is_wrong(), "abcdefghijklmnopqrstuvwxyz");
    return words != NULL && now != NULL && strncmp(words, now, 12) == 0;
}

static bool try_without(struct schedule *schedule, size_t at, size_t length,
                        const char *wrong) {
    struct schedule shorter = *schedule;
    memmove(&shorter.steps[at], &shorter.steps[at + length],
            (shorter.count - at - length) * sizeof *shorter.steps);
    shorter.count -= length;
    if (!still_fails(&shorter, wrong))
        return false;
    *schedule = shorter;
    return true;
}

/* One step with less in it. */
static bool try_less(struct schedule *schedule, size_t at, int64_t wait,
                     uint32_t much, const char *wrong) {
    struct schedule simpler = *schedule;
    struct step *step = &simpler.steps[at];
    if (wait == step->wait && much == step->much)
        return false;
    step->wait = wait;
    step->much = much;
    if (!still_fails(&simpler, wrong))
        return false;
    *schedule = simpler;
    return true;
}

static bool try_halves(struct schedule *schedule, size_t at,
                       const char *wrong) {
    const struct step *step = &schedule->steps[at];
    uint32_t least = step->op == OP_REQUESTS || step->op == OP_ASK ? 1 : 0;
    /* A kill at a store is not one in between, nor a code none. */
    bool fixed = step->op == OP_KILL || step->op == OP_KILL_RATES ||
                 step->op == OP_BREAK || step->op == OP_CLOCK ||
                 step->op == OP_ORDER;
    uint32_t half = step->much / 2 > least ? step->much / 2 : least;
    return try_less(schedule, at, 0, step->much, wrong) ||
           try_less(schedule, at, step->wait / 2, step->much, wrong) ||
           (!fixed && try_less(schedule, at, step->wait, least, wrong)) ||
           (!fixed && try_less(schedule, at, step->wait, half, wrong));
}

void schedule_shrink(struct schedule *schedule) {
    char wrong[256];
    int tries = TRIES;
    strcpy(wrong, world_what_is_wrong());
    for (size_t length = schedule->count / 2; length > 0; length /= 2)
        for (size_t at = 0; at + length <= schedule->count && tries-- > 0;)
            if (!try_without(schedule, at, length, wrong))
                at += length;
    for (size_t at = 0; at < schedule->count && tries-- > 0;)
        if (!try_halves(schedule, at, wrong))
            at++;
    for (size_t at = 0; at < schedule->count && tries-- > 0;)
        if (!try_without(schedule, at, 1, wrong))
            at++;
}
