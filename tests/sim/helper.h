/*
 * A helper as the supervisor has it: its process works, is killed or ends, and
 * is started again as the supervisor's table says (helper.c).
 */
#ifndef FXWIRE_TESTS_SIM_HELPER_H
#define FXWIRE_TESTS_SIM_HELPER_H

#include "supervisor/lifecycle.h"
#include "tests/sim/stores.h"
#include "tests/sim/world.h"

struct helper {
    const char *name;
    enum process process;
    void (*begin)(void *arg); /* what its main() does in front of its loop */
    void (*gone)(void);       /* all that it had with it is to be forgotten */
    bool up, stopping;
    int64_t start_due, started;
    unsigned kills; /* in front of a store */
    struct lifecycle lifecycle;
};

void helper_begin_world(struct helper *helper);
void helper_end_world(struct helper *helper);

int64_t helper_next(const struct helper *helper);
void helper_turn(struct helper *helper);

/* Has it do something; false: it is dead, or was killed while it did. */
bool helper_does(struct helper *helper, void (*deed)(void *arg), void *arg);

void helper_kill(struct helper *helper);

/* It has ended by itself. */
void helper_ended(struct helper *helper);

/* It is to stop, in order to be started again; false: it can not be told. */
bool helper_is_to_stop(struct helper *helper);

#endif
