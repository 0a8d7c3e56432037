#include "supervisor/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/crash.h"
#include "common/files.h"
#include "common/lines/unix_socket.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"
#include "common/process.h"
#include "common/runtime_dir.h"
#include "supervisor/alert.h"
#include "supervisor/helpers.h"
#include "supervisor/memory_limit.h"
#include "supervisor/monitor/status_server.h"
#include "supervisor/notify.h"
#include "supervisor/orders.h"
#include "supervisor/runtime.h"
#include "supervisor/status.h"

/* The least time between two times that it is said. */
#define SWEPT_AGAIN SECONDS(60)

/* Beyond the helpers' own patience with each other. */
#define KILL_AFTER_GRACE SECONDS(1)

struct service {
    const struct options *options;
    struct settings *settings; /* in force; its own */
    struct event_base *base;
    struct children *children;
    struct helpers helpers;
    struct alert *alert;
    struct runtime runtime;
    struct orders orders;
    struct line_server *control;
    monotime swept_told; /* 0: never */
    bool swept_for_good; /* it can not be made anew, which was said */
    struct event *kill_timer;
    int tick_fd;              /* to the watchdog; -1: there is none */
    enum log_level log_level; /* at the start; LOG_LEVELS: as is set */
    monotime started;
    bool stopping;
    bool told_ready; /* the service manager knows */
};

/* What is logged reaches standard error also where no monitor comes up. */
static void help_monitor(const struct service *s) {
    const struct monitor_pipe log = {s->helpers.context.log_read_fd,
                                     s->helpers.context.log_write_fd};
    if (helpers_monitor_is_down(&s->helpers))
        monitor_pipe_drain(&log);
}

static struct json_object *new_status(const struct service *s) {
    return status_new(s->helpers.list, s->helpers.count,
                      monotime_between(s->started, clock_monotonic()));
}

/* For whoever asks at STATUS_LISTEN. */
static void tell_status(struct service *s) {
    if (settings_text(s->settings, SETTING_STATUS_LISTEN) == NULL)
        return;
    struct json_object *status = new_status(s);
    helpers_tell_monitor(&s->helpers, status);
    json_object_put(status);
}

static void on_changed(void *arg) {
    struct service *s = arg;
    help_monitor(s);
    tell_status(s);
    if (!s->told_ready && helpers_all_ready(&s->helpers)) {
        s->told_ready = true;
        notify("READY=1\nSTATUS=running");
    }
    if (s->stopping && helpers_stop_next(&s->helpers))
        event_base_loopbreak(s->base);
}

static void on_grace_over(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct service *s = arg;
    log_warn(EVENT_STOP_FORCED, NULL);
    helpers_kill(&s->helpers, true);
    on_changed(s);
}

static void stop(struct service *s) {
    if (s->stopping) {
        helpers_kill(&s->helpers, false); /* a second time: cut short */
        return;
    }
    s->stopping = true;
    notify("STOPPING=1\nSTATUS=stopping");
    log_info(EVENT_STOPPING, NULL);
    duration grace =
        settings_duration(s->settings, SETTING_SHUTDOWN_GRACE_SECONDS);
    loop_set_timer(s->kill_timer,
                   (duration){grace.usec + KILL_AFTER_GRACE.usec});
    on_changed(s);
}

/* What this process itself takes from the settings. */
static void open_own_log(const struct settings *settings, int fd) {
    log_close();
    log_open("supervisor", settings_text(settings, SETTING_LOG_LEVEL),
             settings_text(settings, SETTING_LOG_FORMAT), fd);
    process_mask_secrets(settings);
    crash_set(
        (int)settings_count(settings, SETTING_LOGS_EXCEPTION_FRAMES_LIMIT, 0));
}

/*
 * What is wrong with a folder in which things are kept, as `look` sees it:
 * files_check_folder() or files_make_folder(). NULL or one line; the caller
 * frees it.
 */
static char *folder_fault(const struct settings *settings,
                          int (*look)(const char *path)) {
    static const enum setting folders[] = {SETTING_STATE_DIR, SETTING_LOGS_DIR,
                                           SETTING_AUDIT_DIR};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *dir = settings_text(settings, folders[i]);
        if (dir != NULL && settings_is_good(settings, folders[i]) &&
            look(dir) < 0)
            return memory_print("%s=%s: cannot be made or written to: %s; "
                                "choose a folder that this user can make",
                                settings_name(folders[i]), dir,
                                strerror(errno));
    }
    return NULL;
}

bool service_check(const struct settings *settings) {
    char *faults[] = {
        settings_is_good(settings, SETTING_RUNTIME_DIR)
            ? runtime_dir_check(settings_text(settings, SETTING_RUNTIME_DIR))
            : NULL,
        folder_fault(settings, files_check_folder),
    };
    bool good = *settings_faults(settings) == '\0';
    fputs(settings_faults(settings), stderr);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (faults[i] != NULL)
            fprintf(stderr, "%s\n", faults[i]);
        good = good && faults[i] == NULL;
        free(faults[i]);
    }
    return good;
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
    return folder_fault(settings, files_make_folder);
}

