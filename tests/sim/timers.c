/* libevent for ratefetcher: timers on the virtual clock, nothing else. */
#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "common/loop.h"
#include "common/memory.h"
#include "tests/sim/rates.h"
#include "tests/sim/world.h"

struct event {
    LIST_ENTRY(event) entry;
    event_callback_fn callback;
    void *arg;
    int64_t due; /* NEVER: it does not run */
};

static LIST_HEAD(, event) events = LIST_HEAD_INITIALIZER(events);

void timers_reset(void) {
    LIST_INIT(&events);
}

struct event *event_new(struct event_base *base, evutil_socket_t fd, short what,
                        event_callback_fn callback, void *arg) {
    (void)base, (void)fd, (void)what;
    struct event *event = memory_new(sizeof *event);
    *event = (struct event){.callback = callback, .arg = arg, .due = NEVER};
    LIST_INSERT_HEAD(&events, event, entry);
    return event;
}

void event_free(struct event *event) {
    LIST_REMOVE(event, entry);
    free(event);
}

int event_pending(const struct event *event, short what, struct timeval *when) {
    (void)what, (void)when;
    return event->due != NEVER;
}

void loop_set_timer(struct event *timer, duration delay) {
    timer->due = world_now() + delay.usec;
}

/* Nothing here has a descriptor. */
struct event *loop_watch(struct event_base *base, int fd, short what,
                         event_callback_fn callback, void *arg) {
    world_wrong("a descriptor is watched");
    return event_new(base, fd, what, callback, arg);
}

static struct event *find_first(void) {
    struct event *event, *first = LIST_FIRST(&events);
    LIST_FOREACH (event, &events, entry)
        if (event->due < first->due)
            first = event;
    return first;
}

int64_t timers_next(void) {
    const struct event *first = find_first();
    return first != NULL ? first->due : NEVER;
}

static void fire(void *arg) {
    struct event *event = arg;
    event->due = NEVER;
    event->callback(-1, EV_TIMEOUT, event->arg);
}

void timers_turn(void) {
    struct event *first = find_first();
    if (first != NULL && first->due <= world_now())
        fetcher_does(fire, first);
}
