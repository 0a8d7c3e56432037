#include "tests/bench/heap.h"

#include <malloc.h>
#include <stdlib.h>

/* glibc's own, under the names that it has for such a purpose. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *block);

static size_t in_use, peak;

static void *add(void *block) {
    in_use += malloc_usable_size(block);
    if (in_use > peak)
        peak = in_use;
    return block;
}

void *malloc(size_t size) {
    return add(__libc_malloc(size));
}

void *calloc(size_t count, size_t size) {
    return add(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size) {
    in_use -= malloc_usable_size(old);
    return add(__libc_realloc(old, size));
}

void free(void *block) {
    in_use -= malloc_usable_size(block);
    __libc_free(block);
}

size_t heap_in_use(void) {
    return in_use;
}

size_t heap_peak(void) {
    return peak;
}

void heap_peak_reset(void) {
    peak = in_use;
}
