/*
 * The supervisor: the product's own supervisor/helper.c, with processes in the
 * place of the system's. Whether it starts, asks, stops and ends them in time,
 * and none without a reason, is judged here by what it was told.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "common/crash.h"
#include "common/lines/message.h"
#include "supervisor/helper.h"
#include "supervisor/launch.h"
#include "supervisor/memory_limit.h"
#include "tests/sim/parts.h"
#include "tests/sim/proc.h"
#include "tests/sim/timers.h"

enum { HELPERS = 2, LINES = 64, LINE_SIZE = 32, FAKE_FD = 1000 };
#define TICK USEC_PER_SEC
/* While all answer, pings show nothing: then they are few, to save time. */
#define LONG_TICK     (60 * USEC_PER_SEC)
#define HANG_SEEN     (7 * USEC_PER_SEC)
#define LONGEST_BEGIN 20000
/* The watchdog's pause. */
#define LONGEST_RESTART 1000000
/* A process is dead so long after a signal, most of the times. */
#define LONGEST_DEATH 1000
#define LONGEST_DUMP  3000000
/* What has to hold. */
#define START_AT_ONCE USEC_PER_MSEC
#define START_LIMIT   (5100 * USEC_PER_MSEC)
#define STOP_LIMIT    (5600 * USEC_PER_MSEC)
#define STOP_GRACE    (5500 * USEC_PER_MSEC)
/* Four pings without an answer, and the patience after SIGABRT. */
#define HANG_LIMIT (6200 * USEC_PER_MSEC)
#define HANG_LEAST (2800 * USEC_PER_MSEC)
#define HEALTHY    USEC_PER_SEC

/* A helper, as it is and as it should be. */
static struct ward {
    struct proc *proc;
    struct helper *helper;
    bool ready, died; /* the latter is not told yet */
    int64_t begin_due, death_due;
    char lines[LINES][LINE_SIZE]; /* for the supervisor */
    unsigned line_count, lines_read;
    unsigned pings; /* that it has not seen */
    bool told_to_stop;
    bool wanted;
    int64_t wanted_since; /* by the last order */
    int64_t dead_since, stop_told, aborted, hangs_since;
    bool was_healthy, was_stopped;
    unsigned early_deaths; /* in a row */
} wards[HELPERS] = {[HELPER_WSCLIENT] = {.proc = &wsclient_proc},
                    [HELPER_RATEFETCHER] = {.proc = &ratefetcher_proc}};

static struct {
    bool up;
    int64_t start_due, tick;
    pid_t last_pid;
    struct settings *settings;
    struct helper_context context;
} supervisor;

static bool is_alive(const struct ward *w) {
    return w->begin_due != NEVER || w->proc->up;
}

static bool hangs(const struct ward *w) {
    return world_has(w->proc->hangs);
}

/* From the process to the supervisor. */
static void say(struct ward *w, enum message_op op) {
    struct json_object *message = message_new(op);
    struct span line = message_line(message);
    if (w->line_count == LINES || line.len >= LINE_SIZE)
        world_wrong("the supervisor does not read");
    else if (w->helper != NULL && w->helper->channel_event != NULL) {
        memcpy(w->lines[w->line_count], line.data, line.len);
        w->lines[w->line_count++][line.len] = '\0';
        event_active(w->helper->channel_event, EV_READ, 0);
    }
    json_object_put(message);
}

int socketpair(int domain, int type, int protocol, int pair[2]) {
    (void)domain, (void)type, (void)protocol;
    pair[0] = pair[1] = -1; /* nobody but the helper knows whose it is */
    return 0;
}

/* A helper's channel is told by its place. */
static struct ward *ward_of(const struct channel *channel) {
    for (struct ward *w = wards; w < wards + HELPERS; w++)
        if (w->helper != NULL && channel == &w->helper->channel)
            return w;
    return NULL;
}

