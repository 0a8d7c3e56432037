#include "supervisor/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/lines/message.h"
#include "common/loop.h"
#include "common/runtime_dir.h"
#include "supervisor/alert.h"
#include "supervisor/client.h"
#include "supervisor/launch.h"
#include "supervisor/live.h"
#include "supervisor/memory_limit.h"
#include "supervisor/orders.h"
#include "supervisor/runtime.h"
#include "supervisor/service.h"
#include "supervisor/status.h"

#define ANSWER_TIMEOUT SECONDS(3)

enum { STATUS_AGAIN_MS = 20 };

/* The settings that a command needs, or NULL after telling their faults. */
static struct settings *load(const struct options *options,
                             enum settings_reader readers) {
    struct settings *settings = options_load_settings(options, readers);
    if (*settings_faults(settings) == '\0')
        return settings;
    fputs(settings_faults(settings), stderr);
    settings_free(&settings);
    return NULL;
}

/* Each line with a word before it that tells it from a fault. */
static void print_warnings(const char *lines) {
    while (*lines != '\0') {
        size_t len = strcspn(lines, "\n");
        fprintf(stderr, "warning: %.*s\n", (int)len, lines);
        lines += len + (lines[len] == '\n');
    }
}

/* Not at each start: an ordinary user may have no other folder. */
static void warn_of_sweeping(const struct settings *settings) {
    const char *dir = settings_text(settings, SETTING_RUNTIME_DIR);
    if (dir != NULL && runtime_dir_is_temporary(dir))
        fprintf(stderr,
                "warning: RUNTIME_DIR=%s: cleaners of temporary folders may "
                "remove it while the service runs; choose one in /run\n",
                dir);
}

static void warn_of_memory_limit(const struct settings *settings) {
    char *warning = memory_limit_warning(settings);
    if (warning != NULL)
        fprintf(stderr, "warning: %s\n", warning);
    free(warning);
}

int command_check(const struct options *options) {
    struct settings *settings =
        options_load_settings(options, SETTINGS_ALL & ~SETTINGS_COMMAND);
    for (int i = 0; i < SETTINGS; i++) {
        char *shown = settings_shown(settings, (enum setting)i);
        printf("%-27s %-44s %s\n", settings_name((enum setting)i), shown,
               *shown != '\0' ? settings_origin(settings, (enum setting)i)
                              : "not set");
        free(shown);
    }
    fflush(stdout);
    print_warnings(settings_warnings(settings));
    warn_of_sweeping(settings);
    warn_of_memory_limit(settings);
    int code = service_check(settings) ? EX_OK : EX_CONFIG;
    if (code == EX_OK && options->live)
        code = live_check(settings);
    settings_free(&settings);
    return code;
}

static struct json_object *ask_status(const struct settings *settings) {
    struct json_object *status;
    if (client_ask(settings, "control.sock", message_new(MESSAGE_STATUS),
                   ANSWER_TIMEOUT, &status) == 0 &&
        status != NULL)
        json_object_object_del(status, "op");
    return status;
}

static bool is_ready(struct json_object *status) {
    struct json_object *ready = NULL;
    json_object_object_get_ex(status, "ready", &ready);
    return json_object_get_boolean(ready);
}

/*
 * Asks until the service is ready, where that is wanted, and the time is not
 * over. It may not have been started yet, so there is nothing to wait on.
 */
static struct json_object *wait_for_status(const struct options *options,
                                           const struct settings *settings) {
    static const struct timespec pause = {.tv_nsec =
                                              STATUS_AGAIN_MS * 1000 * 1000};
    monotime end = monotime_add(
        clock_monotonic(), (duration){(int64_t)(options->wait_seconds * 1e6)});
    for (;;) {
        struct json_object *status = ask_status(settings);
        bool good = status != NULL && (!options->ready || is_ready(status));
        if (good || !options->wait || monotime_reached(clock_monotonic(), end))
            return status;
        json_object_put(status);
        nanosleep(&pause, NULL);
    }
}

