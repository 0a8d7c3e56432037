#include "supervisor/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/crash.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/process.h"
#include "common/runtime_dir.h"
#include "common/unix_socket.h"
#include "supervisor/alert.h"
#include "supervisor/control.h"
#include "supervisor/helpers.h"
#include "supervisor/notify.h"
#include "supervisor/status.h"

enum {
    PING_SECONDS = 1,
    /* Beyond the helpers' own patience with each other. */
    KILL_AFTER_GRACE_USEC = 1000000,
    LEFTOVER_MSEC = 1500, /* longer than any process outlives its parent */
};

struct service {
    const struct options *options;
    struct settings *settings; /* in force; its own */
    struct event_base *base;
    struct helpers helpers;
    struct alert *alert;
    struct control *control;
    struct event *ping, *kill_timer;
    int tick_fd; /* to the watchdog; -1: there is none */
    monotime started;
    bool stopping;
    bool told_ready; /* the service manager knows */
};

static void on_changed(void *arg) {
    struct service *s = arg;
    if (!s->told_ready && helpers_all_ready(&s->helpers)) {
        s->told_ready = true;
        notify_send("READY=1\nSTATUS=running");
    }
    if (s->stopping && helpers_stop_next(&s->helpers))
        event_base_loopbreak(s->base);
}

static void on_grace_over(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct service *s = arg;
    log_warn("stop_forced", NULL);
    helpers_kill(&s->helpers, true);
    on_changed(s);
}

static void stop(struct service *s) {
    if (s->stopping) {
        helpers_kill(&s->helpers, false); /* a second time: cut short */
        return;
    }
    s->stopping = true;
    notify_send("STOPPING=1\nSTATUS=stopping");
    log_info("stopping", NULL);
    int64_t grace =
        settings_duration(s->settings, SETTING_SHUTDOWN_GRACE_SECONDS).usec +
        KILL_AFTER_GRACE_USEC;
    struct timeval limit = {.tv_sec = grace / USEC_PER_SEC,
                            .tv_usec = grace % USEC_PER_SEC};
    evtimer_add(s->kill_timer, &limit);
    on_changed(s);
}

/* What this process itself takes from the settings. */
static void open_own_log(const struct settings *settings, int fd) {
    log_close();
    log_open("supervisor", settings_text(settings, SETTING_LOG_LEVEL),
             settings_text(settings, SETTING_LOG_FORMAT), fd);
    process_mask_secrets(settings);
    crash_set(
        (int)settings_count(settings, SETTING_LOGS_EXCEPTION_FRAMES_LIMIT, 0),
        settings_is(settings, SETTING_LOG_FORMAT, "json"));
}

/* Why these settings can not be put in force now, or NULL. Caller frees. */
static char *reload_fault(const struct service *s,
                          const struct settings *settings) {
    if (*settings_faults(settings) != '\0')
        return memory_print("%s", settings_faults(settings));
    if (strcmp(settings_text(settings, SETTING_RUNTIME_DIR),
               settings_text(s->settings, SETTING_RUNTIME_DIR)) != 0)
        return memory_print("RUNTIME_DIR: cannot change while the service "
                            "runs; restart it");
    return NULL;
}

/* Reads the configuration anew. NULL, or why the old one stays; caller frees.
 */
static char *reload(struct service *s) {
    struct settings *settings =
        options_load_settings(s->options, SETTINGS_ALL & ~SETTINGS_COMMAND);
    char *fault = reload_fault(s, settings);
    if (fault != NULL) {
        log_error("reload_refused", LOG_FIELDS(log_text("why", fault)));
        settings_free(&settings);
        return fault;
    }
    notify_send("RELOADING=1");
    open_own_log(settings, s->helpers.context.log_write_fd);
    alert_set(s->alert, settings);
    size_t concerned = helpers_reload(&s->helpers, settings);
    settings_free(&s->settings);
    s->settings = settings;
    log_info("reloaded",
             LOG_FIELDS(log_int("helpers_restarted", (int64_t)concerned)));
    notify_send("READY=1");
    return NULL;
}

/* The window was closed: that is an end, not a wish for other settings. */
static bool means_stop(int number) {
    return number != SIGHUP || isatty(STDIN_FILENO);
}

static void on_signal(evutil_socket_t number, short what, void *arg) {
    (void)what;
    struct service *s = arg;
    if (means_stop((int)number))
        stop(s);
    else
        free(reload(s));
}

static void on_ping(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct service *s = arg;
    helpers_ping(&s->helpers);
    helpers_sweep(&s->helpers);
    notify_send("WATCHDOG=1");
    if (s->tick_fd >= 0) {
        ssize_t ignored = write(s->tick_fd, ".", 1);
        (void)ignored; /* a full pipe is as good as a tick */
    }
}

static void on_alert(void *arg, const char *event, const char *subject,
                     const char *detail) {
    struct service *s = arg;
    alert_raise(s->alert, event, subject, detail);
}

static struct json_object *refusal(const char *code, const char *why) {
    struct json_object *message = message_new(MESSAGE_ERROR);
    message_add_text(message, "code", code);
    message_add_text(message, "message", why);
    return message;
}