/* The watchdog has the level of the log from it, also for a successor. */
static void tick(const struct service *s) {
    char level = service_tick_of(s->helpers.context.log_level);
    if (s->tick_fd >= 0) {
        ssize_t ignored = write(s->tick_fd, &level, 1);
        (void)ignored; /* a full pipe is as good as a tick */
    }
}

/* Reads the configuration anew. NULL, or why the old one stays; caller frees.
 */
static char *reload(struct service *s) {
    struct settings *settings =
        options_load_settings(s->options, SETTINGS_ALL & ~SETTINGS_COMMAND);
    char *fault = reload_fault(s, settings);
    if (fault != NULL) {
        log_error(EVENT_RELOAD_REFUSED, LOG_FIELDS(log_text("why", fault)));
        settings_free(&settings);
        return fault;
    }
    notify("RELOADING=1");
    open_own_log(settings, s->helpers.context.log_write_fd);
    alert_set(s->alert, settings);
    size_t concerned = helpers_reload(&s->helpers, settings);
    tick(s); /* the level of the log is the one that is set again */
    settings_free(&s->settings);
    s->settings = settings;
    log_info(EVENT_RELOADED,
             LOG_FIELDS(log_int("helpers_restarted", (int64_t)concerned)));
    notify("READY=1");
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

static void listen_for_orders(struct service *s);

/* Once for all that a sweep removes, and not again within a minute. */
static void tell_swept(struct service *s, const char *what) {
    monotime now = clock_monotonic();
    if (s->swept_told.usec != 0 &&
        !monotime_reached(now, monotime_add(s->swept_told, SWEPT_AGAIN)))
        return;
    s->swept_told = now;
    log_error(EVENT_RUNTIME_DIR_SWEPT,
              LOG_FIELDS(log_text("folder", s->runtime.dir),
                         log_text("missing", what)));
    alert_raise(s->alert, EVENT_RUNTIME_DIR_SWEPT, s->runtime.dir, what);
}

/* The socket of one that is swept away is heard no more. */
static void use_new_sockets(struct service *s) {
    const struct runtime_socket *sockets = s->runtime.sockets;
    if (sockets[RUNTIME_CONTROL].changed) {
        line_server_free(&s->control);
        listen_for_orders(s);
    }
    if (sockets[RUNTIME_RATES].changed) {
        s->helpers.context.rates_fd = sockets[RUNTIME_RATES].fd;
        (void)helpers_restart(&s->helpers, "ratefetcher");
    }
    if (sockets[RUNTIME_LOGS].changed) {
        s->helpers.context.logs_fd = sockets[RUNTIME_LOGS].fd;
        (void)helpers_restart(&s->helpers, "monitor");
    }
}

static void look_at_runtime(struct service *s) {
    char *fault, *missing = runtime_look(&s->runtime, &fault);
    if (missing != NULL) {
        tell_swept(s, missing);
        use_new_sockets(s);
    }
    if (fault != NULL && !s->swept_for_good)
        log_error(EVENT_RUNTIME_DIR_NOT_MADE_ANEW,
                  LOG_FIELDS(log_text("why", fault)));
    else if (missing != NULL && fault == NULL)
        log_warn(EVENT_RUNTIME_DIR_MADE_ANEW,
                 LOG_FIELDS(log_text("folder", s->runtime.dir),
                            log_text("what", missing)));
    s->swept_for_good = fault != NULL;
    free(missing);
    free(fault);
}

static void on_ping(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct service *s = arg;
    helpers_ping(&s->helpers);
    tell_status(s);
    helpers_sweep(&s->helpers);
    log_look();
    help_monitor(s);
    if (!s->stopping)
        look_at_runtime(s);
    notify("WATCHDOG=1");
    tick(s);
}

static void on_alert(void *arg, enum event_id event, const char *subject,
                     const char *detail) {
    struct service *s = arg;
    if (event == EVENT_RUNTIME_DIR_SWEPT) { /* a wsclient saw it first */
        look_at_runtime(s);
        tell_swept(s, detail);
    } else {
        alert_raise(s->alert, event, subject, detail);
    }
}

/* Until the next reload. */
static void order_log_level(void *arg, enum log_level level) {
    struct service *s = arg;
    log_set_level(level);
    helpers_set_log_level(&s->helpers, level);
    tick(s);
}

static struct json_object *order_status(void *arg) {
    return new_status(arg);
}

static void order_stop(void *arg) {
    stop(arg);
}

static bool order_is_stopping(void *arg) {
    const struct service *s = arg;
    return s->stopping;
}

static char *order_reload(void *arg) {
    return reload(arg);
}

static size_t order_restart(void *arg, const char *helper) {
    struct service *s = arg;
    return helpers_restart(&s->helpers, helper);
}

static void listen_for_orders(struct service *s) {
    s->orders = (struct orders){
        .status = order_status,
        .stop = order_stop,
        .is_stopping = order_is_stopping,
        .reload = order_reload,
        .restart = order_restart,
        .set_log_level = order_log_level,
        .arg = s,
    };
    s->control = orders_listen(s->base, s->runtime.sockets[RUNTIME_CONTROL].fd,
                               &s->orders);
}

/* Runs the loop, with everything that has to be there for it. */
static void run(struct service *s) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    struct event *signals[NUMBERS];
    for (int i = 0; i < NUMBERS; i++)
        signals[i] = loop_watch(s->base, numbers[i], EV_SIGNAL | EV_PERSIST,
                                on_signal, s);
    process_take_ends();
    struct event *ping = loop_repeat(s->base, SECONDS(1), on_ping, s);
    s->kill_timer = evtimer_new(s->base, on_grace_over, s);
    s->alert = alert_new(s->base, s->children, s->settings,
                         s->helpers.context.log_write_fd);
    listen_for_orders(s);
    helpers_start(&s->helpers);
    log_info(EVENT_STARTED, LOG_FIELDS(log_text("version", FXWIRE_VERSION)));
    loop_run(s->base);
    line_server_free(&s->control);
    helpers_free(&s->helpers);
    alert_free(&s->alert);
    event_free(s->kill_timer);
    event_free(ping);
    for (int i = 0; i < NUMBERS; i++)
        event_free(signals[i]);
}

