/*
 * Included in front of what writes into the ledger's file, when it is built for
 * the simulation: these copy so that a kill can come in between.
 */
#ifndef FXWIRE_TESTS_SIM_STORES_IN_H
#define FXWIRE_TESTS_SIM_STORES_IN_H

#include <string.h>

void *stores_copy(void *to, const void *from, size_t len);
void *stores_fill(void *to, int byte, size_t len);

#undef memcpy
#undef memmove
#undef memset
#define memcpy  stores_copy
#define memmove stores_copy
#define memset  stores_fill

#endif
