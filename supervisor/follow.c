/* supervisor logs: the lines of a running service, as they come. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/lines/channel.h"
#include "common/lines/message.h"
#include "common/lines/unix_socket.h"
#include "common/memory.h"
#include "common/runtime_dir.h"
#include "supervisor/client.h"
#include "supervisor/command.h"
#include "supervisor/log_json.h"

/* A monitor or a supervisor that died is there again within that time. */
#define COMES_BACK_WITHIN SECONDS(2)

enum { TRY_AGAIN_MS = 20 };

enum outcome { ENDED, NOBODY_READS };

/* The connection to the monitor, with the question asked; fd -1: there is none.
 */
static struct channel ask(const char *path) {
    struct channel channel;
    struct json_object *question = message_new(MESSAGE_LOGS);
    channel_init(&channel, unix_socket_connect(path));
    if (channel.fd >= 0 && channel_write(&channel, message_line(question)) < 0)
        channel_clear(&channel);
    json_object_put(question);
    return channel;
}

static void print(struct span told, bool json) {
    struct json_object *message = message_parse(told);
    const char *line = message_text(message, "line");
    double lost = message_number(message, "lost", 0);
    if (line != NULL && json)
        log_json_put(stdout, span_of(line));
    else if (line != NULL)
        fputs(line, stdout);
    if (line != NULL)
        fputc('\n', stdout);
    if (lost > 0)
        fprintf(stderr,
                "%.0f lines were not shown: they came faster than they "
                "were read\n",
                lost);
    json_object_put(message);
}

/* Prints what comes, up to the end of the connection or of who reads us. */
static enum outcome follow(struct channel *channel, bool json) {
    struct pollfd ends[] = {{.fd = channel->fd, .events = POLLIN},
                            {.fd = STDOUT_FILENO, .events = 0}};
    for (;;) {
        enum channel_status status = channel_read(channel);
        struct span line;
        while (channel_next_line(channel, &line))
            print(line, json);
        if (fflush(stdout) != 0)
            return NOBODY_READS;
        if (status == CHANNEL_CLOSED || status == CHANNEL_BROKEN)
            return ENDED;
        if (status == CHANNEL_IDLE && poll(ends, 2, -1) > 0 &&
            (ends[1].revents & (POLLERR | POLLHUP)) != 0)
            return NOBODY_READS;
    }
}

/* Waits for it a moment; fd -1: the service has ended. */
static struct channel ask_again(const char *path) {
    static const struct timespec pause = {.tv_nsec =
                                              TRY_AGAIN_MS * 1000 * 1000};
    monotime end = monotime_add(clock_monotonic(), COMES_BACK_WITHIN);
    struct channel channel;
    do {
        nanosleep(&pause, NULL);
        channel = ask(path);
    } while (channel.fd < 0 && !monotime_reached(clock_monotonic(), end));
    return channel;
}

static int follow_service(const struct settings *settings, bool json) {
    char *path = runtime_dir_path(settings_text(settings, SETTING_RUNTIME_DIR),
                                  "logs.sock");
    struct channel channel = ask(path);
    int code = channel.fd >= 0 ? EX_OK : client_not_running(settings);
    while (channel.fd >= 0) {
        enum outcome outcome = follow(&channel, json);
        channel_clear(&channel);
        if (outcome == ENDED)
            channel = ask_again(path);
    }
    free(path);
    return code;
}

int command_logs(const struct options *options) {
    struct settings *settings =
        options_load_settings(options, SETTINGS_COMMAND);
    int code = EX_CONFIG;
    if (*settings_faults(settings) == '\0')
        code = follow_service(settings, options->json);
    else
        fputs(settings_faults(settings), stderr);
    settings_free(&settings);
    return code;
}
