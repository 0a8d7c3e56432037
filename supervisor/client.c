#include "supervisor/client.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/lines/message.h"
#include "common/lines/unix_socket.h"
#include "common/runtime_dir.h"

/* Asks on the connection `fd`, which it closes. NULL: there is no answer. */
static struct json_object *ask(int fd, struct json_object *question,
                               duration patience) {
    struct timeval limit = {.tv_sec = patience.usec / USEC_PER_SEC,
                            .tv_usec = patience.usec % USEC_PER_SEC};
    char *text = NULL;
    size_t size = 0;
    struct json_object *answer = NULL;
    fcntl(fd, F_SETFL, 0); /* it may block, there is nothing else to do */
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    FILE *stream = fdopen(fd, "r");
    if (stream != NULL &&
        dprintf(fd, "%s\n", message_line(question).data) > 0) {
        ssize_t len = getline(&text, &size, stream);
        if (len > 0 && text[len - 1] == '\n')
            answer = message_parse((struct span){text, (size_t)len - 1});
    }
    free(text);
    if (stream != NULL)
        fclose(stream);
    return answer;
}

int client_ask(const struct settings *settings, const char *name,
               struct json_object *question, duration patience,
               struct json_object **answer) {
    char *path =
        runtime_dir_path(settings_text(settings, SETTING_RUNTIME_DIR), name);
    int fd = unix_socket_connect(path);
    *answer = fd >= 0 ? ask(fd, question, patience) : NULL;
    json_object_put(question);
    free(path);
    return fd >= 0 ? 0 : -1;
}

int client_not_running(const struct settings *settings) {
    fprintf(stderr, "RUNTIME_DIR=%s: no service is running there\n",
            settings_text(settings, SETTING_RUNTIME_DIR));
    return EX_UNAVAILABLE;
}
