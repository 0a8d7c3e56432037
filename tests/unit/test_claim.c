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

static struct claim take(const char *dir, const char *name) {
    struct claim claim;
    assert_int_equal(claim_take(&claim, dir, name, SECONDS(0)), 0);
    return claim;
}

static void assert_taken(const char *dir, const char *name) {
    struct claim claim;
    errno = 0;
    assert_int_equal(claim_take(&claim, dir, name, SECONDS(0)), -1);
    assert_int_equal(errno, EADDRINUSE);
}

static void assert_free(const char *dir, const char *name) {
    struct claim claim = take(dir, name);
    claim_release(&claim);
}

static void is_had_by_one_at_a_time(void **state) {
    (void)state;
    struct claim held = take(folder, "one");
    for (int i = 0; i < 300; i++) /* more than wait to be heard */
        assert_taken(folder, "one");
    claim_renew(&held, folder, "one");
    assert_taken(folder, "one");
    assert_free(folder, "two");
    assert_free(other, "one");
    claim_release(&held);
    assert_free(folder, "one");
}

static void outlives_the_folder(void **state) {
    (void)state;
    struct claim held = take(folder, "one");
    assert_int_equal(rmdir(folder), 0);
    assert_taken(folder, "one");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_taken(folder, "one");
    claim_release(&held);
    assert_free(folder, "one");
}

/* Whether it is gone, or another one has its name. */
static void outlives_the_folder_above(void **state) {
    (void)state;
    char away[80];
    struct claim held = take(folder, "one"), same = held;
    claim_renew(&held, folder, "one");
    assert_memory_equal(&held, &same, sizeof held);
    snprintf(away, sizeof away, "%s.away", above);
    assert_int_equal(rename(above, away), 0);
    assert_taken(folder, "one");
    assert_int_equal(mkdir(above, 0700), 0);
    assert_taken(folder, "one");
    claim_renew(&held, folder, "one");
    assert_taken(folder, "one");
    assert_free(other, "one");
    claim_release(&held);
    assert_int_equal(rmdir(above), 0);
    assert_int_equal(rename(away, above), 0);
}

/* Links and slashes make no other folder of it. */
static void is_one_by_all_its_paths(void **state) {
    (void)state;
    char link[80], by_link[96], slashes[80];
    snprintf(link, sizeof link, "%s.link", above);
    snprintf(by_link, sizeof by_link, "%s/run", link);
    snprintf(slashes, sizeof slashes, "%s//run/", above);
    assert_int_equal(symlink(above, link), 0);
    struct claim held = take(folder, "one");
    assert_taken(by_link, "one");
    assert_taken(slashes, "one");
    assert_int_equal(rmdir(folder), 0);
    assert_taken(by_link, "one");
    assert_taken(slashes, "one");
    assert_int_equal(mkdir(folder, 0700), 0);
    claim_release(&held);
    assert_int_equal(unlink(link), 0);
}

static void a_claim_that_could_not_be_had_is_had_later(void **state) {
    (void)state;
    struct claim holder = take(folder, "one"), late = CLAIM_NONE;
    claim_renew(&late, folder, "one");
    assert_int_equal(late.fds[0], -1);
    assert_int_equal(late.fds[1], -1);
    claim_release(&holder);
    claim_renew(&late, folder, "one");
    assert_true(late.fds[0] >= 0 && late.fds[1] >= 0);
    assert_taken(folder, "one");
    claim_release(&late);
}

static void who_waits_gets_it(void **state) {
    (void)state;
    struct claim late;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct claim held;
        byte = claim_take(&held, folder, "one", SECONDS(0)) == 0;
        (void)!write(ready[1], &byte, 1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    assert_taken(folder, "one");
    kill(pid, SIGKILL); /* which takes a while */
    assert_int_equal(claim_take(&late, folder, "one", SECONDS(5)), 0);
    claim_release(&late);
    close(ready[0]);
    close(ready[1]);
    waitpid(pid, NULL, 0);
}

/* Takes a claim's names as another user; ends when it is killed. */
static pid_t squat(const struct claim *names, size_t count) {
    struct sockaddr_un address[CLAIM_SOCKETS];
    socklen_t len[CLAIM_SOCKETS];
    int ready[2];
    char byte = 1;
    for (size_t i = 0; i < count; i++) {
        len[i] = sizeof address[i];
        assert_int_equal(
            getsockname(names->fds[i], (struct sockaddr *)&address[i], &len[i]),
            0);
    }
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        byte = setuid(65534) == 0;
        for (size_t i = 0; i < count; i++) {
            close(names->fds[i]);
            int fd = socket(AF_UNIX, SOCK_STREAM, 0);
            while (bind(fd, (const struct sockaddr *)&address[i], len[i]) < 0)
                usleep(1000); /* the parent has it for a moment more */
            byte = byte && listen(fd, 1) == 0;
        }
        (void)!write(ready[1], &byte, 1);
        for (;;)
            pause();
    }
    for (size_t i = 0; i < count; i++)
        close(names->fds[i]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

/* He must not keep this user's service from starting. */
static void another_users_is_told_from_ours(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    for (size_t count = 1; count <= CLAIM_SOCKETS; count++) {
        struct claim held = take(folder, "one"), now;
        if (count == 1)
            close(held.fds[1]);
        pid_t pid = squat(&held, count);
        errno = 0;
        int taken = claim_take(&now, folder, "one", SECONDS(0));
        assert_int_equal(taken, count == 1 ? 0 : -1);
        assert_true(taken == 0 || errno == EPERM);
        claim_release(&now);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        assert_free(folder, "one");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_had_by_one_at_a_time),
        cmocka_unit_test(outlives_the_folder),
        cmocka_unit_test(outlives_the_folder_above),
        cmocka_unit_test(is_one_by_all_its_paths),
        cmocka_unit_test(a_claim_that_could_not_be_had_is_had_later),
        cmocka_unit_test(who_waits_gets_it),
        cmocka_unit_test(another_users_is_told_from_ours),
    };
    return cmocka_run_group_tests_name("claim", tests, make_folders,
                                       remove_folders);
}
