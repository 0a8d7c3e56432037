#include "supervisor/asking.h"

#include <poll.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/message.h"
#include "common/runtime_dir.h"
#include "common/unix_socket.h"

int asking_open(struct asking *asking, const struct settings *settings,
                const char *name) {
    char *path =
        runtime_dir_path(settings_text(settings, SETTING_RUNTIME_DIR), name);
    int fd = unix_socket_connect(path);
    free(path);
    channel_init(&asking->channel, fd);
    return fd < 0 ? -1 : 0;
}

void asking_close(struct asking *asking) {
    channel_clear(&asking->channel);
}

/* Waits for more to read; false: the time is over. */
static bool wait_readable(struct asking *asking, int timeout_ms) {
    struct pollfd fd = {.fd = asking->channel.fd, .events = POLLIN};
    return poll(&fd, 1, timeout_ms) > 0;
}

struct json_object *asking_ask(struct asking *asking,
                               struct json_object *question, int timeout_ms) {
    int written = channel_write(&asking->channel, message_line(question));
    json_object_put(question);
    monotime end =
        monotime_add(clock_monotonic(), (duration){timeout_ms * USEC_PER_MSEC});
    struct span line;
    while (written == 0 && !channel_next_line(&asking->channel, &line)) {
        int64_t left = monotime_between(clock_monotonic(), end).usec;
        if (left <= 0 ||
            !wait_readable(asking, (int)(left / USEC_PER_MSEC) + 1) ||
            channel_read(&asking->channel) >= CHANNEL_CLOSED)
            return NULL;
    }
    return written == 0 ? message_parse(line) : NULL;
}

void asking_wait_for_end(struct asking *asking) {
    while (channel_read(&asking->channel) < CHANNEL_CLOSED)
        (void)wait_readable(asking, -1);
}
