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

#include "common/span.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

enum { EXACT_COPY_MAX_BYTES = 8 << 20 };

/* Memory that ends where a page begins that can not be read. */
static inline char *map_up_to_a_wall(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *start =
        mmap(NULL, EXACT_COPY_MAX_BYTES + page, PROT_READ | PROT_WRITE,
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
    static char *wall;
    if (wall == NULL)
        wall = map_up_to_a_wall();
    assert_true(len <= EXACT_COPY_MAX_BYTES);
    memcpy(wall - len, data, len);
    return (struct span){wall - len, len};
}

#endif