void channel_init(struct channel *channel, int fd) {
    struct ward *w = ward_of(channel);
    (void)fd;
    w->line_count = w->lines_read = 0;
    channel->fd = FAKE_FD;
}

void channel_clear(struct channel *channel) {
    channel->fd = -1;
}

enum channel_status channel_read(struct channel *channel) {
    const struct ward *w = ward_of(channel);
    if (w->lines_read < w->line_count)
        return CHANNEL_LINES;
    return is_alive(w) ? CHANNEL_IDLE : CHANNEL_CLOSED;
}

bool channel_next_line(struct channel *channel, struct span *line) {
    struct ward *w = ward_of(channel);
    if (w->lines_read == w->line_count) {
        w->lines_read = w->line_count = 0;
        return false;
    }
    *line = span_of(w->lines[w->lines_read++]);
    return true;
}

int channel_write(struct channel *channel, struct span line) {
    struct ward *w = ward_of(channel);
    if (memmem(line.data, line.len, "ping", 4) != NULL)
        w->pings++;
    if (memmem(line.data, line.len, "stop", 4) != NULL) {
        w->told_to_stop = true;
        w->stop_told = world_now();
    }
    return 0;
}

void children_watch(struct children *children, struct child_watch *watch,
                    pid_t pid, void (*died)(void *arg, const siginfo_t *death),
                    void *arg) {
    (void)children;
    *watch = (struct child_watch){.pid = pid, .died = died, .arg = arg};
}

void children_forget(struct child_watch *watch) {
    watch->pid = 0;
}

const char *helper_name(const struct helper *helper) {
    return wards[helper->kind].proc->name;
}

void crash_await_end_of(int channel) {
    (void)channel;
}

void memory_limit_look(void) {
}

bool memory_limit_has_killed(const siginfo_t *death) {
    (void)death;
    return false;
}

bool launch_waits_for_debugger(const struct helper *helper) {
    (void)helper;
    return false;
}

struct death_hindrance death_hindrance_of(pid_t pid) {
    (void)pid;
    return (struct death_hindrance){0};
}

void death_print_cause(const siginfo_t *death, char out[DEATH_CAUSE_SIZE]) {
    snprintf(out, DEATH_CAUSE_SIZE, "%d", death->si_status);
}

void death_log(const char *name, pid_t pid, const siginfo_t *death,
               duration uptime, duration restart_in) {
    (void)name, (void)pid, (void)death, (void)uptime, (void)restart_in;
}

/* The shortest pause in front of the next start: half of 100 ms, which double
 * with each early death in a row up to 5 s. */
static int64_t shortest_pause(const struct ward *w) {
    if (w->was_healthy || w->was_stopped || w->early_deaths == 0)
        return 0;
    unsigned doubled = w->early_deaths - 1 < 6 ? w->early_deaths - 1 : 6;
    int64_t pause = (50 * USEC_PER_MSEC) << doubled;
    return pause < 2500 * USEC_PER_MSEC ? pause : 2500 * USEC_PER_MSEC;
}

pid_t launch_helper(const struct helper *helper, int control_fd) {
    struct ward *w = &wards[helper->kind];
    (void)control_fd;
    if (is_alive(w))
        world_wrong("%s is started though it is there", w->proc->name);
    if (!w->wanted)
        world_wrong("%s is started and not wanted", w->proc->name);
    if (w->wanted_since < w->dead_since &&
        world_now() - w->dead_since < shortest_pause(w))
        world_wrong("%s is started too soon", w->proc->name);
    w->begin_due = world_now() + 1 + world_chance(LONGEST_BEGIN);
    w->death_due = NEVER;
    w->pings = 0;
    w->died = w->told_to_stop = false;
    w->stop_told = w->aborted = w->hangs_since = 0;
    return ++supervisor.last_pid;
}

/* Whether there is a reason to kill it. */
static bool may_be_killed(const struct ward *w) {
    int64_t now = world_now();
    if (w->aborted != 0)
        return !w->wanted || now - w->aborted >= 900 * USEC_PER_MSEC;
    return w->stop_told != 0 && now - w->stop_told >= STOP_GRACE;
}

