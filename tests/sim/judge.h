/* The account of all requests, and what each answer has to be (judge.c). */
#ifndef FXWIRE_TESTS_SIM_JUDGE_H
#define FXWIRE_TESTS_SIM_JUDGE_H

#include "common/day.h"
#include "common/span.h"

enum { JUDGE_TEXT_SIZE = 256 };
#define NO_REQUEST SIZE_MAX

void judge_begin_world(void);

/* Gives its number; NO_REQUEST: there were enough. */
size_t judge_new_request(void);
size_t judge_write_request(size_t number, char text[JUDGE_TEXT_SIZE]);

/* It is handed over now on that connection; it has been taken. */
void judge_delivers(size_t number, unsigned connection);
void judge_claimed(size_t number);

/* An answer came: it has to be right. Gives what it answers, or NO_REQUEST. */
size_t judge_answer(struct span text, unsigned connection);

/* The client knows that this one's answer came. */
void judge_confirmed(size_t number);

/* A connection has ended; there were no rates of a day. */
void judge_break(void);
void judge_no_rates(day when);

/* What was taken must be answered by now, where the present connection and all
 * else have been good since then. */
void judge_all(int64_t good_since, unsigned connection);

#endif
