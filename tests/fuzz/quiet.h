/* What the stand-ins tell people is printed, and lost. */
#ifndef FXWIRE_TESTS_FUZZ_QUIET_H
#define FXWIRE_TESTS_FUZZ_QUIET_H

#include "tests/fuzz/fuzz.h"

static FILE *quiet_usual[2], *quiet_nowhere;

static inline void quiet(bool on) {
    if (quiet_nowhere == NULL) {
        quiet_usual[0] = stdout;
        quiet_usual[1] = stderr;
        quiet_nowhere = fopen("/dev/null", "w");
        HOLDS(quiet_nowhere != NULL, "/dev/null");
    }
    stdout = on ? quiet_nowhere : quiet_usual[0];
    stderr = on ? quiet_nowhere : quiet_usual[1];
}

#endif
