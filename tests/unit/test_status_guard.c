/* Who asks at STATUS_LISTEN by which name; who has to make room. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/monitor/status_guard.h"
#include "tests/unit/unit.h"

static const struct {
    const char *host;
    bool known;
} cases[] = {
    {NULL, true},
    {"localhost", true},
    {"LOCALHOST:9464", true},
    {"127.0.0.1", true},
    {"127.0.0.1:9464", true},
    {"10.1.2.3", true}, /* a site of that address has it as its own */
    {"[::1]", true},
    {"[::1]:9464", true},
    {"monitor.example:1", true},
    {"", false},
    {":9464", false},
    {"[", false},
    {"[]", false},
    {"[::1", false},
    {"::1", false},
    {"evil.example", false},
    {"evil.example:9464", false},
    {"localhost.evil.example", false},
    {"127.0.0.1.evil.example", false},
    {"[evil.example]", false},
    {"0x7f.1", false},
};

static void names(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (status_guard_knows(cases[i].host, "monitor.example") !=
            cases[i].known)
            fail_msg("%s", cases[i].host);
    char long_one[5000];
    memset(long_one, 'a', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    assert_false(status_guard_knows(long_one, "monitor.example"));
}

static int listen_somewhere(struct sockaddr_in *where) {
    socklen_t len = sizeof *where;
    *where = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)where, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)where, &len), 0);
    return fd;
}

static int connect_to(const struct sockaddr_in *where) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)where, sizeof *where),
                     0);
    return fd;
}

/* Those that came by that socket end, and no others: not even their peers. */
static void room_is_made(void **state) {
    (void)state;
    struct sockaddr_in one, other;
    char byte = 'x';
    int listener = listen_somewhere(&one), further = listen_somewhere(&other);
    int peer = connect_to(&one), came = accept(listener, NULL, NULL);
    int stays = connect_to(&other), accepted = accept(further, NULL, NULL);
    status_guard_make_room(listener, 64);
    assert_int_equal(recv(came, &byte, 1, MSG_DONTWAIT), 0);
    assert_int_equal(recv(peer, &byte, 1, 0), 0);
    assert_int_equal(send(stays, &byte, 1, MSG_NOSIGNAL), 1);
    assert_int_equal(recv(accepted, &byte, 1, 0), 1);
    close(peer), close(came);
    peer = connect_to(&one), came = accept(listener, NULL, NULL);
    assert_int_equal(send(peer, &byte, 1, MSG_NOSIGNAL), 1);
    assert_int_equal(recv(came, &byte, 1, 0), 1);
    close(peer), close(came), close(stays), close(accepted);
    close(listener), close(further);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(room_is_made),
    };
    return cmocka_run_group_tests_name("status_guard", tests, NULL, NULL);
}
