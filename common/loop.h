/*
 * The event loop of the processes that run on libevent. After loop_new()
 * libevent's allocations are those of memory.h, so no constructor of libevent
 * fails for want of memory: the process ends with a clear line.
 */
#ifndef FXWIRE_COMMON_LOOP_H
#define FXWIRE_COMMON_LOOP_H

#include <event2/event.h>

#include "common/attributes.h"
#include "common/clock.h"

/*
 * A loop with timers that are as precise as the kernel's; to be called before
 * anything else of libevent. The caller frees it with loop_free(). Without
 * descriptors for it the process ends with a clear line.
 */
MUST_CHECK struct event_base *loop_new(void);

/* Runs it until it is told to end; the process ends if it can not wait. */
void loop_run(struct event_base *base) NONNULL_ALL;

/* Frees the loop, and what libevent keeps of it in this process. */
void loop_free(struct event_base **base);

/*
 * A new event for `what` (EV_READ, EV_WRITE, EV_PERSIST) on the descriptor
 * `fd`, or for EV_SIGNAL with a signal's number, that is waited for already;
 * the caller frees it with event_free(). The process ends with a clear line
 * if the kernel can not watch it: to go on deaf would be worse.
 */
struct event *loop_watch(struct event_base *base, int fd, short what,
                         event_callback_fn callback, void *arg) NONNULL(1, 4);

/* A new event that comes each `period`; else as loop_watch(). */
struct event *loop_repeat(struct event_base *base, duration period,
                          event_callback_fn callback, void *arg) NONNULL(1, 3);

/* Ends the process with a line on standard error: `what`, and why (errno). */
_Noreturn void loop_fail(const char *what) NONNULL_ALL;

/* Makes a timer, or the time limit of an event, run out in `delay`. */
void loop_set_timer(struct event *timer, duration delay) NONNULL(1);

#endif
