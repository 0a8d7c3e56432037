/*
 * The lives of wsclient, one after the other over the same ledger, each begun
 * as the supervisor's table for it says. It is what wsclient/main.c is, without
 * processes: a killed one is left by a jump, and all that it had with it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "supervisor/lifecycle.h"
#include "tests/sim/parts.h"
#include "tests/sim/stores.h"

/* Room for some tens of messages, so that it is full at times. */
#define PENDING_MAX_BYTES "32768"
#define RESPAWN           MILLISECONDS(10)
#define LONGEST_DELAY     SECONDS(5)
#define GRACE             SECONDS(5)

static struct settings *settings;
static char folder[64], ledger_path[96];
static char label[] = "upstream", address[] = "ws://upstream/";
static const struct upstream upstream = {.label = label, .url = address};
static struct child child;

static struct life {
    bool up, stopping;
    int64_t start_due, started, alarm;
    unsigned kills; /* in front of a store */
    struct lifecycle lifecycle;
    struct ledger *ledger;
    struct pipeline *pipeline;
    struct connection *connection;
    struct metrics metrics;
} life;

static void remove_folder(void) {
    unlink(ledger_path);
    rmdir(folder);
}

void life_prepare(void) {
    char url[] = "REQUESTS_WS_URL=ws://upstream/",
         date[] = "RESPONSE_DATE=request",
         room[] = "PENDING_MAX_BYTES=" PENDING_MAX_BYTES;
    char *environment[] = {url, date, room, NULL};
    snprintf(folder, sizeof folder, "%s/fxwire-sim-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        exit(1);
    }
    snprintf(ledger_path, sizeof ledger_path, "%s/ledger", folder);
    atexit(remove_folder);
    log_open("sim", "error", "text", open("/dev/null", O_WRONLY | O_CLOEXEC));
    settings = settings_load(environment, NULL, false, SETTINGS_WSCLIENT);
}

bool life_is_up(void) {
    return life.up;
}

bool life_is_stopping(void) {
    return life.stopping;
}

int64_t life_started(void) {
    return life.started;
}

unsigned life_kills_at_stores(void) {
    return life.kills;
}

struct connection *life_connection(void) {
    return life.connection;
}

struct pipeline *life_pipeline(void) {
    return life.pipeline;
}

static void plan_start(enum lifecycle_action action) {
    duration delay = RESPAWN;
    if (action == LIFECYCLE_START_LATER)
        delay = life.lifecycle.delay;
    if (delay.usec > LONGEST_DELAY.usec)
        world_wrong("it is to be started only after %.1f s",
                    (double)delay.usec / USEC_PER_SEC);
    life.start_due = world_now() + delay.usec;
}

static enum lifecycle_action step(enum lifecycle_event event) {
    return lifecycle_step(&life.lifecycle, event, (monotime){world_now()},
                          world_chance(UINT32_MAX));
}

/* The process is no more. */
static void end_life(void) {
    bool healthy = life.lifecycle.ready &&
                   world_now() - life.started >= LIFECYCLE_HEALTHY.usec;
    life.up = life.stopping = false;
    life.alarm = NEVER;
    library_reset();
    rates_forget_questions();
    stores_end();
    enum lifecycle_action action = step(LIFECYCLE_DIED);
    if (healthy && action != LIFECYCLE_START)
        world_wrong("one that was healthy is not started again at once");
    plan_start(action);
}

bool life_does(void (*deed)(void *arg), void *arg) {
    if (!life.up)
        return false;
    if (_setjmp(stores_killed) != 0) {
        stores_at_work(false);
        life.kills++;
        world_tell("wsclient is killed in front of a store to its ledger");
        end_life();
        return false;
    }
    stores_at_work(true);
    deed(arg);
    stores_at_work(false);
    return true;
}

void life_kill(void) {
    if (!life.up)
        return;
    world_tell("wsclient is killed");
    end_life();
}

