/*
 * The stores of a wsclient's life: to the ledger's file, at each of which it
 * can be killed, and to its memory, which ends with it. What writes into the
 * file is built with the compiler's thread sanitizer, whose calls are answered
 * here.
 */
#ifndef FXWIRE_TESTS_SIM_STORES_H
#define FXWIRE_TESTS_SIM_STORES_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a kill goes to. */
extern jmp_buf stores_killed;

/* A life begins, and is at work from true to false. */
void stores_at_work(bool is);

/* It is to be killed in front of its `number`th store from now; 0: not. */
void stores_arm(uint64_t number);
bool stores_are_armed(void);

/* It has ended: gives its memory back, and the file as a kernel does. */
void stores_end(void);

/* How much memory it has now, beside the file. */
size_t stores_memory(void);

/* Stores to the file, ever. */
uint64_t stores_count(void);

#endif
