#include "common/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/memory.h"

_Noreturn void loop_fail(const char *what) {
    fprintf(stderr, "fxwire: %s: %s\n", what, strerror(errno));
    _exit(EX_SOFTWARE);
}

/* libevent itself has said on standard error what it is. */
static void on_fatal(int code) {
    (void)code;
    _exit(EX_SOFTWARE);
}

/* Of a trial: its warnings do not matter, for another way may be left. */
static void on_library_log(int severity, const char *text) {
    if (severity == EVENT_LOG_ERR)
        fprintf(stderr, "fxwire: %s\n", text);
}

static struct event_base *new_base(const char *avoided) {
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    if (avoided != NULL)
        event_config_avoid_method(config, avoided);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static void on_trial(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what, (void)arg;
}

/*
 * Whether the kernel lets this loop watch a descriptor and wait. That there is
 * a loop does not tell: containers refuse system calls one by one.
 */
static bool is_able(struct event_base *base) {
    int fds[2];
    if (base == NULL || pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return false;
    struct event *event = event_new(base, fds[0], EV_READ, on_trial, NULL);
    bool able = event_add(event, NULL) == 0 &&
                event_base_loop(base, EVLOOP_NONBLOCK) == 0;
    int error = errno;
    event_free(event);
    close(fds[0]);
    close(fds[1]);
    errno = error;
    return able;
}

struct event_base *loop_new(void) {
    static const char *const avoided[] = {NULL, "epoll"};
    event_set_fatal_callback(on_fatal);
    event_set_mem_functions(memory_new, memory_resize, free);
    event_set_log_callback(on_library_log);
    for (size_t i = 0; i < sizeof avoided / sizeof *avoided; i++) {
        struct event_base *base = new_base(avoided[i]);
        if (is_able(base)) {
            event_set_log_callback(NULL);
            return base;
        }
        int error = errno;
        if (base != NULL)
            event_base_free(base);
        errno = error;
    }
    loop_fail("no event loop (epoll, poll, pipe2, socketpair)");
}

void loop_run(struct event_base *base) {
    if (event_base_dispatch(base) < 0)
        loop_fail("cannot wait for events");
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
