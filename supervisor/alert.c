#include "supervisor/alert.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/day.h"
#include "common/lines/message.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"
#include "supervisor/death.h"
#include "supervisor/spawn.h"

#define REPEAT_AFTER SECONDS(60)
#define TIME_LIMIT   SECONDS(10)

enum { MAX_WAITING = 16, MAX_RECENT = 32 };

struct notice {
    TAILQ_ENTRY(notice) entry;
    enum event_id event;
    char *subject, *detail;
    char time[MOMENT_TEXT_SIZE];
};

/* What was raised lately, so that it is not raised again at once. */
struct recent {
    char *key; /* event and subject; NULL: free */
    monotime time;
};

struct alert {
    struct children *children;
    const struct settings *settings;
    int output;
    TAILQ_HEAD(, notice) waiting;
    size_t count;
    struct recent recent[MAX_RECENT];
    struct notice *running; /* NULL: none */
    pid_t pid;
    struct child_watch child;
    bool failed; /* the last command did */
    struct event *limit;
};

static void start_next(struct alert *alert);

static void free_notice(struct notice *notice) {
    free(notice->subject);
    free(notice->detail);
    free(notice);
}

static void on_limit(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct alert *alert = arg;
    if (alert->running == NULL)
        return;
    log_warn(EVENT_ALERT_COMMAND_TOO_SLOW,
             LOG_FIELDS(log_text("alert", event_name(alert->running->event))));
    kill(-alert->child.pid, SIGKILL); /* with what it started */
}

struct alert *alert_new(struct event_base *base, struct children *children,
                        const struct settings *settings, int output) {
    struct alert *alert = memory_new(sizeof *alert);
    alert->children = children;
    alert->settings = settings;
    alert->output = output;
    alert->limit = evtimer_new(base, on_limit, alert);
    TAILQ_INIT(&alert->waiting);
    return alert;
}

static void forget_running(struct alert *alert) {
    if (alert->running == NULL)
        return;
    children_forget(&alert->child);
    evtimer_del(alert->limit);
    free_notice(alert->running);
    alert->running = NULL;
}

void alert_free(struct alert **alert) {
    struct alert *a = *alert;
    *alert = NULL;
    struct notice *notice;
    while ((notice = TAILQ_FIRST(&a->waiting)) != NULL) {
        TAILQ_REMOVE(&a->waiting, notice, entry);
        free_notice(notice);
    }
    if (a->running != NULL)
        kill(-a->child.pid, SIGKILL);
    forget_running(a);
    for (size_t i = 0; i < MAX_RECENT; i++)
        free(a->recent[i].key);
    event_free(a->limit);
    free(a);
}

void alert_set(struct alert *alert, const struct settings *settings) {
    alert->settings = settings;
}

/* A file without a name: in memory or, where that is refused, on the disk. */
static int nameless_file(const char *dir) {
    int fd = memfd_create("alert", MFD_CLOEXEC);
    if (fd >= 0)
        return fd;
    char *path = memory_print("%s/alert.XXXXXX", dir);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    free(path);
    return fd;
}

/* The notice as JSON, to be read as standard input. */
static int notice_input(const struct alert *alert,
                        const struct notice *notice) {
    int fd = nameless_file(settings_text(alert->settings, SETTING_RUNTIME_DIR));
    if (fd < 0)
        return -1;
    struct json_object *json = json_object_new_object();
    message_add_text(json, "event", event_name(notice->event));
    message_add_text(json, "subject", notice->subject);
    message_add_text(json, "detail", notice->detail);
    message_add_text(json, "time", notice->time);
    struct span line = message_line(json);
    dprintf(fd, "%.*s\n", (int)line.len, line.data);
    lseek(fd, 0, SEEK_SET);
    json_object_put(json);
    return fd;
}

static void on_ended(void *arg, const siginfo_t *death) {
    struct alert *alert = arg;
    kill(-death->si_pid, SIGKILL); /* what it left behind */
    alert->failed = death->si_code != CLD_EXITED || death->si_status != 0;
    if (alert->failed) {
        char cause[DEATH_CAUSE_SIZE];
        death_print_cause(death, cause);
        log_error(
            EVENT_ALERT_COMMAND_FAILED,
            LOG_FIELDS(log_text("alert", event_name(alert->running->event)),
                       log_text("cause", cause)));
    }
    forget_running(alert);
    start_next(alert);
}

