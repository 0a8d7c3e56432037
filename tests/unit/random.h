/*
 * Pseudo-random numbers (SplitMix64), the same ones on every run and machine,
 * so that a failure can be repeated.
 */
#ifndef FXWIRE_TESTS_UNIT_RANDOM_H
#define FXWIRE_TESTS_UNIT_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state; /* any seed */
};

static inline uint64_t random_next(struct random *random) {
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* From 0 to `bound` - 1; the bias is far below what any test could see. */
static inline uint64_t random_below(struct random *random, uint64_t bound) {
    return random_next(random) % bound;
}

#endif
