/* What the unit tests share: cmocka with the headers that it relies on. */
#ifndef FXWIRE_TESTS_UNIT_UNIT_H
#define FXWIRE_TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/json_plain.h"
#include "common/span.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

enum { EXACT_COPY_MAX_BYTES = 8 << 20 };

/* Where memory ends and a page begins that can not be read. */
static inline char *wall_of_memory(void) {
    static char *start = NULL;
    if (start != NULL)
        return start + EXACT_COPY_MAX_BYTES;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    start = mmap(NULL, EXACT_COPY_MAX_BYTES + page, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(start != MAP_FAILED);
    assert_int_equal(mprotect(start + EXACT_COPY_MAX_BYTES, page, PROT_NONE),
                     0);
    return start + EXACT_COPY_MAX_BYTES;
}

/*
 * A copy that no byte can be read behind, by any build: a sanitizer may miss
 * such a read (gcc 12 does, once it optimises), a wall does not. The copy lasts
 * until the next one.
 */
static inline struct span exact_copy(const char *data, size_t len) {
    char *wall = wall_of_memory();
    assert_true(len <= EXACT_COPY_MAX_BYTES);
    memcpy(wall - len, data, len);
    return (struct span){wall - len, len};
}

/* The same with a JSON text's padding: a NUL, and bytes that count for nothing.
 */
static inline struct span padded_copy(const char *data, size_t len) {
    static const char padding[JSON_PADDING] = "\0\":}],1.0e7\\u\"t";
    char *end = wall_of_memory() - JSON_PADDING;
    assert_true(len <= EXACT_COPY_MAX_BYTES - JSON_PADDING);
    memcpy(end - len, data, len);
    memcpy(end, padding, JSON_PADDING);
    return (struct span){end - len, len};
}

#endif