static void stop(void *arg) {
    (void)arg;
    pipeline_stop(life.pipeline);
    connection_stop(life.connection, GRACE);
}

void life_stop(void) {
    if (!life.up || life.stopping)
        return;
    world_tell("wsclient is told to stop");
    if (step(LIFECYCLE_WANT_RESTART) != LIFECYCLE_STOP)
        world_wrong("a restart does not begin by a stop");
    life.stopping = true;
    life_does(stop, NULL);
}

static void on_answers_ready(void *arg) {
    (void)arg;
    if (life.connection != NULL)
        connection_answers_ready(life.connection);
}
static bool on_ask(void *arg, day when, struct span currency) {
    (void)arg;
    return rates_ask(when, currency);
}
static void on_alert(void *arg, enum event_id event, const char *detail) {
    (void)arg, (void)event, (void)detail;
}
static void on_set_alarm(void *arg, monotime when) {
    (void)arg;
    life.alarm = when.usec;
}
static void on_quarantine(void *arg, struct span bytes, uint64_t sequence) {
    (void)arg, (void)sequence;
    world_tell("quarantined: %.*s", (int)bytes.len, bytes.data);
}

void child_report(struct child *reporting) {
    (void)reporting;
}
void child_alert(struct child *alerting, enum event_id event,
                 const char *detail) {
    (void)alerting, (void)event, (void)detail;
}

static void begin(void *arg) {
    (void)arg;
    const struct pipeline_ports ports = {.answers_ready = on_answers_ready,
                                         .ask = on_ask,
                                         .alert = on_alert,
                                         .set_alarm = on_set_alarm,
                                         .quarantine = on_quarantine};
    size_t room =
        (size_t)settings_count(settings, SETTING_PENDING_MAX_BYTES, 0);
    memset(&life.metrics, 0, sizeof life.metrics);
    life.connection = NULL;
    life.ledger = ledger_open(ledger_path, room);
    life.pipeline =
        pipeline_new(settings, life.ledger, &life.metrics, &ports, false);
    life.connection = connection_new(NULL, settings, &upstream, life.pipeline,
                                     &life.metrics, &child);
    pipeline_recover(life.pipeline, clock_now());
}

static void start(void) {
    life.start_due = NEVER;
    life.up = true;
    life.started = world_now();
    world_tell("wsclient starts");
    if (life.lifecycle.state == LIFECYCLE_DOWN &&
        step(LIFECYCLE_START_DUE) != LIFECYCLE_START)
        world_wrong("a start that is due is not made");
    if (life_does(begin, NULL) &&
        step(LIFECYCLE_SAID_READY) != LIFECYCLE_NOTHING)
        world_wrong("one that is ready is not left alone");
}

/* In order, as at the end of main(). */
static void close_parts(void *arg) {
    (void)arg;
    connection_free(&life.connection);
    pipeline_free(&life.pipeline);
    ledger_close(&life.ledger);
}

void life_begin_world(void) {
    unlink(ledger_path);
    life = (struct life){.alarm = NEVER, .start_due = world_now()};
    lifecycle_init(&life.lifecycle);
    library_reset();
}

void life_end_world(void) {
    life.up = false;
    library_reset();
    stores_end();
}

int64_t life_next(void) {
    if (!life.up)
        return life.start_due;
    return life.alarm;
}

static void alarm_and_turn(void *arg) {
    (void)arg;
    if (life.alarm <= world_now()) {
        life.alarm = NEVER;
        pipeline_alarm(life.pipeline, (monotime){world_now()});
    }
    connection_turn(life.connection, (monotime){world_now()});
}

void life_turn(void) {
    if (!life.up && life.start_due <= world_now())
        start();
    if (!life_does(alarm_and_turn, NULL) ||
        !connection_is_over(life.connection))
        return;
    if (life_does(close_parts, NULL)) {
        world_tell("wsclient has ended");
        end_life();
    }
}
