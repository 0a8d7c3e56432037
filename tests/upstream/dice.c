#include "dice.h"

/* The SplitMix64 step: small, and good enough to pick test cases. */
static uint64_t dice_roll(struct dice *d) {
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t dice_below(struct dice *d, uint64_t sides) {
    return dice_roll(d) % sides;
}

uint64_t dice_between(struct dice *d, uint64_t low, uint64_t high) {
    return low + dice_below(d, high - low + 1);
}
