/* Repeatable random numbers: the same seed asks the same questions. */
#ifndef UPSTREAM_DICE_H
#define UPSTREAM_DICE_H

#include <stdint.h>

/* Any value is a good seed. */
struct dice {
    uint64_t state;
};

/* A number from 0 to sides - 1; `sides` is at least 1. */
uint64_t dice_below(struct dice *d, uint64_t sides);

/* A number from low to high, both included. */
uint64_t dice_between(struct dice *d, uint64_t low, uint64_t high);

#endif
