/* Claims to the runtime folder: they hold whatever is removed, and stop no one
 * else. */
#include "common/claim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/unit/unit.h"

static char above[] = "/tmp/fxwire-unit-XXXXXX";
static char folder[64], other[64];

static int make_folders(void **state) {
    (void)state;
    if (mkdtemp(above) == NULL)
        return -1;
    snprintf(folder, sizeof folder, "%s/run", above);
    snprintf(other, sizeof other, "%s/other", above);
    return mkdir(folder, 0700);
}

static int remove_folders(void **state) {
    (void)state;
    rmdir(folder);
    return rmdir(above);
}

static int claim(const char *dir, const char *name) {
    return claim_take(dir, name, SECONDS(0));
}

static void assert_taken(const char *dir, const char *name) {
    errno = 0;
    assert_int_equal(claim(dir, name), -1);
    assert_int_equal(errno, EADDRINUSE);
}

static void assert_free(const char *dir, const char *name) {
    int fd = claim(dir, name);
    assert_true(fd >= 0);
    close(fd);
}

static void is_had_by_one_at_a_time(void **state) {
    (void)state;
    int fd = claim(folder, "one");
    assert_true(fd >= 0);
    for (int i = 0; i < 300; i++) /* more than wait to be heard */
        assert_taken(folder, "one");
    claim_renew(&fd, folder, "one");
    assert_taken(folder, "one");
    assert_free(folder, "two");
    assert_free(other, "one");
    close(fd);
    assert_free(folder, "one");
}

static void outlives_the_folder(void **state) {
    (void)state;
    int fd = claim(folder, "one");
    assert_int_equal(rmdir(folder), 0);
    assert_taken(folder, "one");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_taken(folder, "one");
    close(fd);
    assert_free(folder, "one");
}

/* Then the name is another, until it is renewed. */
static void follows_the_folder_above(void **state) {
    (void)state;
    char away[80];
    int fd = claim(folder, "one"), same = fd;
    claim_renew(&fd, folder, "one");
    assert_int_equal(fd, same);
    snprintf(away, sizeof away, "%s.away", above);
    assert_int_equal(rename(above, away), 0);
    assert_int_equal(mkdir(above, 0700), 0);
    claim_renew(&fd, folder, "one");
    assert_taken(folder, "one");
    close(fd);
    assert_int_equal(rmdir(above), 0);
    assert_int_equal(rename(away, above), 0);
}

static void a_claim_that_could_not_be_had_is_had_later(void **state) {
    (void)state;
    int holder = claim(folder, "one"), fd = -1;
    claim_renew(&fd, folder, "one");
    assert_int_equal(fd, -1);
    close(holder);
    claim_renew(&fd, folder, "one");
    assert_true(fd >= 0);
    assert_taken(folder, "one");
    close(fd);
}

static void who_waits_gets_it(void **state) {
    (void)state;
    int ready[2], fd;
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        byte = claim(folder, "one") >= 0;
        (void)!write(ready[1], &byte, 1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    assert_taken(folder, "one");
    kill(pid, SIGKILL); /* which takes a while */
    fd = claim_take(folder, "one", SECONDS(5));
    assert_true(fd >= 0);
    close(fd);
    close(ready[0]);
    close(ready[1]);
    waitpid(pid, NULL, 0);
}

/* Takes the name of a claim as another user; ends when it is killed. */
static pid_t squat(const struct sockaddr_un *address, socklen_t len) {
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        byte = setuid(65534) == 0 &&
               bind(fd, (const struct sockaddr *)address, len) == 0 &&
               listen(fd, 1) == 0;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!write(ready[1], &byte, 1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

/* He must not keep this user's service from starting. */
static void another_users_is_told_from_ours(void **state) {
    (void)state;
    struct sockaddr_un address;
    socklen_t len = sizeof address;
    if (geteuid() != 0)
        skip();
    int fd = claim(folder, "one");
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    pid_t pid = squat(&address, len);
    assert_int_equal(claim(folder, "one"), -1);
    assert_int_equal(errno, EPERM);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_free(folder, "one");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_had_by_one_at_a_time),
        cmocka_unit_test(outlives_the_folder),
        cmocka_unit_test(follows_the_folder_above),
        cmocka_unit_test(a_claim_that_could_not_be_had_is_had_later),
        cmocka_unit_test(who_waits_gets_it),
        cmocka_unit_test(another_users_is_told_from_ours),
    };
    return cmocka_run_group_tests_name("claim", tests, make_folders,
                                       remove_folders);
}
