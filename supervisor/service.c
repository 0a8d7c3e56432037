#include "supervisor/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "common/memory.h"
#include "common/process.h"
#include "common/runtime_dir.h"
#include "common/unix_socket.h"
#include "supervisor/control.h"
#include "supervisor/helper.h"
#include "supervisor/status.h"

enum {
    PING_SECONDS = 1,
    /* Beyond the grace time, which the helpers keep themselves. */
    KILL_AFTER_GRACE_USEC = 500000,
};

struct service {
    const struct settings *settings;
    struct event_base *base;
    struct helper_context context;
    struct helper **helpers; /* in the order in which they are stopped */
    size_t count;
    struct control *control;
    struct event *ping, *kill_timer;
    monotime started;
    bool stopping;
};

/*
 * Stops the helpers kind by kind: no one goes before those who need it. Ends
 * the loop when all are gone.
 */
static void stop_next(struct service *s) {
    for (int kind = 0; kind < HELPER_KINDS; kind++) {
        bool any = false;
        for (size_t i = 0; i < s->count; i++) {
            struct helper *helper = s->helpers[i];
            if ((int)helper->kind != kind)
                continue;
            if (kind == HELPER_MONITOR && helper->state == LIFECYCLE_READY)
                log_info("stopped", NULL);
            helper_stop(helper);
            any = any || helper->state != LIFECYCLE_STOPPED;
        }
        if (any)
            return;
    }
    event_base_loopbreak(s->base);
}

static void on_changed(void *arg) {
    struct service *s = arg;
    if (s->stopping)
        stop_next(s);
}

static void kill_all(struct service *s) {
    for (size_t i = 0; i < s->count; i++)
        if (s->helpers[i]->kind != HELPER_MONITOR)
            helper_kill(s->helpers[i]);
}

static void on_grace_over(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct service *s = arg;
    log_warn("stop_forced", NULL);
    for (size_t i = 0; i < s->count; i++)
        helper_kill(s->helpers[i]);
    stop_next(s);
}

static void stop(struct service *s) {
    if (s->stopping) {
        kill_all(s); /* asked a second time: cut short */
        return;
    }
    s->stopping = true;
    log_info("stopping", NULL);
    int64_t grace = settings_usec(s->settings, SETTING_SHUTDOWN_GRACE_SECONDS) +
                    KILL_AFTER_GRACE_USEC;
    struct timeval limit = {.tv_sec = grace / USEC_PER_SEC,
                            .tv_usec = grace % USEC_PER_SEC};
    evtimer_add(s->kill_timer, &limit);
    stop_next(s);
}

static void on_signal(evutil_socket_t number, short what, void *arg) {
    (void)what;
    struct service *s = arg;
    if (number == SIGHUP && !isatty(STDIN_FILENO))
        log_warn("reload_ignored",
                 LOG_FIELDS(log_text("why", "not in this version")));
    else
        stop(s);
}

static void on_ping(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct service *s = arg;
    for (size_t i = 0; i < s->count; i++)
        helper_ping(s->helpers[i]);
}

static struct json_object *on_question(void *arg, enum message_op op) {
    struct service *s = arg;
    switch (op) {
    case MESSAGE_STATUS:
        return status_new(s->helpers, s->count,
                          monotime_between(s->started, clock_monotonic()));
    case MESSAGE_STOP:
        stop(s);
        return message_new(MESSAGE_STOP);
    default:
        return NULL;
    }
}

static void open_helpers(struct service *s) {
    struct span list =
        span_of(settings_text(s->settings, SETTING_REQUESTS_WS_URL));
    struct span upstream, none = {"", 0};
    while (settings_next_word(&list, &upstream)) {
        s->helpers = memory_resize(s->helpers,
                                   (s->count + HELPER_KINDS) * sizeof(void *));
        s->helpers[s->count++] =
            helper_new(&s->context, HELPER_WSCLIENT, upstream);
    }
    s->helpers[s->count++] = helper_new(&s->context, HELPER_RATEFETCHER, none);
    s->helpers[s->count++] = helper_new(&s->context, HELPER_MONITOR, none);
}

