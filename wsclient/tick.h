/*
 * A moment that the loop is to wake up for. A timer of libwebsockets would do,
 * but the library waits for whole milliseconds, rounded down, and from then on
 * asks the kernel over and over until the timer is due (4.1 does): of all that
 * an idle wsclient did that was the most. So the timer here only wakes the
 * loop, a millisecond late, and whoever waits looks at each turn whether his
 * moment has come.
 */
#ifndef FXWIRE_WSCLIENT_TICK_H
#define FXWIRE_WSCLIENT_TICK_H

#include <libwebsockets.h>

#include "common/attributes.h"
#include "common/clock.h"

struct tick {
    lws_sorted_usec_list_t wake;
    monotime due, early;
    bool is_set;
};

/*
 * The loop of `context` is to turn when `due` has come, or within a millisecond
 * of it. If it turns for another reason, and not more than `slack` before, that
 * will do. Replaces what was set before.
 */
NONNULL_ALL void tick_set(struct tick *tick, struct lws_context *context,
                          monotime due, duration slack);

NONNULL_ALL void tick_cancel(struct tick *tick);

/* Whether the moment has come; if so, the tick is set no more. */
MUST_CHECK NONNULL_ALL bool tick_take(struct tick *tick, monotime now);

/* Whether it has come and was not taken. */
MUST_CHECK NONNULL_ALL bool tick_is_due(const struct tick *tick, monotime now);

#endif
