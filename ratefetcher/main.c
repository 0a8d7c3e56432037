/*
 * ratefetcher: answers on rates.sock where the rates of a day are. Started by
 * the supervisor, or by hand with the same environment.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/lines/child.h"
#include "common/lines/unix_socket.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/process.h"
#include "common/runtime_dir.h"
#include "common/sandbox/sandbox.h"
#include "ratefetcher/providers/http.h"
#include "ratefetcher/server.h"
#include "ratefetcher/trial.h"

struct ratefetcher {
    struct event_base *base;
    char *own_socket; /* its path; NULL: it is the supervisor's */
    struct child child;
    struct metrics metrics;
    struct lookup *lookup;
    struct event *look; /* around, see CHILD_LOOK_PERIOD */
};

static struct json_object *report(void *arg) {
    struct ratefetcher *r = arg;
    struct json_object *report = json_object_new_object();
    metrics_set(&r->metrics, METRIC_LOG_DROPPED, (double)log_dropped());
    json_object_object_add(
        report, "latest_at_hand",
        json_object_new_boolean(lookup_has_latest(r->lookup)));
    lookup_report(r->lookup, report);
    json_object_object_add(report, "counters", metrics_to_json(&r->metrics));
    return report;
}

static void on_alert(void *arg, enum event_id event, const char *detail) {
    struct ratefetcher *r = arg;
    child_alert(&r->child, event, detail);
}

static void on_changed(void *arg) {
    struct ratefetcher *r = arg;
    child_report(&r->child);
}

static void on_look(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct ratefetcher *r = arg;
    lookup_look_around(r->lookup);
    log_look();
    if (sandbox_is_outdated()) {
        log_info(EVENT_SANDBOX_OUTDATED, NULL);
        child_ask_restart(&r->child);
    }
    loop_set_timer(r->look, CHILD_LOOK_PERIOD);
}

static void on_control(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct ratefetcher *r = arg;
    if (child_read(&r->child) == CHILD_GO_ON)
        on_look(-1, 0, r);
    else
        event_base_loopbreak(r->base);
}

static void on_signal(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct ratefetcher *r = arg;
    event_base_loopbreak(r->base);
}

/* The supervisor's listening socket, or one of our own when run by hand. */
static int listening_socket(struct ratefetcher *r,
                            const struct settings *settings, bool supervised) {
    if (supervised)
        return CHILD_FD_EXTRA;
    const char *dir = settings_text(settings, SETTING_RUNTIME_DIR);
    char *fault = runtime_dir_prepare(dir);
    if (fault != NULL) {
        fprintf(stderr, "%s\n", fault);
        exit(EX_CONFIG);
    }
    char *path = runtime_dir_path(dir, "rates.sock");
    int fd = unix_socket_listen(path);
    if (fd < 0) {
        int error = errno;
        fprintf(stderr, "%s: %s\n", path, strerror(error));
        exit(error == EADDRINUSE ? EX_TEMPFAIL : EX_SOFTWARE);
    }
    r->own_socket = path;
    return fd;
}

static void remove_socket(struct ratefetcher *r) {
    if (r->own_socket != NULL)
        unlink(r->own_socket);
    free(r->own_socket);
}

static void run(struct ratefetcher *r) {
    struct event *control =
        child_is_supervised(&r->child)
            ? loop_watch(r->base, r->child.channel.fd, EV_READ | EV_PERSIST,
                         on_control, r)
            : NULL;
    struct event *terminate =
        loop_watch(r->base, SIGTERM, EV_SIGNAL | EV_PERSIST, on_signal, r);
    struct event *interrupt =
        loop_watch(r->base, SIGINT, EV_SIGNAL | EV_PERSIST, on_signal, r);
    r->look = loop_repeat(r->base, CHILD_LOOK_PERIOD, on_look, r);
    process_take_ends();
    child_ready(&r->child);
    child_report(&r->child);
    loop_run(r->base);
    event_free(r->look);
    event_free(interrupt);
    event_free(terminate);
    if (control != NULL)
        event_free(control);
}

static int fail_without_http(void) {
    log_error(EVENT_START_FAILED, LOG_FIELDS(log_text("why", "libcurl")));
    return EX_SOFTWARE;
}

static int serve(struct ratefetcher *r, const struct provider_context *context,
                 int fd, bool debugged) {
    r->child.sandbox =
        sandbox_enter(SETTINGS_RATEFETCHER, context->settings, debugged);
    r->lookup = lookup_new(context);
    struct server *server = server_new(r->base, fd, r->lookup);
    run(r);
    server_free(&server);
    lookup_free(&r->lookup);
    return EX_OK;
}

/* Takes part in no service: it has no socket, and counts and keeps nothing. */
static int try(const struct settings *settings,
               const struct provider_context *context) {
    log_open("ratefetcher", "error",
             settings_text(settings, SETTING_LOG_FORMAT),
             STDERR_FILENO); /* the rows say all that is to be said */
    process_take_ends();
    return trial_run(context) ? EX_OK : EX_UNAVAILABLE;
}

int main(int argc, char *argv[], char *envp[]) {
    process_init(argc, argv, envp);
    process_hold_ends();
    bool supervised = child_has_argument(argc, argv, CHILD_ARGUMENT);
    bool is_trial = child_has_argument(argc, argv, CHILD_TRIAL_ARGUMENT);
    struct settings *settings =
        process_begin_helper("ratefetcher", argc, argv, SETTINGS_RATEFETCHER);
    struct ratefetcher r = {.base = loop_new()};
    int fd = is_trial ? -1 : listening_socket(&r, settings, supervised);
    child_init(&r.child, supervised, report, &r);
    struct http *http = http_new(r.base, settings);
    const struct provider_context context = {
        .base = r.base,
        .http = http,
        .metrics = &r.metrics,
        .settings = settings,
        .alert = on_alert,
        .changed = on_changed,
        .arg = &r,
        .state_dir =
            is_trial ? NULL : settings_text(settings, SETTING_STATE_DIR)};
    int code =
        http == NULL ? fail_without_http()
        : is_trial
            ? try(settings, &context)
            : serve(&r, &context, fd,
                    child_has_argument(argc, argv, CHILD_DEBUG_ARGUMENT));
    if (http != NULL)
        http_free(&http);
    child_clear(&r.child);
    remove_socket(&r);
    loop_free(&r.base);
    settings_free(&settings);
    log_close();
    return code;
}
