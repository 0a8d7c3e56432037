/*
 * Allocation that does not fail: without memory for a small object nothing
 * useful can go on, so the process ends with a clear line and is respawned.
 */
#ifndef FXWIRE_COMMON_MEMORY_H
#define FXWIRE_COMMON_MEMORY_H

#include <stddef.h>

#include "common/attributes.h"

/* As calloc(1, size); ends the process when there is no memory. */
MUST_CHECK void *memory_new(size_t size);

/* As realloc(); ends the process when there is no memory. */
MUST_CHECK void *memory_resize(void *old, size_t size);

/* A NUL-terminated copy of `len` bytes; the caller frees it. */
MUST_CHECK char *memory_copy(const char *text, size_t len);

/* As asprintf(); the caller frees the result. */
MUST_CHECK __attribute__((format(printf, 1, 2))) char *
memory_print(const char *format, ...);

/* Overwrites a text that was secret, and frees it; NULL is left alone. */
void memory_wipe(char *secret);

#endif
