/* The server of lines, over a socket of its own in a folder of its own. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common/lines/channel.h"
#include "common/lines/line_server.h"
#include "common/lines/unix_socket.h"
#include "common/loop.h"
#include "common/memory.h"
#include "tests/unit/unit.h"

enum { MAX_QUESTIONS = 1100, LARGE_BYTES = 64 * 1024, PATIENCE_ROUNDS = 500 };

/* A server that answers `status` with itself or, when told so, much more, and
 * keeps each `rates`. */
static struct world {
    struct event_base *base;
    struct line_server *server;
    int listening;
    char path[64];
    struct line_question kept[MAX_QUESTIONS];
    size_t asked, kept_count, cancelled;
    bool large;
} world;

static void on_cancel(void *arg) {
    (void)arg;
    world.cancelled++;
}

static bool on_ask(void *arg, struct line_client *client, enum message_op op,
                   const struct json_object *message) {
    (void)message;
    assert_ptr_equal(arg, &world);
    world.asked++;
    if (op == MESSAGE_RATES) {
        assert_true(world.kept_count < MAX_QUESTIONS);
        struct line_question *question = &world.kept[world.kept_count++];
        *question = (struct line_question){.cancel = on_cancel};
        line_server_defer(client, question);
        return true;
    }
    if (op != MESSAGE_STATUS)
        return false;
    struct json_object *answer = message_new(MESSAGE_STATUS);
    if (world.large) {
        char text[LARGE_BYTES];
        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        message_add_text(answer, "text", text);
    }
    line_server_send(client, answer);
    return true;
}

static int serve(void **state) {
    size_t *max_clients = *state;
    world = (struct world){.base = loop_new()};
    char folder[] = "/tmp/fx-lines-XXXXXX";
    assert_non_null(mkdtemp(folder));
    snprintf(world.path, sizeof world.path, "%s/sock", folder);
    const struct line_service with = {
        .socket = "test.sock",
        .expected = "a good line",
        .max_clients = max_clients != NULL ? *max_clients : 8,
        .ask = on_ask,
        .arg = &world,
    };
    world.listening = unix_socket_listen(world.path);
    assert_true(world.listening >= 0);
    world.server = line_server_new(world.base, world.listening, &with);
    return 0;
}

static int end(void **state) {
    (void)state;
    if (world.server != NULL)
        line_server_free(&world.server);
    loop_free(&world.base);
    close(world.listening);
    unlink(world.path);
    *strrchr(world.path, '/') = '\0';
    return rmdir(world.path);
}

static int join(void) {
    int fd = unix_socket_connect(world.path);
    assert_true(fd >= 0);
    return fd;
}

static void turn(void) {
    event_base_loop(world.base, EVLOOP_NONBLOCK);
}

static void say(int fd, const char *text) {
    assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
    turn();
}

/* Lets the server work until `fd` has something to read. */
static bool comes(int fd) {
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    for (int i = 0; i < PATIENCE_ROUNDS; i++) {
        turn();
        if (poll(&readable, 1, 10) == 1)
            return true;
    }
    return false;
}

