/* The event loop, with allocators of this test in the place of memory.c. */
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "common/loop.h"
#include "common/memory.h"
#include "tests/unit/unit.h"

static size_t allocated;

void *memory_new(size_t size) {
    allocated++;
    return calloc(1, size);
}

void *memory_resize(void *old, size_t size) {
    allocated++;
    return realloc(old, size);
}

static void count_call(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    ++*(int *)arg;
}

/* So that a lack of memory ends the process with a line, not by a NULL. */
static void libevent_allocates_by_memory_h(void **state) {
    (void)state;
    struct event_base *base = loop_new();
    assert_non_null(base);
    size_t before = allocated;
    struct event *event = event_new(base, -1, 0, count_call, NULL);
    assert_true(allocated > before);
    event_free(event);
    loop_free(&base);
    assert_null(base);
}

static void events_are_waited_for(void **state) {
    (void)state;
    struct event_base *base = loop_new();
    int calls = 0, ends[2];
    assert_int_equal(pipe(ends), 0);
    struct event *event =
        loop_watch(base, ends[0], EV_READ, count_call, &calls);
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(calls, 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(calls, 1);
    event_free(event);
    close(ends[0]);
    close(ends[1]);
    loop_free(&base);
}

static void timers_and_periods(void **state) {
    (void)state;
    struct event_base *base = loop_new();
    int once = 0, often = 0;
    struct event *timer = evtimer_new(base, count_call, &once);
    loop_set_timer(timer, MILLISECONDS(3));
    struct event *period =
        loop_repeat(base, MILLISECONDS(10), count_call, &often);
    monotime start = clock_monotonic();
    while (often < 3)
        event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(once, 1);
    assert_true(monotime_between(start, clock_monotonic()).usec >= 29000);
    event_free(timer);
    event_free(period);
    loop_free(&base);
}

/* What a child process that does this ends with. */
static int exit_code_of(void (*act)(void)) {
    pid_t pid = fork();
    if (pid == 0) {
        close(STDERR_FILENO);
        act();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void make_a_loop_without_descriptors(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_NOFILE, &none);
    struct event_base *base = loop_new();
    loop_free(&base);
}

static void watch_what_is_not_open(void) {
    struct event_base *base = loop_new();
    loop_watch(base, 1 << 20, EV_READ, count_call, NULL);
}

/* A process that can not hear is worse than one that is started anew. */
static void what_can_not_be_waited_for_ends_the_process(void **state) {
    (void)state;
    assert_int_equal(exit_code_of(make_a_loop_without_descriptors),
                     EX_SOFTWARE);
    assert_int_equal(exit_code_of(watch_what_is_not_open), EX_SOFTWARE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libevent_allocates_by_memory_h),
        cmocka_unit_test(events_are_waited_for),
        cmocka_unit_test(timers_and_periods),
        cmocka_unit_test(what_can_not_be_waited_for_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
