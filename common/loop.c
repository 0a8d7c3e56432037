#include "common/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/memory.h"

_Noreturn void loop_fail(const char *what) {
    fprintf(stderr, "fxwire: %s: %s\n", what, strerror(errno));
    _exit(EX_OSERR);
}

/* libevent itself has said on standard error what it is. */
static void on_fatal(int code) {
    (void)code;
    _exit(EX_OSERR);
}

struct event_base *loop_new(void) {
    event_set_fatal_callback(on_fatal);
    event_set_mem_functions(memory_new, memory_resize, free);
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    if (base == NULL)
        loop_fail("no event loop");
    return base;
}

void loop_free(struct event_base **base) {
    event_base_free(*base);
    *base = NULL;
    libevent_global_shutdown();
}

/* Adds an event that has to be waited for. */
static struct event *add(struct event *event, const struct timeval *time) {
    if (event == NULL || event_add(event, time) < 0)
        loop_fail("cannot wait for an event");
    return event;
}

struct event *loop_watch(struct event_base *base, int fd, short what,
                         event_callback_fn callback, void *arg) {
    return add(event_new(base, fd, what, callback, arg), NULL);
}

static struct timeval timeval_of(duration time) {
    return (struct timeval){.tv_sec = time.usec / USEC_PER_SEC,
                            .tv_usec = time.usec % USEC_PER_SEC};
}

struct event *loop_repeat(struct event_base *base, duration period,
                          event_callback_fn callback, void *arg) {
    struct timeval time = timeval_of(period);
    return add(event_new(base, -1, EV_PERSIST, callback, arg), &time);
}

void loop_set_timer(struct event *timer, duration delay) {
    struct timeval time = timeval_of(delay);
    (void)add(timer, &time);
}