/* All that comes up to the end of the connection. */
static const char *all(int fd) {
    static char text[1 << 16];
    size_t len = 0;
    ssize_t n;
    do {
        assert_true(comes(fd));
        n = recv(fd, text + len, sizeof text - 1 - len, 0);
        len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    text[len] = '\0';
    return text;
}

static void expect(int fd, const char *wanted) {
    char text[512] = "";
    assert_true(comes(fd));
    assert_true(recv(fd, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, wanted);
}

#define STATUS "{\"op\":\"status\"}\n"
#define RATES  "{\"op\":\"rates\"}\n"
#define STOP   "{\"op\":\"stop\"}\n"
#define BAD                                                                    \
    "{\"op\":\"error\",\"code\":\"bad_line\",\"message\":\"a good line\"}\n"

static void lines_are_answered(void **state) {
    (void)state;
    int one = join(), two = join();
    say(one, STATUS STATUS "{\"op\":");
    say(two, STATUS);
    expect(one, STATUS STATUS);
    expect(two, STATUS);
    say(one, "\"status\"}\n");
    expect(one, STATUS);
    close(one);
    close(two);
}

/* Also when the answer is there long after. */
static void who_closed_his_side_gets_his_answers(void **state) {
    (void)state;
    int fd = join();
    say(fd, RATES STATUS);
    shutdown(fd, SHUT_WR);
    expect(fd, STATUS);
    line_server_answer(&world.kept[0], message_new(MESSAGE_STOP));
    assert_string_equal(all(fd), STOP);
    assert_int_equal(world.cancelled, 0);
    close(fd);
}

/* What is only the beginning of a line is a bad one. */
static void the_end_of_all_ends_the_last_line(void **state) {
    static const struct {
        const char *said, *answers;
    } cases[] = {
        {"{\"op\":\"status\"}", STATUS},
        {STATUS "{\"op\":\"status\"}", STATUS STATUS},
        {STATUS "{\"op\":\"sta", STATUS BAD},
        {STATUS, STATUS},
        {"", ""},
        {"x\n{\"op\":\"status\"}", BAD},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int fd = join();
        say(fd, cases[i].said);
        shutdown(fd, SHUT_WR);
        assert_string_equal(all(fd), cases[i].answers);
        close(fd);
    }
}

static void a_bad_line_closes_its_connection_alone(void **state) {
    static const char *const lines[] = {"x\n", "\n", "[]\n", STOP, "{}\n"};
    (void)state;
    int other = join();
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        int fd = join();
        say(fd, lines[i]);
        send(fd, STATUS, strlen(STATUS), MSG_NOSIGNAL);
        assert_string_equal(all(fd), BAD);
        close(fd);
    }
    say(other, STATUS);
    expect(other, STATUS);
    close(other);
}

/* Sends `len` blanks, and `end` behind them. */
static void say_blanks(int fd, size_t len, const char *ending) {
    static char blanks[CHANNEL_MAX_LINE_BYTES + 1];
    memset(blanks, ' ', sizeof blanks);
    for (size_t sent = 0; sent < len;) {
        ssize_t n = send(fd, blanks, len - sent, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        turn();
    }
    send(fd, ending, strlen(ending), MSG_NOSIGNAL);
}

static void the_longest_line_is_read_and_no_longer_one(void **state) {
    (void)state;
    int fd = join();
    say_blanks(fd, CHANNEL_MAX_LINE_BYTES - (sizeof STATUS - 2), STATUS);
    expect(fd, STATUS);
    say_blanks(fd, CHANNEL_MAX_LINE_BYTES + 1, "");
    expect(fd, BAD);
    close(fd);
}

static void a_client_that_goes_cancels_its_questions(void **state) {
    (void)state;
    int fd = join(), other = join();
    say(fd, RATES RATES);
    say(other, RATES);
    turn();
    assert_int_equal(world.kept_count, 3);
    line_server_answer(&world.kept[0], message_new(MESSAGE_STOP));
    close(fd); /* that answer can not be sent: an error, no end in order */
    for (int i = 0; world.cancelled == 0 && i < PATIENCE_ROUNDS; i++)
        event_base_loop(world.base, EVLOOP_ONCE);
    assert_int_equal(world.cancelled, 1);
    line_server_answer(&world.kept[2], message_new(MESSAGE_STATUS));
    expect(other, STATUS);
    close(other);
}

static void open_questions_are_bounded(void **state) {
    (void)state;
    int fd = join();
    for (int i = 0; i < 1050; i++)
        say(fd, RATES);
    turn();
    assert_int_equal(world.kept_count, 1000);
    for (int i = 0; i < 1000; i++)
        line_server_answer(&world.kept[i], message_new(MESSAGE_STOP));
    for (int i = 0; world.kept_count < 1050 && i < PATIENCE_ROUNDS; i++)
        event_base_loop(world.base, EVLOOP_ONCE);
    assert_int_equal(world.kept_count, 1050);
    close(fd);
}

static void who_does_not_read_is_not_read_from(void **state) {
    (void)state;
    enum { LINES = 200 };
    static char text[1 << 20];
    int fd = join();
    world.large = true;
    for (int i = 0; i < LINES; i++)
        say(fd, STATUS);
    turn();
    assert_true(world.asked < LINES / 2);
    size_t lines = 0;
    while (lines < LINES) {
        assert_true(comes(fd));
        ssize_t n = recv(fd, text, sizeof text, 0);
        assert_true(n > 0);
        for (ssize_t i = 0; i < n; i++)
            lines += text[i] == '\n';
    }
    assert_int_equal(world.asked, LINES);
    close(fd);
}

static void clients_beyond_the_limit_wait(void **state) {
    (void)state;
    int one = join(), two = join(), three = join();
    say(three, STATUS);
    say(two, STATUS);
    expect(two, STATUS);
    assert_int_equal(world.asked, 1);
    close(one);
    expect(three, STATUS);
    close(two);
    close(three);
}

static void without_descriptors_clients_wait(void **state) {
    (void)state;
    struct rlimit limit, none;
    int fd = join();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){(rlim_t)fd + 1, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    say(fd, STATUS);
    turn();
    assert_int_equal(world.asked, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    expect(fd, STATUS);
    close(fd);
}

/* The answer to `stop` may be the last thing before the loop ends. */
static void the_last_answers_are_sent(void **state) {
    (void)state;
    int fd = join();
    say(fd, RATES);
    turn();
    line_server_answer(&world.kept[0], message_new(MESSAGE_STOP));
    line_server_free(&world.server);
    assert_string_equal(all(fd), STOP);
    close(fd);
}

int main(void) {
    static size_t two = 2;
    signal(SIGPIPE, SIG_IGN); /* as in every process, see process.h */
#define TEST(name) cmocka_unit_test_setup_teardown(name, serve, end)
    const struct CMUnitTest tests[] = {
        TEST(lines_are_answered),
        TEST(who_closed_his_side_gets_his_answers),
        TEST(the_end_of_all_ends_the_last_line),
        TEST(a_bad_line_closes_its_connection_alone),
        TEST(the_longest_line_is_read_and_no_longer_one),
        TEST(a_client_that_goes_cancels_its_questions),
        TEST(open_questions_are_bounded),
        TEST(who_does_not_read_is_not_read_from),
        cmocka_unit_test_prestate_setup_teardown(clients_beyond_the_limit_wait,
                                                 serve, end, &two),
        TEST(without_descriptors_clients_wait),
        TEST(the_last_answers_are_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