int kill(pid_t pid, int number) {
    struct ward *w = wards;
    while (w < wards + HELPERS && w->helper->pid != pid)
        w++;
    if (w == wards + HELPERS)
        return -1;
    world_tell("%s gets signal %d", w->proc->name, number);
    if (number == SIGABRT &&
        (w->hangs_since == 0 || world_now() - w->hangs_since < HANG_LEAST))
        world_wrong("%s is ended as if it hung", w->proc->name);
    if (number == SIGKILL && !may_be_killed(w))
        world_wrong("%s is killed without a reason", w->proc->name);
    if (number == SIGABRT)
        w->aborted = world_now();
    bool dumps = number == SIGABRT && world_chance(4) == 0;
    w->death_due =
        world_now() + 1 + world_chance(dumps ? LONGEST_DUMP : LONGEST_DEATH);
    return 0;
}

void supervisor_lost(const struct proc *proc) {
    struct ward *w = &wards[proc == &ratefetcher_proc];
    w->died = supervisor.up;
    w->begin_due = w->death_due = NEVER;
}

static void tell_death(struct ward *w) {
    static const siginfo_t death = {.si_code = CLD_KILLED,
                                    .si_status = SIGKILL};
    w->died = false;
    w->was_healthy = w->ready && world_now() - w->proc->begun >= HEALTHY;
    w->was_stopped = w->stop_told != 0 && w->aborted == 0;
    w->ready = false;
    if (w->was_healthy)
        w->early_deaths = 0;
    else if (!w->was_stopped)
        w->early_deaths++;
    w->dead_since = world_now();
    w->helper->child.died(w->helper->child.arg, &death);
}

static void begin(struct ward *w) {
    w->begin_due = NEVER;
    proc_begin(w->proc);
    if (w->proc->up) {
        w->ready = true;
        say(w, MESSAGE_READY);
    }
}

/* What the process does with what it was told. */
static void obey(struct ward *w) {
    if (!w->proc->up || hangs(w))
        return;
    for (; w->pings > 0; w->pings--)
        say(w, MESSAGE_PONG);
    if (w->told_to_stop)
        proc_stop(w->proc);
    w->told_to_stop = false;
}

static void judge_ward(struct ward *w) {
    int64_t now = world_now();
    const char *name = w->proc->name;
    if (!is_alive(w) || !hangs(w))
        w->hangs_since = 0;
    else if (w->hangs_since == 0)
        w->hangs_since = now;
    if (w->hangs_since != 0 && w->stop_told == 0 &&
        now - w->hangs_since > HANG_LIMIT)
        world_wrong("%s hangs and is not ended", name);
    if (is_alive(w) && w->stop_told != 0 && now - w->stop_told > STOP_LIMIT)
        world_wrong("%s was to stop and is there", name);
    int64_t since =
        w->dead_since > w->wanted_since ? w->dead_since : w->wanted_since;
    bool at_once = w->was_healthy || w->was_stopped;
    if (w->wanted && !is_alive(w) && !w->died &&
        now - since > (at_once ? START_AT_ONCE : START_LIMIT))
        world_wrong("%s is not started", name);
}

static void start_all(void) {
    static const struct span none = {"", 0}, address = {"ws://upstream/", 14};
    supervisor.up = true;
    supervisor.start_due = NEVER;
    supervisor.tick = world_now() + TICK;
    world_tell("the supervisor starts");
    for (int kind = 0; kind < HELPERS; kind++) {
        struct proc *proc = wards[kind].proc;
        wards[kind] = (struct ward){.proc = proc,
                                    .begin_due = NEVER,
                                    .death_due = NEVER,
                                    .wanted = true,
                                    .wanted_since = world_now()};
        wards[kind].helper =
            helper_new(&supervisor.context, (enum helper_kind)kind,
                       kind == HELPER_WSCLIENT ? address : none);
    }
}

