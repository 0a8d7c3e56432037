#include "wsclient/tick.h"

/* The library's unit; it rounds down to it. */
#define RESOLUTION MILLISECONDS(1)

/* The loop turns, and that is all that was wanted. */
static void on_wake(lws_sorted_usec_list_t *wake) {
    (void)wake;
}

void tick_set(struct tick *tick, struct lws_context *context, monotime due,
              duration slack) {
    int64_t wait = monotime_between(clock_monotonic(), due).usec;
    tick->due = due;
    tick->early = (monotime){due.usec - slack.usec};
    tick->is_set = true;
    lws_sul_schedule(context, 0, &tick->wake, on_wake,
                     (wait > 0 ? wait : 0) + RESOLUTION.usec);
}

void tick_cancel(struct tick *tick) {
    tick->is_set = false;
    lws_sul_cancel(&tick->wake);
}

bool tick_is_due(const struct tick *tick, monotime now) {
    return tick->is_set && monotime_reached(now, tick->due);
}

bool tick_take(struct tick *tick, monotime now) {
    if (!tick->is_set || !monotime_reached(now, tick->early))
        return false;
    tick_cancel(tick);
    return true;
}
