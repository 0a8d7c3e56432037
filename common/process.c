#include "common/process.h"

#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/crash.h"
#include "common/lines/child.h"
#include "common/log.h"
#include "common/memory.h"

/* Else the first socket would be standard error to all that follows. */
static void open_missing_streams(void) {
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static void reset_signals(void) {
    struct sigaction action;
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        if (sigaction(number, NULL, &action) == 0 &&
            action.sa_handler == SIG_IGN)
            signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void process_init(int argc, char *argv[], char *envp[]) {
    open_missing_streams();
    setproctitle_init(argc, argv, envp);
    reset_signals();
    signal(SIGPIPE, SIG_IGN);
}

bool process_proc_is_ours(void) {
    char text[32];
    ssize_t len = readlink("/proc/self", text, sizeof text - 1);
    text[len > 0 ? len : 0] = '\0';
    return atoi(text) == getpid();
}

static void mask_ends(int how) {
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGTERM);
    sigaddset(&both, SIGINT);
    sigprocmask(how, &both, NULL);
}

void process_hold_ends(void) {
    mask_ends(SIG_BLOCK);
}

void process_take_ends(void) {
    mask_ends(SIG_UNBLOCK);
}

static int ends[2]; /* a pipe */

static void on_end(int number) {
    int error = errno;
    ssize_t ignored = write(ends[1], &number, 1);
    (void)ignored; /* full: enough is said already */
    errno = error;
}

/* Not signalfd(): it is not allowed everywhere. */
int process_catch_ends(void) {
    struct sigaction action = {.sa_handler = on_end, .sa_flags = SA_RESTART};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    process_take_ends();
    return ends[0];
}

void process_title(const char *format, ...) {
    char title[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(title, sizeof title, format, arguments);
    va_end(arguments);
    setproctitle("-fxwire: %s", title);
}

void process_mask_secrets(const struct settings *settings) {
    for (int i = 0; i < SETTINGS; i++) {
        const char *text = settings_text(settings, (enum setting)i);
        if (!settings_is_secret((enum setting)i) || text == NULL)
            continue;
        struct span list = span_of(text), word;
        if (i != SETTING_REQUESTS_WS_URL) {
            log_mask(text);
            continue;
        }
        while (settings_next_word(&list, &word)) {
            char *url = memory_copy(word.data, word.len);
            log_mask(url);
            memory_wipe(url);
        }
    }
}

struct settings *process_begin_helper(const char *name, int argc, char *argv[],
                                      enum settings_reader reader) {
    bool supervised = child_has_argument(argc, argv, CHILD_ARGUMENT);
    process_title("%s", name);
    if (getpid() == 1)
        signal(SIGCHLD, SIG_IGN); /* then the kernel waits for them */
    if (child_has_argument(argc, argv, CHILD_DEBUG_ARGUMENT))
        raise(SIGSTOP);
    struct settings *settings = settings_load(environ, NULL, false, reader);
    if (*settings_faults(settings) != '\0') {
        fputs(settings_faults(settings), stderr);
        exit(EX_CONFIG);
    }
    int log_fd = supervised ? CHILD_FD_LOG : STDERR_FILENO;
    log_open(name, settings_text(settings, SETTING_LOG_LEVEL),
             settings_text(settings, SETTING_LOG_FORMAT), log_fd);
    crash_install(
        (int)settings_count(settings, SETTING_LOGS_EXCEPTION_FRAMES_LIMIT, 0));
    process_mask_secrets(settings);
    return settings;
}
