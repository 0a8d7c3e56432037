#include "supervisor/live.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/lines/child.h"
#include "common/lines/message.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/settings/url.h"
#include "supervisor/client.h"
#include "supervisor/spawn.h"

#define ANSWER_TIMEOUT SECONDS(3)

/* Waits for its end; whether all that it tried works. */
static bool wait_for(pid_t pid) {
    siginfo_t end = {.si_code = 0};
    while (waitid(P_PID, (id_t)pid, &end, WEXITED) < 0)
        if (errno != EINTR)
            return false;
    return end.si_code == CLD_EXITED && end.si_status == EX_OK;
}

/* Has a helper's program try what it is set to use. */
static bool try(const struct settings *settings, const char *program,
                enum settings_reader reader, const char *upstream) {
    char *path = spawn_sibling(program);
    char *argv[] = {(char *)(uintptr_t)program,
                    (char *)(uintptr_t)CHILD_TRIAL_ARGUMENT, NULL};
    char **environment = spawn_environment(settings, reader, upstream);
    pid_t pid = spawn_printing(path, argv, environment);
    if (pid < 0)
        perror(path);
    spawn_environment_free(&environment);
    free(path);
    return pid >= 0 && wait_for(pid);
}

/* The status of the service that runs in this folder; NULL: none does. */
static struct json_object *ask_running(const struct settings *settings) {
    struct json_object *status = NULL;
    if (client_ask(settings, "control.sock", message_new(MESSAGE_STATUS),
                   ANSWER_TIMEOUT, &status) < 0)
        return NULL;
    return status;
}

static bool is_connected(struct json_object *status, const char *label) {
    struct json_object *rows, *connected;
    if (!json_object_object_get_ex(status, "upstreams", &rows) ||
        !json_object_is_type(rows, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *name = message_text(row, "upstream");
        if (name != NULL && strcmp(name, label) == 0 &&
            json_object_object_get_ex(row, "connected", &connected) &&
            json_object_get_boolean(connected))
            return true;
    }
    return false;
}

/*
 * A second link beside that of the running service could be given requests
 * which it does not take, so there the one that stands is the proof.
 */
static bool try_upstream(const struct settings *settings, struct span address,
                         struct json_object *status) {
    struct url url;
    if (!url_parse(address, &url))
        abort(); /* the settings have checked it */
    char *label = url_label(&url, url_default_port(&url));
    bool good = is_connected(status, label);
    if (good)
        log_print_row(STDOUT_FILENO, "upstream",
                      LOG_FIELDS(log_text("upstream", label),
                                 log_text("result", "ok"),
                                 log_text("link", "the running service's")));
    free(label);
    if (good)
        return true;
    char *text = memory_copy(address.data, address.len);
    good = try(settings, "wsclient", SETTINGS_WSCLIENT, text);
    memory_wipe(text);
    return good;
}

int live_check(const struct settings *settings) {
    struct span upstream,
        list = span_of(settings_text(settings, SETTING_REQUESTS_WS_URL));
    struct json_object *status = ask_running(settings);
    bool good = live_folders(settings);
    while (settings_next_word(&list, &upstream))
        good = try_upstream(settings, upstream, status) && good;
    json_object_put(status);
    good = try(settings, "ratefetcher", SETTINGS_RATEFETCHER, NULL) && good;
    return good ? EX_OK : EX_UNAVAILABLE;
}
