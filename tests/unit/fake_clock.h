/*
 * Both clocks under the test's hand: a program's own clock_gettime() is taken
 * in the place of the C library's.
 */
#ifndef FXWIRE_TESTS_UNIT_FAKE_CLOCK_H
#define FXWIRE_TESTS_UNIT_FAKE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* 2026-11-21T12:00:00.000Z */
#define FAKE_NOON_MS INT64_C(1795262400000)

#define FAKE_START_USEC INT64_C(1000000000)

static int64_t fake_wall_ms = FAKE_NOON_MS;
static int64_t fake_monotonic_usec = FAKE_START_USEC;

/* Time that passes does so on the wall clock too; else that one stands. */
static bool fake_wall_goes_on;

int clock_gettime(clockid_t clock, struct timespec *now) {
    int64_t passed_usec =
        fake_wall_goes_on ? fake_monotonic_usec - FAKE_START_USEC : 0;
    int64_t nsec = clock == CLOCK_REALTIME
                       ? fake_wall_ms * 1000000 + passed_usec * 1000
                       : fake_monotonic_usec * 1000;
    now->tv_sec = nsec / 1000000000;
    now->tv_nsec = nsec % 1000000000;
    return 0;
}

#endif
