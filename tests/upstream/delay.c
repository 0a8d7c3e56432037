#include "delay.h"

/* Each doubling of the delay has DELAY_FINE cells of equal width, so a cell is
 * never wider than 1/32 of what it holds. */
enum { DELAY_BITS = 5 };

static unsigned delay_cell(uint64_t ns) {
    if (ns < DELAY_FINE)
        return (unsigned)ns;
    int shift = 63 - __builtin_clzll(ns) - DELAY_BITS;
    return (unsigned)(shift * DELAY_FINE) + (unsigned)(ns >> shift);
}

static uint64_t delay_top(unsigned cell) {
    if (cell < 2 * DELAY_FINE)
        return cell;
    unsigned shift = cell / DELAY_FINE - 1;
    uint64_t low = (uint64_t)(cell % DELAY_FINE + DELAY_FINE) << shift;
    return low + ((uint64_t)1 << shift) - 1;
}

void delay_add(struct delay *d, uint64_t ns) {
    d->cell[delay_cell(ns)]++;
    d->count++;
    if (ns > d->max)
        d->max = ns;
}

uint64_t delay_share(const struct delay *d, double share) {
    double want = share * (double)d->count;
    uint64_t seen = 0;
    for (unsigned i = 0; i < DELAY_CELLS; i++) {
        seen += d->cell[i];
        if (seen > 0 && (double)seen >= want) {
            uint64_t top = delay_top(i);
            return top < d->max ? top : d->max;
        }
    }
    return d->max;
}
