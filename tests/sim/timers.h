/* libevent for ratefetcher and the supervisor (timers.c). */
#ifndef FXWIRE_TESTS_SIM_TIMERS_H
#define FXWIRE_TESTS_SIM_TIMERS_H

#include <event2/event.h>
#include <stdint.h>

extern char timers_bases[2];
#define TIMERS_OF_RATEFETCHER ((struct event_base *)(void *)&timers_bases[0])
#define TIMERS_OF_SUPERVISOR  ((struct event_base *)(void *)&timers_bases[1])

/* Those of that process are no more. */
void timers_reset(const struct event_base *base);
int64_t timers_next(void);
void timers_turn(void);

#endif
