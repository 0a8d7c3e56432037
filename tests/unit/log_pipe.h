/* The log into a pipe, under a clock that stands: what was written. */
#ifndef FXWIRE_TESTS_UNIT_LOG_PIPE_H
#define FXWIRE_TESTS_UNIT_LOG_PIPE_H

#include <fcntl.h>
#include <stdio.h>

#include "common/log.h"
#include "tests/unit/fake_clock.h"
#include "tests/unit/unit.h"

enum { OUTPUT_BYTES = 1 << 20 };

static int in, out;
static char output[OUTPUT_BYTES];

/* An hour after the last one: no flood of before counts. */
static inline void open_log(const char *level, const char *format) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    fake_monotonic_usec += INT64_C(3600) * USEC_PER_SEC;
    in = ends[0];
    out = ends[1];
    log_open("proc", level, format, out);
}

static inline void close_log(void) {
    log_close();
    close(in);
    close(out);
}

/* All that was written since the last call. */
static inline const char *logged(void) {
    size_t len = 0;
    ssize_t n;
    while ((n = read(in, output + len, sizeof output - 1 - len)) > 0)
        len += (size_t)n;
    output[len] = '\0';
    assert_int_equal(strlen(output), len); /* no NUL bytes */
    return output;
}

/* What is logged has to be this, with our number in the place of each PID. */
static inline void expect_logged(const char *form) {
    char wanted[2048] = "";
    const char *pid;
    while ((pid = strstr(form, "PID")) != NULL) {
        sprintf(wanted + strlen(wanted), "%.*s%d", (int)(pid - form), form,
                (int)getpid());
        form = pid + 3;
    }
    strcat(wanted, form);
    const char *found = logged();
    if (strcmp(found, wanted) != 0)
        fail_msg("%s\nis not\n%s", found, wanted);
}

#endif
