#include "supervisor/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/backoff.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/process.h"
#include "supervisor/death.h"
#include "supervisor/memory_limit.h"
#include "supervisor/monitor/monitor.h"
#include "supervisor/service.h"

/* One that lived so long is started again at once. */
#define HEALTHY SECONDS(1)

/* Longer than the kernel needs to kill the helpers of a dead supervisor. */
#define UNKNOWN_CHILDREN_PATIENCE SECONDS(1)

/* Between looks for what a dead supervisor left. */
#define LOOK_AGAIN MILLISECONDS(20)

/* The supervisor writes a byte each second. */
enum { MAX_MISSED_TICKS = 3 };

static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP};

struct watchdog {
    const struct options *options;
    struct monitor_pipe log;
    sigset_t old_mask, waited_for;
    struct backoff backoff;
    bool stop_wanted;
    bool started_before;
    enum log_level level; /* that was asked for; LOG_LEVELS: as is set */
};

/* They are blocked, and come by sigtimedwait(), which needs no descriptor. */
static void block_signals(struct watchdog *w) {
    sigemptyset(&w->waited_for);
    sigaddset(&w->waited_for, SIGCHLD);
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
        sigaddset(&w->waited_for, passed_on[i]);
    sigprocmask(SIG_BLOCK, &w->waited_for, &w->old_mask);
}

/* As in every process: the log's form is a setting. */
static void open_log(const struct watchdog *w) {
    struct settings *settings =
        options_load_settings(w->options, SETTINGS_MONITOR);
    if (*settings_faults(settings) == '\0')
        log_open("watchdog", settings_text(settings, SETTING_LOG_LEVEL),
                 settings_text(settings, SETTING_LOG_FORMAT), w->log.write_fd);
    log_set_level(w->level);
    settings_free(&settings);
}

static _Noreturn void be_supervisor(struct watchdog *w, pid_t watchdog,
                                    int tick_fd) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != watchdog)
        _exit(EX_SOFTWARE); /* it died before the line above */
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, &w->old_mask, NULL);
    exit(service_run(w->options, &w->log, tick_fd, w->level));
}