/* Who loses its parent ends at once. */
static void end_all(void) {
    supervisor.up = false;
    for (struct ward *w = wards; w < wards + HELPERS; w++) {
        w->begin_due = NEVER;
        proc_kill(w->proc, 0);
        if (w->helper != NULL)
            helper_free(&w->helper);
    }
}

void supervisor_kill(void) {
    if (!supervisor.up)
        return;
    world_tell("the supervisor is killed");
    end_all();
    supervisor.start_due = world_now() + 1 + world_chance(LONGEST_RESTART);
}

void supervisor_ordered(enum process process, enum order order) {
    struct ward *w = &wards[process == RATEFETCHER];
    if (!supervisor.up)
        return;
    world_tell("%s: %s is ordered", w->proc->name,
               order == ORDER_STOP ? "a stop" : "a restart");
    if (order == ORDER_RESTART)
        w->wanted_since = world_now();
    w->wanted = order == ORDER_RESTART;
    if (order == ORDER_STOP)
        helper_stop(w->helper);
    else
        helper_restart(w->helper);
}

void supervisor_wants_all(void) {
    for (enum process process = WSCLIENT; process < PROCESSES; process++)
        if (supervisor.up && !wards[process == RATEFETCHER].wanted)
            supervisor_ordered(process, ORDER_RESTART);
}

static void on_alert(void *arg, enum event_id event, const char *subject,
                     const char *detail) {
    (void)arg, (void)event, (void)subject, (void)detail;
}
static void on_changed(void *arg) {
    (void)arg;
}

void supervisor_begin_world(void) {
    static char url[] = "REQUESTS_WS_URL=ws://upstream/";
    static char *environment[] = {url, NULL};
    if (supervisor.settings == NULL)
        supervisor.settings =
            settings_load(environment, NULL, false, SETTINGS_SUPERVISOR);
    supervisor.context = (struct helper_context){
        .base = TIMERS_OF_SUPERVISOR,
        .children = (void *)&supervisor,
        .settings = supervisor.settings,
        .changed = on_changed,
        .alert = on_alert,
    };
    start_all();
}

void supervisor_end_world(void) {
    end_all();
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t supervisor_next(void) {
    int64_t next = supervisor.up ? least(supervisor.tick, timers_next())
                                 : supervisor.start_due;
    for (const struct ward *w = wards; supervisor.up && w < wards + HELPERS;
         w++) {
        bool obeys = w->proc->up && (w->pings > 0 || w->told_to_stop);
        if (w->died || (obeys && !hangs(w)))
            return world_now();
        next = least(next, least(w->begin_due, w->death_due));
    }
    return next;
}

static void turn(struct ward *w) {
    if (w->death_due <= world_now()) {
        w->death_due = NEVER;
        if (w->begin_due != NEVER) /* it had not even begun */
            supervisor_lost(w->proc);
        proc_kill(w->proc, 0);
    }
    if (w->died)
        tell_death(w);
    if (w->begin_due <= world_now())
        begin(w);
    obey(w);
    judge_ward(w);
}

static bool is_eventful(void) {
    for (const struct ward *w = wards; w < wards + HELPERS; w++)
        if (world_now() < world_fault_end(w->proc->hangs) + HANG_SEEN)
            return true;
    return false;
}

void supervisor_turn(void) {
    if (supervisor.start_due <= world_now())
        start_all();
    timers_turn();
    if (!supervisor.up)
        return;
    bool ticks = supervisor.tick <= world_now();
    for (struct ward *w = wards; w < wards + HELPERS; w++) {
        turn(w);
        if (ticks)
            helper_ping(w->helper);
    }
    if (ticks)
        supervisor.tick = world_now() + (is_eventful() ? TICK : LONG_TICK);
    else if (is_eventful())
        supervisor.tick = least(supervisor.tick, world_now() + TICK);
}