/* Serves in the folder that is claimed until the end. */
static void warn_of_memory_limit(const struct settings *settings) {
    char *warning = memory_limit_warning(settings);
    if (warning != NULL)
        log_warn(EVENT_MEMORY_LIMIT_LOW, LOG_FIELDS(log_text("why", warning)));
    free(warning);
}

static void serve(struct service *s, const struct monitor_pipe *log) {
    open_own_log(s->settings, log->write_fd);
    log_set_level(s->log_level);
    crash_install((int)settings_count(s->settings,
                                      SETTING_LOGS_EXCEPTION_FRAMES_LIMIT, 0));
    warn_of_memory_limit(s->settings);
    s->base = loop_new();
    s->started = clock_monotonic();
    s->children = children_new(s->base);
    s->helpers.context = (struct helper_context){
        .base = s->base,
        .children = s->children,
        .settings = s->settings,
        .log_read_fd = log->read_fd,
        .log_write_fd = log->write_fd,
        .rates_fd = s->runtime.sockets[RUNTIME_RATES].fd,
        .logs_fd = s->runtime.sockets[RUNTIME_LOGS].fd,
        .show_messages = s->options->show_messages,
        .log_level = s->log_level,
        .changed = on_changed,
        .alert = on_alert,
        .arg = s,
    };
    run(s);
    children_free(&s->children);
    loop_free(&s->base);
    monitor_pipe_drain(log);
    log_close();
}

/* What this place lacks for the settings is told; EX_OK or an exit code. */
static int prepare_place(const struct settings *settings) {
    char *fault = folder_fault(settings, files_make_folder);
    if (fault == NULL)
        fault = status_server_fault(settings);
    if (fault == NULL)
        return EX_OK;
    fprintf(stderr, "%s\n", fault);
    free(fault);
    return EX_CONFIG;
}

static int run_with_settings(struct service *s,
                             const struct monitor_pipe *log) {
    struct monitor_pipe own;
    if (*settings_faults(s->settings) == '\0' &&
        runtime_is_taken(settings_text(s->settings, SETTING_RUNTIME_DIR)))
        return EX_TEMPFAIL;
    if (!service_check(s->settings))
        return EX_CONFIG;
    if (log == NULL && monitor_pipe_open(&own) < 0) {
        perror("fxwire: no pipe for the log");
        return EX_SOFTWARE;
    }
    if (log == NULL)
        log = &own;
    int code = prepare_place(s->settings);
    if (code != EX_OK)
        return code;
    code = runtime_open(&s->runtime,
                        settings_text(s->settings, SETTING_RUNTIME_DIR));
    if (code == EX_OK)
        serve(s, log);
    runtime_close(&s->runtime);
    return code;
}

int service_run(const struct options *options, const struct monitor_pipe *log,
                int tick_fd, enum log_level level) {
    process_title("supervisor");
    struct service s = {
        .options = options,
        .settings =
            options_load_settings(options, SETTINGS_ALL & ~SETTINGS_COMMAND),
        .tick_fd = tick_fd,
        .log_level = level,
    };
    int code = run_with_settings(&s, log);
    settings_free(&s.settings);
    return code;
}