/* Gives its pid, and the descriptor on which it ticks; -1: neither. */
static pid_t start_supervisor(struct watchdog *w, int *tick_fd) {
    int ticks[2];
    pid_t watchdog = getpid();
    if (pipe2(ticks, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(ticks[0]);
        be_supervisor(w, watchdog, ticks[1]);
    }
    close(ticks[1]);
    *tick_fd = ticks[0];
    if (pid < 0)
        close(ticks[0]);
    return pid;
}

/* Waits for a signal until `end`; 0 if none came. */
static int next_signal(struct watchdog *w, monotime end) {
    int64_t wait = monotime_between(clock_monotonic(), end).usec;
    wait = wait > 0 ? wait : 0;
    struct timespec time = {.tv_sec = wait / USEC_PER_SEC,
                            .tv_nsec = wait % USEC_PER_SEC * 1000};
    int number = sigtimedwait(&w->waited_for, NULL, &time);
    if (number == SIGTERM || number == SIGINT)
        w->stop_wanted = true;
    return number > 0 ? number : 0;
}

/*
 * Waits for all children that are dead, orphans too: this process inherits
 * them. Whether `pid` is among them; then `death` tells how.
 */
static bool reap(pid_t pid, siginfo_t *death) {
    siginfo_t found = {.si_pid = 0};
    bool is_dead = false;
    while (waitid(P_ALL, 0, &found, WEXITED | WNOHANG) == 0 &&
           found.si_pid != 0) {
        if (found.si_pid == pid) {
            *death = found;
            is_dead = true;
        }
        found.si_pid = 0;
    }
    return is_dead;
}

/* Whether there are any; they bring the level of the log. */
static bool take_ticks(struct watchdog *w, int tick_fd) {
    char ticks[64];
    ssize_t n = read(tick_fd, ticks, sizeof ticks);
    if (n <= 0)
        return false;
    enum log_level level = service_level_of(ticks[n - 1]);
    if (level != w->level) {
        w->level = level;
        open_log(w); /* it may be the one of the settings again */
    }
    return true;
}

/*
 * Whether the supervisor is to be killed because it does not tick. Looks of
 * this process are counted, not time: after a stall of its own it kills no one.
 * One that a debugger holds is left alone.
 */
static bool is_hanging(struct watchdog *w, pid_t pid, int tick_fd,
                       int *missed) {
    if (take_ticks(w, tick_fd) || death_hindrance_of(pid).traced)
        *missed = 0;
    else
        ++*missed;
    return *missed > MAX_MISSED_TICKS;
}

/* Passes signals on until the supervisor is dead, and sees to that it ticks. */
static void watch(struct watchdog *w, pid_t pid, int tick_fd,
                  siginfo_t *death) {
    int missed = 0;
    monotime look = monotime_add(clock_monotonic(), SECONDS(1));
    for (;;) {
        int signal = next_signal(w, look);
        if (reap(pid, death))
            break;
        if (signal != 0 && signal != SIGCHLD)
            kill(pid, signal); /* not yet waited for: the pid is its own */
        if (!monotime_reached(clock_monotonic(), look))
            continue;
        look = monotime_add(clock_monotonic(), SECONDS(1));
        log_look();
        if (is_hanging(w, pid, tick_fd, &missed)) {
            log_error(EVENT_HANGS, LOG_FIELDS(log_text("process", "supervisor"),
                                              log_int("pid", pid)));
            kill(pid, SIGKILL);
        }
    }
    (void)take_ticks(w, tick_fd); /* its last words */
    close(tick_fd);
}

static void pause_for(duration time) {
    struct timespec pause = {.tv_nsec = time.usec * 1000};
    nanosleep(&pause, NULL);
}

/* Kills the children that this process has now; false: they are not known. */
static bool kill_children(void) {
    FILE *file = process_proc_is_ours()
                     ? fopen("/proc/thread-self/children", "re")
                     : NULL;
    if (file == NULL)
        return false;
    int pid;
    /* Not yet waited for, so that each pid is still its child's. */
    while (fscanf(file, "%d", &pid) == 1)
        kill(pid, SIGKILL);
    fclose(file);
    return true;
}

/*
 * What the dead supervisor left became this process's children: helpers, which
 * the kernel kills (PR_SET_PDEATHSIG), and whatever an alert command put into
 * the background. A child's death may leave more, so this goes on until there
 * is none. Where the children can not be listed, as without descriptors, those
 * that the kernel does not kill stay until the next time.
 */
static void clear_leftovers(void) {
    monotime end = monotime_add(clock_monotonic(), UNKNOWN_CHILDREN_PATIENCE);
    for (;;) {
        bool killed = kill_children();
        pid_t pid = waitpid(-1, NULL, killed ? 0 : WNOHANG);
        if (pid < 0 && errno != EINTR)
            return;
        if (!killed && pid == 0) {
            if (monotime_reached(clock_monotonic(), end))
                break;
            pause_for(LOOK_AGAIN);
        }
    }
    log_warn(EVENT_LEFTOVERS_NOT_KNOWN, NULL);
}

/* Whether this end is the service's end; then `code` is its exit code. */
static bool is_final(const struct watchdog *w, const siginfo_t *death,
                     int *code) {
    bool exited = death->si_code == CLD_EXITED;
    *code = exited ? death->si_status : EX_SOFTWARE;
    if (w->stop_wanted) {
        /* It may have had no handler yet for the signal passed on to it. */
        if (!exited &&
            (death->si_status == SIGTERM || death->si_status == SIGINT))
            *code = EX_OK;
        return true;
    }
    if (!exited)
        return false;
    return *code == EX_OK || *code == EX_USAGE || *code == EX_TEMPFAIL ||
           (*code == EX_CONFIG && !w->started_before);
}

static duration next_delay(struct watchdog *w, duration lived) {
    if (lived.usec >= HEALTHY.usec) {
        backoff_reset(&w->backoff);
        return SECONDS(0);
    }
    return backoff_next(&w->backoff, arc4random());
}

static void wait_or_signal(struct watchdog *w, duration delay) {
    monotime end = monotime_add(clock_monotonic(), delay);
    while (next_signal(w, end) == SIGCHLD)
        ; /* of one that was waited for already */
}

int watchdog_run(const struct options *options) {
    struct watchdog w = {.options = options,
                         .level = LOG_LEVELS,
                         .backoff = {.first = MILLISECONDS(100),
                                     .ceiling = SECONDS(5),
                                     .floor_share = 50}};
    if (monitor_pipe_open(&w.log) < 0) {
        perror("fxwire: no pipe for the log");
        return EX_SOFTWARE;
    }
    block_signals(&w);
    process_title("watchdog");
    open_log(&w);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    while (!w.stop_wanted) {
        monotime start = clock_monotonic();
        siginfo_t death = {.si_code = CLD_EXITED, .si_status = EX_SOFTWARE};
        int tick_fd;
        memory_limit_look();
        pid_t pid = start_supervisor(&w, &tick_fd);
        if (pid > 0)
            watch(&w, pid, tick_fd, &death);
        clear_leftovers();
        int code;
        if (is_final(&w, &death, &code)) {
            monitor_pipe_drain(&w.log);
            return code;
        }
        duration lived = monotime_between(start, clock_monotonic());
        duration delay = next_delay(&w, lived);
        open_log(&w); /* its form may have changed */
        death_log("supervisor", pid, &death, lived, delay);
        monitor_pipe_drain(&w.log); /* nobody else is there to do it */
        wait_or_signal(&w, delay);
        w.started_before = true;
    }
    monitor_pipe_drain(&w.log);
    return EX_OK;
}