static void watch_command(struct alert *alert, struct notice *notice,
                          pid_t pid) {
    alert->running = notice;
    children_watch(alert->children, &alert->child, pid, on_ended, alert);
    loop_set_timer(alert->limit, TIME_LIMIT);
}

/* Runs the command for one notice, which it takes over. */
static void start(struct alert *alert, struct notice *notice) {
    const char *command = settings_text(alert->settings, SETTING_ALERT_COMMAND);
    const char *const arguments[] = {event_name(notice->event), notice->subject,
                                     notice->detail, NULL};
    char **environment =
        spawn_environment(alert->settings, SETTINGS_NOBODY, NULL);
    int input = notice_input(alert, notice);
    pid_t pid = -1;
    if (input >= 0 && command != NULL) /* a reload may have taken it away */
        pid = spawn_command(command, arguments, environment, input,
                            alert->output);
    alert->failed = pid < 0;
    if (pid < 0)
        log_error(EVENT_ALERT_COMMAND_FAILED,
                  LOG_FIELDS(log_text("alert", event_name(notice->event)),
                             log_text("cause", strerror(errno))));
    spawn_environment_free(&environment);
    if (input >= 0)
        close(input);
    if (pid >= 0)
        watch_command(alert, notice, pid);
    else
        free_notice(notice);
}

static void start_next(struct alert *alert) {
    struct notice *notice;
    while (alert->running == NULL &&
           (notice = TAILQ_FIRST(&alert->waiting)) != NULL) {
        TAILQ_REMOVE(&alert->waiting, notice, entry);
        alert->count--;
        start(alert, notice);
    }
}

/* Whether this was raised within the last minute; if not, it is noted now. */
static bool was_raised_lately(struct alert *alert, enum event_id event,
                              const char *subject) {
    monotime now = clock_monotonic();
    struct recent *place = &alert->recent[0];
    char *key = memory_print("%s %s", event_name(event), subject);
    for (size_t i = 0; i < MAX_RECENT; i++) {
        struct recent *recent = &alert->recent[i];
        if (recent->key != NULL && strcmp(recent->key, key) == 0) {
            place = recent;
            break;
        }
        if (recent->key == NULL || recent->time.usec < place->time.usec)
            place = recent;
    }
    bool same = place->key != NULL && strcmp(place->key, key) == 0;
    bool lately =
        same && !monotime_reached(now, monotime_add(place->time, REPEAT_AFTER));
    if (lately) {
        free(key);
        return true;
    }
    free(place->key);
    *place = (struct recent){key, now};
    return false;
}

void alert_raise(struct alert *alert, enum event_id event, const char *subject,
                 const char *detail) {
    if (was_raised_lately(alert, event, subject))
        return;
    log_error(EVENT_ALERT, LOG_FIELDS(log_text("alert", event_name(event)),
                                      log_text("subject", subject),
                                      log_text("detail", detail)));
    if (settings_text(alert->settings, SETTING_ALERT_COMMAND) == NULL)
        return;
    if (alert->count == MAX_WAITING) {
        log_error(EVENT_ALERT_COMMAND_NOT_RUN,
                  LOG_FIELDS(log_text("alert", event_name(event)),
                             log_text("cause", "too many alerts wait")));
        return;
    }
    struct notice *notice = memory_new(sizeof *notice);
    notice->event = event;
    notice->subject = memory_print("%s", subject);
    notice->detail = memory_print("%s", detail);
    moment_print_ms(clock_wall_ms(), notice->time);
    TAILQ_INSERT_TAIL(&alert->waiting, notice, entry);
    alert->count++;
    start_next(alert);
}

bool alert_is_idle(const struct alert *alert) {
    return alert->running == NULL && alert->count == 0;
}

bool alert_has_failed(const struct alert *alert) {
    return alert->failed;
}
