/*
 * What the targets share that are about a socket of ours: lines of a client,
 * who then says that he has no more, and his answers. Each line has one, which
 * is JSON; a line that is none ends the connection.
 */
#ifndef FXWIRE_TESTS_FUZZ_SOCKET_H
#define FXWIRE_TESTS_FUZZ_SOCKET_H

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/lines/message.h"
#include "common/lines/unix_socket.h"
#include "common/log.h"
#include "common/loop.h"
#include "tests/fuzz/fuzz.h"

enum {
    SOCKET_OUTPUT_BYTES = 1 << 22,
    SOCKET_MOST_ROUNDS = 100000,
    SOCKET_ALL = 100000 /* of those who wait */
};

static struct event_base *socket_base;
static int socket_listening;
static char socket_path[64], socket_folder[64],
    socket_output[SOCKET_OUTPUT_BYTES];

static void socket_remove(void) {
    unlink(socket_path);
    rmdir(socket_folder);
}

/* Makes the socket, and what serves it; what is logged is lost. */
static inline void socket_serve(void) {
    strcpy(socket_folder, "/tmp/fxwire-fuzz-XXXXXX");
    HOLDS(mkdtemp(socket_folder) != NULL, "%s", socket_folder);
    snprintf(socket_path, sizeof socket_path, "%s/sock", socket_folder);
    atexit(socket_remove);
    log_open("fuzz", "error", "text", open("/dev/null", O_WRONLY));
    socket_base = loop_new();
    signal(SIGPIPE, SIG_IGN);
    socket_listening = unix_socket_listen(socket_path);
    HOLDS(socket_listening >= 0, "%s", socket_path);
}

/* How many answers there are to be to these lines. */
static inline size_t
socket_count_answers(struct span text, bool (*is_question)(enum message_op)) {
    size_t count = 0;
    bool good = true;
    while (good && text.len > 0) {
        struct json_object *message = message_parse(fuzz_take(&text, '\n'));
        good = message != NULL && is_question(message_op(message));
        json_object_put(message);
        count++;
    }
    return count;
}

/*
 * All that a client is answered, or nothing if he goes without reading. `tell`
 * is called to answer at most so many of the questions that wait; it may be
 * NULL.
 */
static inline struct span socket_talk(struct span text, bool reads,
                                      void (*tell)(size_t most)) {
    size_t len = 0;
    ssize_t n = -1;
    int fd = unix_socket_connect(socket_path);
    HOLDS(fd >= 0, "%s", strerror(errno));
    HOLDS(send(fd, text.data, text.len, 0) == (ssize_t)text.len, "no room");
    if (reads)
        shutdown(fd, SHUT_WR);
    for (int round = 0; n != 0 && (reads || round < 3); round++) {
        HOLDS(round < SOCKET_MOST_ROUNDS, "%zu bytes came", len);
        event_base_loop(socket_base, EVLOOP_NONBLOCK);
        if (reads && round % 4 == 3 && tell != NULL)
            tell(SOCKET_ALL);
        if (reads)
            n = recv(fd, socket_output + len, SOCKET_OUTPUT_BYTES - len,
                     MSG_DONTWAIT);
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    for (int round = 0; round < 4; round++) { /* nobody reads these */
        if (tell != NULL)
            tell(1);
        event_base_loop(socket_base, EVLOOP_NONBLOCK);
    }
    return (struct span){socket_output, len};
}

/* Each answer is a message of ours; gives how many there are. */
static inline size_t socket_check_answers(struct span answers) {
    size_t count = 0;
    for (; answers.len > 0; count++) {
        struct span line = fuzz_take(&answers, '\n');
        struct json_object *message = message_parse(line);
        HOLDS(message != NULL && message_op(message) != MESSAGE_UNKNOWN, "%.*s",
              SPAN(line));
        json_object_put(message);
    }
    return count;
}

#endif
