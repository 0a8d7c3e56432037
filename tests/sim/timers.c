/* Timers on the virtual clock; descriptors are never ready by themselves. */
#include "tests/sim/timers.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "common/loop.h"
#include "common/memory.h"
#include "tests/sim/rates.h"
#include "tests/sim/world.h"

struct event {
    LIST_ENTRY(event) entry;
    struct event_base *base;
    event_callback_fn callback;
    void *arg;
    int64_t due; /* NEVER: it does not run */
};

static LIST_HEAD(, event) events = LIST_HEAD_INITIALIZER(events);

char timers_bases[2];

void timers_reset(const struct event_base *base) {
    struct event *event = LIST_FIRST(&events), *next;
    for (; event != NULL; event = next) {
        next = LIST_NEXT(event, entry);
        if (event->base == base)
            LIST_REMOVE(event, entry);
    }
}

struct event *event_new(struct event_base *base, evutil_socket_t fd, short what,
                        event_callback_fn callback, void *arg) {
    (void)fd, (void)what;
    struct event *event = memory_new(sizeof *event);
    *event = (struct event){
        .base = base, .callback = callback, .arg = arg, .due = NEVER};
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

int event_del(struct event *event) {
    event->due = NEVER;
    return 0;
}

void event_active(struct event *event, int what, short calls) {
    (void)what, (void)calls;
    event->due = world_now();
}

struct event *loop_watch(struct event_base *base, int fd, short what,
                         event_callback_fn callback, void *arg) {
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
    if (first == NULL || first->due > world_now())
        return;
    if (first->base == TIMERS_OF_RATEFETCHER)
        fetcher_does(fire, first);
    else
        fire(first);
}
