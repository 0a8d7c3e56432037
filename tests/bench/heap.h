/*
 * How much of malloc() is in use, libraries included: it is counted here in
 * the place of the C library's own functions. For a program with one thread.
 */
#ifndef FXWIRE_TESTS_BENCH_HEAP_H
#define FXWIRE_TESTS_BENCH_HEAP_H

#include <stddef.h>

size_t heap_in_use(void);

/* The most that was in use since heap_peak_reset(). */
size_t heap_peak(void);
void heap_peak_reset(void);

#endif
