/* Unix-domain sockets: who gets through, and what is left behind. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/lines/unix_socket.h"
#include "tests/unit/unit.h"

/* A folder of its own for each test, and a path in it. */
struct room {
    char folder[32], path[64];
};

static int setup(void **state) {
    static struct room room;
    strcpy(room.folder, "/tmp/fxwire-unit-XXXXXX");
    if (mkdtemp(room.folder) == NULL)
        return -1;
    snprintf(room.path, sizeof room.path, "%s/test.sock", room.folder);
    *state = &room;
    return 0;
}

/* Fails if a test left anything but its socket in the folder. */
static int teardown(void **state) {
    struct room *room = *state;
    unlink(room->path);
    return rmdir(room->folder);
}

/* The lowest free descriptor: the same again if none was left open. */
static int free_fd(void) {
    int fd = open("/dev/null", O_RDONLY);
    close(fd);
    return fd;
}

static void check_flags(int fd) {
    assert_true(fd >= 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

/* A byte each way between a caller and who listens. */
static void check_link(int listener, int caller) {
    int callee = accept(listener, NULL, NULL);
    assert_true(callee >= 0);
    char byte = 0;
    assert_int_equal(send(caller, "q", 1, 0), 1);
    assert_int_equal(recv(callee, &byte, 1, 0), 1);
    assert_int_equal(byte, 'q');
    assert_int_equal(send(callee, "a", 1, 0), 1);
    assert_int_equal(recv(caller, &byte, 1, 0), 1);
    assert_int_equal(byte, 'a');
    assert_true(unix_socket_peer_allowed(callee));
    close(callee);
}

static void listens_and_connects(void **state) {
    struct room *room = *state;
    umask(0);
    int listener = unix_socket_listen(room->path);
    check_flags(listener);
    assert_int_equal(umask(022), 0);
    struct stat info;
    assert_int_equal(stat(room->path, &info), 0);
    assert_true(S_ISSOCK(info.st_mode));
    assert_int_equal(info.st_mode & 07777, 0600);
    int caller = unix_socket_connect(room->path);
    check_flags(caller);
    check_link(listener, caller);
    close(caller);
    close(listener);
}

/* An address holds 107 bytes and a NUL. */
static void takes_the_longest_path(void **state) {
    struct room *room = *state;
    for (size_t len = 105; len <= 107; len++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%0*d", room->folder,
                 (int)(len - strlen(room->folder) - 1), 0);
        assert_int_equal(strlen(path), len);
        int listener = unix_socket_listen(path);
        assert_true(listener >= 0);
        struct stat info;
        assert_int_equal(stat(path, &info), 0);
        int caller = unix_socket_connect(path);
        assert_true(caller >= 0);
        check_link(listener, caller);
        close(caller);
        close(listener);
        assert_int_equal(unlink(path), 0);
    }
}

static void fails_with_the_reason(void **state) {
    struct room *room = *state;
    char too_long[109], far_too_long[4000];
    memset(too_long, 'x', sizeof too_long);
    memset(far_too_long, 'x', sizeof far_too_long);
    too_long[0] = far_too_long[0] = '/';
    too_long[108] = far_too_long[sizeof far_too_long - 1] = '\0';
    close(unix_socket_listen(room->path)); /* nobody is there any more */
    const struct {
        const char *path;
        int error, listen_error; /* 0: that is not tried */
    } cases[] = {
        {"/nonexistent/fxwire.sock", ENOENT, ENOENT},
        {room->path, ECONNREFUSED, 0},
        {"/dev/null", ECONNREFUSED, 0},
        {too_long, ENAMETOOLONG, ENAMETOOLONG},
        {far_too_long, ENAMETOOLONG, ENAMETOOLONG},
    };
    int unused = free_fd();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        errno = 0;
        assert_int_equal(unix_socket_connect(cases[i].path), -1);
        if (errno != cases[i].error)
            fail_msg("row %zu: %s", i, strerror(errno));
        errno = 0;
        if (cases[i].listen_error != 0 &&
            (unix_socket_listen(cases[i].path) != -1 ||
             errno != cases[i].listen_error))
            fail_msg("row %zu, listening: %s", i, strerror(errno));
        assert_int_equal(free_fd(), unused);
    }
}

static void replaces_what_a_dead_process_left(void **state) {
    struct room *room = *state;
    for (int i = 0; i < 3; i++) {
        int listener = unix_socket_listen(room->path);
        assert_true(listener >= 0);
        int caller = unix_socket_connect(room->path);
        assert_true(caller >= 0);
        check_link(listener, caller);
        close(caller);
        close(listener);
    }
}

static void leaves_the_living_alone(void **state) {
    struct room *room = *state;
    int listener = unix_socket_listen(room->path);
    assert_true(listener >= 0);
    int unused = free_fd();
    errno = 0;
    assert_int_equal(unix_socket_listen(room->path), -1);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(free_fd(), unused);
    close(accept(listener, NULL, NULL)); /* the one who looked */
    int caller = unix_socket_connect(room->path);
    assert_true(caller >= 0);
    check_link(listener, caller);
    close(caller);
    close(listener);
}

/* Only a socket is replaced: a file that stands there is somebody's. */
static void leaves_a_file_alone(void **state) {
    struct room *room = *state;
    close(open(room->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    int listener = unix_socket_listen(room->path);
    struct stat info;
    bool still_there = stat(room->path, &info) == 0 && S_ISREG(info.st_mode);
    if (listener >= 0)
        close(listener);
    assert_true(still_there);
    assert_int_equal(listener, -1);
}

/* Only root can take another user's place; others have no way to see this. */
static void trusts_no_other_user_but_root(void **state) {
    struct room *room = *state;
    enum { NOBODY = 65534 };
    if (geteuid() != 0)
        skip();
    int listener = unix_socket_listen(room->path);
    assert_int_equal(chmod(room->folder, 0711), 0);
    assert_int_equal(chmod(room->path, 0666), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    int nobody = unix_socket_connect(room->path);
    assert_int_equal(seteuid(0), 0);
    int seen = accept(listener, NULL, NULL);
    assert_true(nobody >= 0 && seen >= 0);
    assert_false(unix_socket_peer_allowed(seen));
    assert_int_equal(seteuid(NOBODY), 0);
    bool nobody_by_nobody = unix_socket_peer_allowed(seen);
    bool root_by_nobody = unix_socket_peer_allowed(nobody);
    assert_int_equal(seteuid(0), 0);
    assert_true(nobody_by_nobody && root_by_nobody);
    close(nobody);
    close(seen);
    close(listener);
}

static void trusts_no_descriptor_without_a_peer(void **state) {
    (void)state;
    int fd = open("/dev/null", O_RDONLY);
    assert_false(unix_socket_peer_allowed(fd));
    close(fd);
    assert_false(unix_socket_peer_allowed(-1));
}

#define IN_A_ROOM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_ROOM(listens_and_connects),
        IN_A_ROOM(takes_the_longest_path),
        IN_A_ROOM(fails_with_the_reason),
        IN_A_ROOM(replaces_what_a_dead_process_left),
        IN_A_ROOM(leaves_the_living_alone),
        IN_A_ROOM(leaves_a_file_alone),
        IN_A_ROOM(trusts_no_other_user_but_root),
        cmocka_unit_test(trusts_no_descriptor_without_a_peer),
    };
    return cmocka_run_group_tests_name("unix_socket", tests, NULL, NULL);
}