/* Runs the loop, with everything that has to be there for it. */
static void run(struct service *s, int control_fd) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    struct event *signals[NUMBERS];
    struct timeval period = {.tv_sec = PING_SECONDS};
    for (int i = 0; i < NUMBERS; i++) {
        signals[i] = evsignal_new(s->base, numbers[i], on_signal, s);
        event_add(signals[i], NULL);
    }
    s->ping = event_new(s->base, -1, EV_PERSIST, on_ping, s);
    event_add(s->ping, &period);
    s->kill_timer = evtimer_new(s->base, on_grace_over, s);
    s->control = control_new(s->base, control_fd, on_question, s);
    open_helpers(s);
    log_info("started", LOG_FIELDS(log_text("version", FXWIRE_VERSION)));
    event_base_dispatch(s->base);
    control_free(&s->control);
    for (size_t i = 0; i < s->count; i++)
        helper_free(&s->helpers[i]);
    free(s->helpers);
    event_free(s->kill_timer);
    event_free(s->ping);
    for (int i = 0; i < NUMBERS; i++)
        event_free(signals[i]);
}

static int listen_in(const char *dir, const char *name) {
    char *path = runtime_dir_path(dir, name);
    int fd = unix_socket_listen(path);
    if (fd < 0)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    free(path);
    return fd;
}

static void remove_from(const char *dir, const char *name) {
    char *path = runtime_dir_path(dir, name);
    unlink(path);
    free(path);
}

/* Makes the runtime folder this service's own; 0 or an exit code. */
static int claim(const char *dir, int *lock_fd) {
    char *fault = runtime_dir_prepare(dir);
    if (fault != NULL) {
        fprintf(stderr, "%s\n", fault);
        free(fault);
        return EX_CONFIG;
    }
    *lock_fd = runtime_dir_lock(dir, "supervisor.lock");
    if (*lock_fd >= 0)
        return EX_OK;
    if (errno == EWOULDBLOCK) {
        fprintf(stderr,
                "RUNTIME_DIR=%s: a supervisor is running there already\n", dir);
        return EX_TEMPFAIL;
    }
    fprintf(stderr, "RUNTIME_DIR=%s: cannot be locked: %s\n", dir,
            strerror(errno));
    return EX_CONFIG;
}

/* Serves in the claimed folder; returns the exit code. */
static int serve(const struct options *options, const struct settings *settings,
                 const struct log_pipe *log) {
    const char *dir = settings_text(settings, SETTING_RUNTIME_DIR);
    int control_fd = listen_in(dir, "control.sock");
    int rates_fd = listen_in(dir, "rates.sock");
    if (control_fd < 0 || rates_fd < 0)
        return EX_CONFIG;
    struct service s = {.settings = settings,
                        .base = event_base_new(),
                        .started = clock_monotonic()};
    s.context = (struct helper_context){
        .base = s.base,
        .settings = settings,
        .log_read_fd = log->read_fd,
        .log_write_fd = log->write_fd,
        .rates_fd = rates_fd,
        .show_messages = options->show_messages,
        .changed = on_changed,
        .arg = &s,
    };
    run(&s, control_fd);
    remove_from(dir, "control.sock");
    remove_from(dir, "rates.sock");
    close(rates_fd);
    event_base_free(s.base);
    libevent_global_shutdown();
    return EX_OK;
}

static int run_with(const struct options *options,
                    const struct settings *settings,
                    const struct log_pipe *log) {
    struct log_pipe own;
    if (*settings_faults(settings) != '\0') {
        fputs(settings_faults(settings), stderr);
        return EX_CONFIG;
    }
    if (log == NULL && log_pipe_open(&own) < 0) {
        perror("pipe");
        return EX_OSERR;
    }
    int lock_fd;
    int code = claim(settings_text(settings, SETTING_RUNTIME_DIR), &lock_fd);
    if (code != EX_OK)
        return code;
    if (log == NULL)
        log = &own;
    log_open("supervisor", settings_text(settings, SETTING_LOG_LEVEL),
             settings_text(settings, SETTING_LOG_FORMAT), log->write_fd);
    process_mask_secrets(settings);
    code = serve(options, settings, log);
    log_close();
    close(lock_fd);
    return code;
}

int service_run(const struct options *options, const struct log_pipe *log) {
    process_title("supervisor");
    struct settings *settings =
        options_load_settings(options, SETTINGS_ALL & ~SETTINGS_COMMAND);
    int code = run_with(options, settings, log);
    settings_free(&settings);
    return code;
}
