#include "supervisor/environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/memory.h"

/* Names, or with a * at their end the beginnings of names. */
static const char *const passed_on[] = {
    "PATH",
    "HOME",
    "LANG",
    "LC_*",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "FAKETIME*",
    "MALLOC_*",
    "ASAN_OPTIONS",
    "UBSAN_OPTIONS",
    "LSAN_OPTIONS",
};

static bool is_passed_on(const char *variable) {
    size_t len = strcspn(variable, "=");
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++) {
        size_t name_len = strcspn(passed_on[i], "*");
        bool is_prefix = passed_on[i][name_len] == '*';
        if ((is_prefix ? len >= name_len : len == name_len) &&
            strncmp(variable, passed_on[i], name_len) == 0)
            return true;
    }
    return false;
}

static size_t count(char *const list[]) {
    size_t n = 0;
    while (list[n] != NULL)
        n++;
    return n;
}

char **environment_new(const struct settings *settings,
                       enum settings_reader reader, const char *upstream) {
    char **list = memory_new((count(environ) + SETTINGS + 1) * sizeof *list);
    size_t n = 0;
    for (char **variable = environ; *variable != NULL; variable++)
        if (is_passed_on(*variable))
            list[n++] = memory_print("%s", *variable);
    for (int i = 0; i < SETTINGS; i++) {
        const char *text = settings_text(settings, (enum setting)i);
        if (i == SETTING_REQUESTS_WS_URL && upstream != NULL)
            text = upstream;
        if (text != NULL && settings_is_read_by((enum setting)i, reader))
            list[n++] =
                memory_print("%s=%s", settings_name((enum setting)i), text);
    }
    return list;
}

void environment_free(char ***environment) {
    for (char **variable = *environment; *variable != NULL; variable++)
        memory_wipe(*variable);
    free(*environment);
    *environment = NULL;
}
