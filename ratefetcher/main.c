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

#include "common/child.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/process.h"
#include "common/runtime_dir.h"
#include "common/unix_socket.h"
#include "ratefetcher/refresh.h"
#include "ratefetcher/server.h"

/* Today's table is looked at so often. */
enum { REFRESH_MS = 100 };

struct ratefetcher {
    struct event_base *base;
    struct child child;
    struct metrics metrics;
    struct lookup *lookup;
    struct refresh refresh;
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

static void on_alert(void *arg, const char *event, const char *detail) {
    struct ratefetcher *r = arg;
    child_alert(&r->child, event, detail);
}

static void on_changed(void *arg) {
    struct ratefetcher *r = arg;
    child_report(&r->child);
}

static void on_refresh(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct ratefetcher *r = arg;
    refresh_step(&r->refresh);
}

static void on_control(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct ratefetcher *r = arg;
    if (child_read(&r->child) != CHILD_GO_ON)
        event_base_loopbreak(r->base);
}

static void on_signal(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct ratefetcher *r = arg;
    event_base_loopbreak(r->base);
}

/* The supervisor's listening socket, or one of our own when run by hand. */
static int listening_socket(const struct settings *settings, bool supervised) {
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
        exit(error == EADDRINUSE ? EX_TEMPFAIL : EX_OSERR);
    }
    free(path);
    return fd;
}

static void run(struct ratefetcher *r) {
    struct event *control = child_is_supervised(&r->child)
                                ? event_new(r->base, r->child.channel.fd,
                                            EV_READ | EV_PERSIST, on_control, r)
                                : NULL;
    struct event *terminate = evsignal_new(r->base, SIGTERM, on_signal, r);
    struct event *interrupt = evsignal_new(r->base, SIGINT, on_signal, r);
    struct event *refresh = event_new(r->base, -1, EV_PERSIST, on_refresh, r);
    struct timeval period = {.tv_usec = REFRESH_MS * 1000};
    if (control != NULL)
        event_add(control, NULL);
    event_add(terminate, NULL);
    event_add(interrupt, NULL);
    event_add(refresh, &period);
    on_refresh(-1, 0, r);
    child_ready(&r->child);
    child_report(&r->child);
    event_base_dispatch(r->base);
    event_free(refresh);
    event_free(interrupt);
    event_free(terminate);
    if (control != NULL)
        event_free(control);
}

/* What libevent can not allocate ends the process with a line, too. */
static struct event_base *new_base(void) {
    event_set_mem_functions(memory_new, memory_resize, free);
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

int main(int argc, char *argv[], char *envp[]) {
    process_init(argc, argv, envp);
    bool supervised = child_has_argument(argc, argv, CHILD_ARGUMENT);
    struct settings *settings =
        process_begin_helper("ratefetcher", argc, argv, SETTINGS_RATEFETCHER);
    struct ratefetcher r = {.base = new_base()};
    int fd = listening_socket(settings, supervised);
    child_init(&r.child, supervised, report, &r);
    struct http *http =
        http_new(r.base, settings_text(settings, SETTING_HTTP_CA_FILE));
    if (http == NULL) {
        log_error("start_failed", LOG_FIELDS(log_text("why", "libcurl")));
        return EX_SOFTWARE;
    }
    const struct provider_context context = {.base = r.base,
                                             .http = http,
                                             .settings = settings,
                                             .alert = on_alert,
                                             .changed = on_changed,
                                             .arg = &r};
    r.lookup = lookup_new(&context, &r.metrics);
    refresh_init(&r.refresh, r.lookup, settings);
    struct server *server = server_new(r.base, fd, r.lookup);
    if (server == NULL) {
        log_error("listen_failed",
                  LOG_FIELDS(log_text("why", strerror(errno))));
        return EX_OSERR;
    }
    run(&r);
    server_free(&server);
    lookup_free(&r.lookup);
    http_free(&http);
    child_clear(&r.child);
    event_base_free(r.base);
    libevent_global_shutdown();
    settings_free(&settings);
    log_close();
    return 0;
}
