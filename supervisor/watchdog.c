#include "supervisor/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/backoff.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/process.h"
#include "supervisor/death.h"
#include "supervisor/monitor.h"
#include "supervisor/service.h"

/* One that lived so long is started again at once. */
#define HEALTHY SECONDS(1)

/* Longer than the kernel needs to kill the helpers of a dead supervisor. */
#define UNKNOWN_CHILDREN_PATIENCE SECONDS(1)

enum {
    MAX_MISSED_TICKS = 3, /* the supervisor writes a byte each second */
    LOOK_AGAIN_MS = 20
};

static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP};

struct watchdog {
    const struct options *options;
    struct monitor_pipe log;
    sigset_t old_mask;
    int signal_fd;
    struct backoff backoff;
    bool stop_wanted;
    bool started_before;
};

/* -1 and errno: it would be deaf to the signals that it has blocked. */
static int open_signals(struct watchdog *w) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
        sigaddset(&set, passed_on[i]);
    sigprocmask(SIG_BLOCK, &set, &w->old_mask);
    w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return w->signal_fd;
}

/* As in every process: the log's form is a setting. */
static void open_log(const struct watchdog *w) {
    struct settings *settings =
        options_load_settings(w->options, SETTINGS_MONITOR);
    if (*settings_faults(settings) == '\0')
        log_open("watchdog", settings_text(settings, SETTING_LOG_LEVEL),
                 settings_text(settings, SETTING_LOG_FORMAT), w->log.write_fd);
    settings_free(&settings);
}

static _Noreturn void be_supervisor(struct watchdog *w, pid_t watchdog,
                                    int tick_fd) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != watchdog)
        _exit(EX_SOFTWARE); /* it died before the line above */
    setpgid(0, 0);
    close(w->signal_fd);
    sigprocmask(SIG_SETMASK, &w->old_mask, NULL);
    exit(service_run(w->options, &w->log, tick_fd));
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

/* Takes the signal that came; 0 if there is none. */
static int take_signal(struct watchdog *w) {
    struct signalfd_siginfo info;
    if (read(w->signal_fd, &info, sizeof info) != sizeof info)
        return 0;
    if (info.ssi_signo != SIGHUP)
        w->stop_wanted = true;
    return (int)info.ssi_signo;
}

static bool take_ticks(int tick_fd) {
    char ticks[64];
    return read(tick_fd, ticks, sizeof ticks) > 0;
}

/*
 * Whether the supervisor is to be killed because it does not tick. Looks of
 * this process are counted, not time: after a stall of its own it kills no one.
 * One that a debugger holds is left alone.
 */
static bool is_hanging(pid_t pid, int tick_fd, int *missed) {
    if (take_ticks(tick_fd) || death_hindrance_of(pid).traced)
        *missed = 0;
    else
        ++*missed;
    return *missed > MAX_MISSED_TICKS;
}

/* Passes signals on until the supervisor is dead, and sees to that it ticks. */
static void watch(struct watchdog *w, pid_t pid, int tick_fd,
                  siginfo_t *death) {
    int pid_fd = pidfd_open(pid, 0), missed = 0;
    if (pid_fd < 0) { /* it can not be watched: as if it had not started */
        close(tick_fd);
        return;
    }
    struct pollfd fds[] = {{.fd = w->signal_fd, .events = POLLIN},
                           {.fd = pid_fd, .events = POLLIN}};
    monotime look = monotime_add(clock_monotonic(), SECONDS(1));
    while (fds[1].revents == 0) {
        int64_t wait = monotime_between(clock_monotonic(), look).usec;
        if (wait > 0 && poll(fds, 2, (int)(wait / USEC_PER_MSEC) + 1) < 0)
            continue;
        int signal = fds[0].revents != 0 ? take_signal(w) : 0;
        if (signal != 0)
            pidfd_send_signal(pid_fd, signal, NULL, 0);
        if (!monotime_reached(clock_monotonic(), look))
            continue;
        look = monotime_add(clock_monotonic(), SECONDS(1));
        if (is_hanging(pid, tick_fd, &missed)) {
            log_error("hangs", LOG_FIELDS(log_text("process", "supervisor"),
                                          log_int("pid", pid)));
            pidfd_send_signal(pid_fd, SIGKILL, NULL, 0);
        }
    }
    waitid(P_PIDFD, (id_t)pid_fd, death, WEXITED);
    close(pid_fd);
    close(tick_fd);
}

/* Kills the children that this process has now; false: they are not known. */
static bool kill_children(void) {
    FILE *file = fopen("/proc/thread-self/children", "re");
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
            poll(NULL, 0, LOOK_AGAIN_MS);
        }
    }
    log_warn("leftovers_not_known", NULL);
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
    struct pollfd fd = {.fd = w->signal_fd, .events = POLLIN};
    if (poll(&fd, 1, (int)(delay.usec / USEC_PER_MSEC)) > 0)
        (void)take_signal(w);
}

int watchdog_run(const struct options *options) {
    struct watchdog w = {.options = options,
                         .backoff = {.first = MILLISECONDS(100),
                                     .ceiling = SECONDS(5),
                                     .floor_share = 50}};
    if (monitor_pipe_open(&w.log) < 0 || open_signals(&w) < 0) {
        perror("fxwire");
        return EX_OSERR;
    }
    process_title("watchdog");
    open_log(&w);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    while (!w.stop_wanted) {
        monotime start = clock_monotonic();
        siginfo_t death = {.si_code = CLD_EXITED, .si_status = EX_OSERR};
        int tick_fd;
        pid_t pid = start_supervisor(&w, &tick_fd);
        if (pid > 0)
            watch(&w, pid, tick_fd, &death);
        clear_leftovers();
        int code;
        if (is_final(&w, &death, &code))
            return code;
        duration lived = monotime_between(start, clock_monotonic());
        duration delay = next_delay(&w, lived);
        open_log(&w); /* its form may have changed */
        death_log("supervisor", pid, &death, lived, delay);
        wait_or_signal(&w, delay);
        w.started_before = true;
    }
    return EX_OK;
}
