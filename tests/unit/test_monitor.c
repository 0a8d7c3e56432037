/* The monitor under a flood: with a read() of this test in the place of libc's,
 * the pipe of the log never ends. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/lines/child.h"
#include "common/process.h"
#include "common/sandbox/sandbox.h"
#include "supervisor/monitor/monitor.h"
#include "tests/unit/unit.h"

ssize_t read(int fd, void *data, size_t size) {
    if (fd != CHILD_FD_EXTRA)
        return syscall(SYS_read, fd, data, size);
    memset(data, '\n', size);
    return (ssize_t)size;
}

struct settings *process_begin_helper(const char *name, int argc, char *argv[],
                                      enum settings_reader reader) {
    char *const environment[] = {NULL};
    (void)name, (void)argc, (void)argv;
    return settings_load(environment, NULL, false, reader);
}

/* The sandbox has tests of its own. */
const char *sandbox_enter(enum settings_reader who,
                          const struct settings *settings, bool debugged) {
    (void)who, (void)settings, (void)debugged;
    return "off";
}

bool sandbox_is_outdated(void) {
    return false;
}

static _Noreturn void be_monitor(int control_fd, int log_fd) {
    char program[] = "supervisor", argument[] = CHILD_ARGUMENT;
    char *argv[] = {program, argument, NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail */
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    dup2(control_fd, CHILD_FD_CONTROL);
    dup2(log_fd, CHILD_FD_EXTRA);
    dup2(socket(AF_UNIX, SOCK_STREAM, 0), CHILD_FD_SECOND);
    _exit(monitor_run(2, argv));
}

static void expect_line(int fd, const char *beginning) {
    char line[4096];
    ssize_t n = recv(fd, line, sizeof line, 0); /* -1: it took too long */
    assert_true(n >= (ssize_t)strlen(beginning));
    assert_memory_equal(line, beginning, strlen(beginning));
}

static void a_flood_leaves_time_for_pings(void **state) {
    (void)state;
    static const char ping[] = "{\"op\":\"ping\"}\n";
    const struct timeval limit = {.tv_sec = 10};
    int control[2], pipe_ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, control), 0);
    assert_int_equal(fcntl(control[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(write(pipe_ends[1], "\n", 1), 1);
    /* Above those that the child is given. */
    int control_fd = fcntl(control[1], F_DUPFD, 10);
    int log_fd = fcntl(pipe_ends[0], F_DUPFD, 10);
    pid_t pid = fork();
    if (pid == 0)
        be_monitor(control_fd, log_fd);
    setsockopt(control[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    expect_line(control[0], "{\"op\":\"ready\"");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send(control[0], ping, sizeof ping - 1, 0),
                         sizeof ping - 1);
        expect_line(control[0], "{\"op\":\"pong\"");
    }
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_leaves_time_for_pings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
