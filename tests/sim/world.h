/*
 * The simulated world: a virtual clock, a list of steps that says what happens
 * when, and the parts that it happens to. All follows from the steps alone.
 */
#ifndef FXWIRE_TESTS_SIM_WORLD_H
#define FXWIRE_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"

#define NEVER INT64_MAX

enum op {
    OP_REQUESTS, /* `much` of them, a microsecond apart */
    OP_KILL,     /* now, or in front of the `much`th store from now */
    OP_KILL_RATES,
    OP_KILL_SUPERVISOR,
    OP_ASK,   /* ratefetcher, `much` questions */
    OP_BREAK, /* the upstream ends the connection; `much`: close code */
    OP_ORDER, /* to the supervisor: a restart or a stop of `what` */
    OP_FAULT, /* `what` is wrong for `much` milliseconds */
    OP_CLOCK, /* the wall clock steps by `much` seconds, as signed */
    OPS
};

enum fault {
    FAULT_REFUSED,    /* the upstream takes no connection */
    FAULT_CHOKED,     /* it reads nothing */
    FAULT_BEATLESS,   /* it sends no heartbeat */
    FAULT_MUTE,       /* it sends no Pong */
    FAULT_UNASKED,    /* ratefetcher can not be reached */
    FAULT_PROVIDER_A, /* fails */
    FAULT_PROVIDER_B,
    FAULT_WSCLIENT_HANGS, /* it does not hear its supervisor */
    FAULT_RATEFETCHER_HANGS,
    FAULTS
};

struct step {
    int64_t wait; /* microseconds before it */
    enum op op;
    uint32_t what, much;
    uint64_t dice; /* for all that chance decides until the next step */
};

/* Whether something was found wrong, and what it is; the first one counts. */
bool world_is_wrong(void);
void world_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *world_what_is_wrong(void);

/* Adds a line to the story, if one is told. */
void world_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* In microseconds; the same clock as the product has. */
int64_t world_now(void);

/* The wall clock, were it never set. */
int64_t world_true_ms(void);

uint32_t world_chance(uint32_t bound);

bool world_has(enum fault fault);
int64_t world_fault_end(enum fault fault);

/* Since when an answer comes in time, if only an error: no rates are no reason.
 */
int64_t world_good_since(void);

/* Plays the steps in a world of its own; false: something is wrong. */
bool world_play(const struct step *steps, size_t count, bool told);

/* Virtual microseconds that went by, ever. */
int64_t world_passed(void);

#endif
