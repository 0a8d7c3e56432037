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

#include <cmocka.h>

#include "common/span.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/*
 * A copy with not one byte behind it, so that a sanitizer or valgrind sees
 * each read beyond the end. The caller frees it with exact_free().
 */
static inline struct span exact_copy(const char *data, size_t len) {
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    return (struct span){len > 0 ? copy : copy + 1, len};
}

static inline void exact_free(struct span copy) {
    free((char *)(uintptr_t)(copy.len > 0 ? copy.data : copy.data - 1));
}

#endif
