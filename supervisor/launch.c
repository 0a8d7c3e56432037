#include "supervisor/launch.h"

#include <stdlib.h>
#include <string.h>

#include "common/lines/child.h"
#include "common/memory.h"
#include "supervisor/monitor/monitor.h"
#include "supervisor/spawn.h"

static const struct {
    const char *name;
    const char *program;
    const char *argument; /* NULL: none */
    enum settings_reader reader;
} kinds[HELPER_KINDS] = {
    [HELPER_WSCLIENT] = {"wsclient", "wsclient", NULL, SETTINGS_WSCLIENT},
    [HELPER_RATEFETCHER] = {"ratefetcher", "ratefetcher", NULL,
                            SETTINGS_RATEFETCHER},
    [HELPER_MONITOR] = {"monitor", "supervisor", MONITOR_COMMAND,
                        SETTINGS_MONITOR},
};

const char *helper_name(const struct helper *helper) {
    return kinds[helper->kind].name;
}

bool launch_is_helper_name(const char *name) {
    for (int kind = 0; kind < HELPER_KINDS; kind++)
        if (strcmp(kinds[kind].name, name) == 0)
            return true;
    return false;
}

bool launch_waits_for_debugger(const struct helper *helper) {
    return settings_is(helper->context->settings, SETTING_DEBUG_WAIT,
                       helper_name(helper));
}

char **launch_environment(const struct helper *helper,
                          const struct settings *settings) {
    return spawn_environment(settings, kinds[helper->kind].reader,
                             helper->upstream);
}

/* Gives a variable that is there another value. */
static void change(char **environment, const char *name, const char *value) {
    size_t len = strlen(name);
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, len) == 0 &&
            (*environment)[len] == '=') {
            free(*environment);
            *environment = memory_print("%s=%s", name, value);
        }
}

/* With the level of the log that was asked for meanwhile. */
static char **environment_now(const struct helper *helper) {
    const struct helper_context *context = helper->context;
    char **environment = launch_environment(helper, context->settings);
    if (context->log_level != LOG_LEVELS)
        change(environment, settings_name(SETTING_LOG_LEVEL),
               log_level_word(context->log_level));
    return environment;
}

static void give_extra(const struct helper *helper, int fds[SPAWN_EXTRA_FDS]) {
    const struct helper_context *context = helper->context;
    if (helper->kind == HELPER_RATEFETCHER)
        fds[0] = context->rates_fd;
    if (helper->kind != HELPER_MONITOR)
        return;
    fds[0] = context->log_read_fd;
    fds[1] = context->logs_fd;
}

pid_t launch_helper(const struct helper *helper, int control_fd) {
    const struct helper_context *context = helper->context;
    char *path = spawn_sibling(kinds[helper->kind].program);
    char *argv[6] = {(char *)(uintptr_t)kinds[helper->kind].program};
    int n = 1;
    if (kinds[helper->kind].argument != NULL)
        argv[n++] = (char *)(uintptr_t)kinds[helper->kind].argument;
    argv[n++] = (char *)(uintptr_t)CHILD_ARGUMENT;
    if (context->show_messages && helper->kind == HELPER_WSCLIENT)
        argv[n++] = (char *)(uintptr_t) "--show-messages";
    if (launch_waits_for_debugger(helper))
        argv[n++] = (char *)(uintptr_t)CHILD_DEBUG_ARGUMENT;
    char **environment = environment_now(helper);
    struct spawn spawn = {.path = path,
                          .argv = argv,
                          .environment = environment,
                          .control_fd = control_fd,
                          .log_fd = context->log_write_fd,
                          .extra_fds = {-1, -1},
                          .keep_stderr = helper->kind == HELPER_MONITOR};
    give_extra(helper, spawn.extra_fds);
    pid_t pid = spawn_start(&spawn);
    spawn_environment_free(&environment);
    free(path);
    return pid;
}
