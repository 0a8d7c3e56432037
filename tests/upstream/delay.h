/* A histogram of delays: fine for small ones, coarse for large ones. */
#ifndef UPSTREAM_DELAY_H
#define UPSTREAM_DELAY_H

#include <stdint.h>

enum { DELAY_FINE = 32, DELAY_CELLS = 61 * DELAY_FINE };

/* Start from all zeros. */
struct delay {
    uint64_t cell[DELAY_CELLS];
    uint64_t count;
    uint64_t max;
};

void delay_add(struct delay *d, uint64_t ns);

/* The nanoseconds which that share (0 to 1) of the delays did not exceed, true
 * to about 3 percent; 0 if there were none. */
uint64_t delay_share(const struct delay *d, double share);

#endif
