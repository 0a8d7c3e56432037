/* The death of a process that crashes: it is not before its last line is kept.
 */
#include "common/crash.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/log.h"
#include "tests/unit/unit.h"

enum { SLOW_USEC = 100 * 1000 };

/* Dies with its parent; ends in order, if slowly, when its channel is closed.
 */
static void keep_log(int channel, int log, int kept) {
    char line[LOG_LINE_BYTES], byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)!write(channel, "", 1); /* the line above is done */
    (void)!read(channel, &byte, 1);
    ssize_t n = read(log, line, sizeof line);
    usleep(SLOW_USEC);
    (void)!write(kept, line, n > 0 ? (size_t)n : 0);
    _exit(0);
}

static void crash_with_writer(int kept) {
    int pair[2], log[2];
    char byte;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || pipe(log) < 0)
        _exit(1);
    if (fork() == 0) {
        close(pair[0]);
        keep_log(pair[1], log[0], kept);
    }
    close(pair[1]);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    log_open("test", "info", "text", log[1]);
    crash_install(3);
    crash_await_end_of(pair[0]);
    (void)!read(pair[0], &byte, 1);
    raise(SIGABRT);
    _exit(1);
}

static void who_keeps_the_last_line_ends_first(void **state) {
    (void)state;
    int kept[2], status;
    char line[LOG_LINE_BYTES];
    assert_int_equal(pipe(kept), 0);
    pid_t pid = fork();
    if (pid == 0)
        crash_with_writer(kept[1]);
    close(kept[1]);
    ssize_t n = read(kept[0], line, sizeof line - 1);
    assert_true(n > 0);
    line[n] = '\0';
    assert_non_null(strstr(line, " crashed signal=SIGABRT "));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    close(kept[0]);
}

static void one_that_hangs_holds_no_death_up(void **state) {
    (void)state;
    int pair[2], status;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid_t pid = fork();
    if (pid == 0) { /* the other side, open in its parent, never ends */
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        log_open("test", "info", "text", pair[0]);
        crash_install(3);
        crash_await_end_of(pair[0]);
        raise(SIGABRT);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    close(pair[0]);
    close(pair[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_keeps_the_last_line_ends_first),
        cmocka_unit_test(one_that_hangs_holds_no_death_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