static struct json_object *answer_reload(struct service *s) {
    char *fault = reload(s);
    struct json_object *answer = fault != NULL ? refusal("configuration", fault)
                                               : message_new(MESSAGE_RELOAD);
    free(fault);
    return answer;
}

static struct json_object *answer_restart(struct service *s, const char *name) {
    size_t count = name != NULL ? helpers_restart(&s->helpers, name) : 0;
    if (count == 0)
        return refusal("unknown_helper",
                       "HELPER must be wsclient, ratefetcher or monitor");
    log_info("restart_asked_for", LOG_FIELDS(log_text("helper", name)));
    return message_new(MESSAGE_RESTART);
}

static struct json_object *on_question(void *arg, enum message_op op,
                                       const struct json_object *question) {
    struct service *s = arg;
    if (s->stopping && (op == MESSAGE_RELOAD || op == MESSAGE_RESTART))
        return refusal("stopping", "the service is stopping");
    switch (op) {
    case MESSAGE_STATUS:
        return status_new(s->helpers.list, s->helpers.count,
                          monotime_between(s->started, clock_monotonic()).usec);
    case MESSAGE_STOP:
        stop(s);
        return message_new(MESSAGE_STOP);
    case MESSAGE_RELOAD:
        return answer_reload(s);
    case MESSAGE_RESTART:
        return answer_restart(s, message_text(question, "helper"));
    default:
        return NULL;
    }
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
    s->alert = alert_new(s->base, s->settings, s->helpers.context.log_write_fd);
    s->control = control_new(s->base, control_fd, on_question, s);
    helpers_start(&s->helpers);
    log_info("started", LOG_FIELDS(log_text("version", FXWIRE_VERSION)));
    event_base_dispatch(s->base);
    control_free(&s->control);
    helpers_free(&s->helpers);
    alert_free(&s->alert);
    event_free(s->kill_timer);
    event_free(s->ping);
    for (int i = 0; i < NUMBERS; i++)
        event_free(signals[i]);
}

/*
 * The socket may be held by a helper of a service that was killed just now,
 * which is on its way out. -1: it was told why; `code` is the exit code.
 */
static int listen_in(const char *dir, const char *name, int *code) {
    char *path = runtime_dir_path(dir, name);
    int fd = unix_socket_listen(path);
    if (fd < 0 && errno == EADDRINUSE) {
        unix_socket_wait_unused(path, LEFTOVER_MSEC);
        fd = unix_socket_listen(path);
    }
    if (fd < 0 && errno == EADDRINUSE) {
        fprintf(stderr, "%s: another process listens there; end it first\n",
                path);
        *code = EX_TEMPFAIL;
    } else if (fd < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        *code = EX_CONFIG;
    }
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
    *lock_fd = runtime_dir_lock(dir, SERVICE_LOCK);
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
static int serve(struct service *s, const struct log_pipe *log) {
    char *dir =
        memory_print("%s", settings_text(s->settings, SETTING_RUNTIME_DIR));
    int code = EX_OK;
    int control_fd = listen_in(dir, "control.sock", &code);
    int rates_fd = listen_in(dir, "rates.sock", &code);
    if (control_fd >= 0 && rates_fd >= 0) {
        s->base = event_base_new();
        s->started = clock_monotonic();
        s->helpers.context = (struct helper_context){
            .base = s->base,
            .settings = s->settings,
            .log_read_fd = log->read_fd,
            .log_write_fd = log->write_fd,
            .rates_fd = rates_fd,
            .show_messages = s->options->show_messages,
            .changed = on_changed,
            .alert = on_alert,
            .arg = s,
        };
        run(s, control_fd);
        remove_from(dir, "control.sock");
        remove_from(dir, "rates.sock");
        close(rates_fd);
        event_base_free(s->base);
        libevent_global_shutdown();
    }
    free(dir);
    return code;
}

static int run_with_settings(struct service *s, const struct log_pipe *log) {
    struct log_pipe own;
    int lock_fd;
    if (*settings_faults(s->settings) != '\0') {
        fputs(settings_faults(s->settings), stderr);
        return EX_CONFIG;
    }
    if (log == NULL && log_pipe_open(&own) < 0) {
        perror("pipe");
        return EX_OSERR;
    }
    int code = claim(settings_text(s->settings, SETTING_RUNTIME_DIR), &lock_fd);
    if (code != EX_OK)
        return code;
    if (log == NULL)
        log = &own;
    open_own_log(s->settings, log->write_fd);
    crash_install("supervisor",
                  (int)settings_count(s->settings,
                                      SETTING_LOGS_EXCEPTION_FRAMES_LIMIT, 0),
                  settings_is(s->settings, SETTING_LOG_FORMAT, "json"),
                  log->write_fd);
    code = serve(s, log);
    log_close();
    close(lock_fd);
    return code;
}

int service_run(const struct options *options, const struct log_pipe *log,
                int tick_fd) {
    process_title("supervisor");
    struct service s = {
        .options = options,
        .settings =
            options_load_settings(options, SETTINGS_ALL & ~SETTINGS_COMMAND),
        .tick_fd = tick_fd,
    };
    int code = run_with_settings(&s, log);
    settings_free(&s.settings);
    return code;
}