int command_status(const struct options *options) {
    struct settings *settings = load(options, SETTINGS_COMMAND);
    if (settings == NULL)
        return EX_CONFIG;
    int code = EX_OK;
    struct json_object *status = wait_for_status(options, settings);
    if (status == NULL)
        code = client_not_running(settings);
    else if (options->json)
        puts(message_line(status).data);
    else
        status_print(status, stdout);
    if (status != NULL && options->ready && !is_ready(status))
        code = EX_UNAVAILABLE;
    json_object_put(status);
    settings_free(&settings);
    return code;
}

/* What comes of asking for `message`; prints why it is not done. */
static int ask_for(const struct settings *settings, struct json_object *message,
                   int code_if_refused) {
    struct json_object *answer;
    if (client_ask(settings, "control.sock", message, ANSWER_TIMEOUT, &answer) <
        0)
        return client_not_running(settings);
    int code = EX_OK;
    if (answer == NULL) {
        fputs("the service did not answer\n", stderr);
        code = EX_UNAVAILABLE;
    } else if (message_op(answer) == MESSAGE_ERROR) {
        const char *why = message_text(answer, "message");
        fprintf(stderr, "%s\n", why != NULL ? why : "it was refused");
        code = code_if_refused;
    }
    json_object_put(answer);
    return code;
}

/* Asks the running service to do something; gives the exit code. */
static int order(const struct options *options, struct json_object *message,
                 int code_if_refused) {
    struct settings *settings = load(options, SETTINGS_COMMAND);
    if (settings == NULL) {
        json_object_put(message);
        return EX_CONFIG;
    }
    bool stop = message_op(message) == MESSAGE_STOP;
    int code = ask_for(settings, message, code_if_refused);
    if (stop && code == EX_OK) /* until the folder is free for the next one */
        runtime_dir_wait_unlocked(settings_text(settings, SETTING_RUNTIME_DIR),
                                  RUNTIME_LOCK);
    settings_free(&settings);
    return code;
}

int command_stop(const struct options *options) {
    return order(options, message_new(MESSAGE_STOP), EX_UNAVAILABLE);
}

int command_reload(const struct options *options) {
    return order(options, message_new(MESSAGE_RELOAD), EX_CONFIG);
}

/* A word that no service knows, whether one runs or not. */
static int unknown_word(const char *allowed) {
    fprintf(stderr, "%s\n", allowed);
    return EX_USAGE;
}

int command_restart(const struct options *options) {
    if (!launch_is_helper_name(options->arguments[0]))
        return unknown_word(ORDERS_HELPERS);
    struct json_object *message = message_new(MESSAGE_RESTART);
    message_add_text(message, "helper", options->arguments[0]);
    return order(options, message, EX_USAGE);
}

int command_log_level(const struct options *options) {
    if (log_level_of(options->arguments[0]) == LOG_LEVELS)
        return unknown_word(ORDERS_LEVELS);
    struct json_object *message = message_new(MESSAGE_LOG_LEVEL);
    message_add_text(message, "level", options->arguments[0]);
    return order(options, message, EX_USAGE);
}

int command_alert_test(const struct options *options) {
    struct settings *settings = load(options, SETTINGS_SUPERVISOR);
    if (settings == NULL)
        return EX_CONFIG;
    bool set = settings_text(settings, SETTING_ALERT_COMMAND) != NULL;
    int code = set ? EX_OK : EX_CONFIG;
    if (set) {
        struct event_base *base = loop_new();
        struct children *children = children_new(base);
        struct alert *alert =
            alert_new(base, children, settings, STDERR_FILENO);
        alert_raise(alert, EVENT_TEST, "fxwire", "asked for by alert-test");
        while (!alert_is_idle(alert) && event_base_loop(base, EVLOOP_ONCE) == 0)
            ;
        if (alert_has_failed(alert))
            code = EX_UNAVAILABLE;
        alert_free(&alert);
        children_free(&children);
        loop_free(&base);
    } else {
        fputs("ALERT_COMMAND is not set\n", stderr);
    }
    settings_free(&settings);
    return code;
}
