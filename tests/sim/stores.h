/*
 * The stores of a helper's process: to its file, in front of each of which it
 * can be killed, and to its memory, which ends with it. What writes into the
 * file is built with the compiler's thread sanitizer, whose calls are answered
 * here.
 */
#ifndef FXWIRE_TESTS_SIM_STORES_H
#define FXWIRE_TESTS_SIM_STORES_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

/* Where a kill goes to. */
extern jmp_buf stores_killed;

enum process { NO_PROCESS, WSCLIENT, RATEFETCHER, PROCESSES };

/* The one that is at work from now on. */
void stores_at_work(enum process process);

/* It is to be killed in front of its `number`th store from now; 0: not. */
void stores_arm(enum process process, uint64_t number);

/* The same from when its file next becomes longer or shorter. */
void stores_arm_at_length(enum process process, uint64_t number);

/* It has ended: gives its memory back, and the file as a kernel does. */
void stores_end(enum process process);

/* How much memory it has now, beside the file. */
size_t stores_memory(enum process process);

/* Stores to files, ever. */
uint64_t stores_count(void);

#endif
