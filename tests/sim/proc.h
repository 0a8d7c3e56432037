/*
 * A helper's process: it works, is killed, hangs or ends. Who starts it is the
 * supervisor (supervisor.c), with the product's own helper.c.
 */
#ifndef FXWIRE_TESTS_SIM_PROC_H
#define FXWIRE_TESTS_SIM_PROC_H

#include <stdbool.h>

#include "tests/sim/stores.h"
#include "tests/sim/world.h"

struct proc {
    const char *name;
    enum process process;
    enum fault hangs;         /* while that one is on */
    void (*begin)(void *arg); /* what its main() does in front of its loop */
    void (*stop)(void *arg);  /* what it does when it is told to */
    void (*gone)(void);       /* all that it had with it is to be forgotten */
    bool up, stopping;
    int64_t begun;
    unsigned kills; /* in front of a store */
};

extern struct proc wsclient_proc, ratefetcher_proc;

/* Has it do something; false: it is dead, or was killed while it did. */
bool proc_does(struct proc *proc, void (*deed)(void *arg), void *arg);

void proc_begin(struct proc *proc);
void proc_stop(struct proc *proc);
/* In front of its `store`th store from now, or now if that is 0; beginning by
 * KILL_AT_LENGTH: from when its file next becomes longer or shorter. */
enum { KILL_AT_LENGTH = 1000 };
void proc_kill(struct proc *proc, uint32_t store);
/* It has ended by itself. */
void proc_ended(struct proc *proc);

/* The supervisor of all. */
void supervisor_begin_world(void);
void supervisor_end_world(void);
int64_t supervisor_next(void);
void supervisor_turn(void);
void supervisor_kill(void);
enum order { ORDER_RESTART, ORDER_STOP, ORDERS };
void supervisor_ordered(enum process process, enum order order);
/* All are wanted from now on. */
void supervisor_wants_all(void);
/* A process is no more. */
void supervisor_lost(const struct proc *proc);

#endif
