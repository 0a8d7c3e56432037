/*
 * The lives of wsclient, one after the other over the same ledger. It is what
 * wsclient/main.c is, without processes: a killed one is left by a jump, and
 * all that it had with it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/sim/parts.h"
#include "tests/sim/proc.h"
#include "tests/sim/rates.h"

/* Room for some tens of messages, so that it is full at times. */
#define PENDING_MAX_BYTES "32768"
#define GRACE             SECONDS(5)
/* Looks around, which show little while nothing is in hand. */
#define LOOK      USEC_PER_SEC
#define LONG_LOOK (11 * USEC_PER_SEC)

static struct settings *settings;
static char folder[64], ledger_path[96];
static char label[] = "upstream", address[] = "ws://upstream/";
static const struct upstream upstream = {.label = label, .url = address};
static struct child child;

static void begin(void *arg);
static void stop(void *arg);
static void gone(void);
struct proc wsclient_proc = {.name = "wsclient",
                             .process = WSCLIENT,
                             .hangs = FAULT_WSCLIENT_HANGS,
                             .begin = begin,
                             .stop = stop,
                             .gone = gone};

static struct life {
    int64_t alarm, look;
    unsigned looks_empty; /* in a row */
    struct ledger *ledger;
    struct pipeline *pipeline;
    struct connection *connection;
    struct metrics metrics;
} life;

static void remove_folder(void) {
    unlink(ledger_path);
    fetcher_end();
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
    fetcher_prepare(folder);
    atexit(remove_folder);
    log_open("sim", "error", "text", open("/dev/null", O_WRONLY | O_CLOEXEC));
    settings = settings_load(environment, NULL, false, SETTINGS_WSCLIENT);
}

bool life_is_up(void) {
    return wsclient_proc.up;
}

bool life_is_stopping(void) {
    return wsclient_proc.stopping;
}

int64_t life_started(void) {
    return wsclient_proc.begun;
}

unsigned life_kills_at_stores(void) {
    return wsclient_proc.kills;
}

struct connection *life_connection(void) {
    return life.connection;
}

struct pipeline *life_pipeline(void) {
    return life.pipeline;
}

static void gone(void) {
    life.alarm = life.look = NEVER;
    library_reset();
    fetcher_forget_wsclient();
}

bool life_does(void (*deed)(void *arg), void *arg) {
    return proc_does(&wsclient_proc, deed, arg);
}

static void stop(void *arg) {
    (void)arg;
    pipeline_stop(life.pipeline);
    connection_stop(life.connection, GRACE);
}

static void on_answers_ready(void *arg) {
    (void)arg;
    if (life.connection != NULL)
        connection_answers_ready(life.connection);
}
static bool on_ask(void *arg, day when, struct span currency) {
    (void)arg;
    return fetcher_ask(when, currency);
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
    life.look = world_now() + LOOK;
    life.looks_empty = 0;
    life.ledger = ledger_open(ledger_path, room);
    life.pipeline =
        pipeline_new(settings, life.ledger, &life.metrics, &ports, false);
    life.connection = connection_new(NULL, settings, &upstream, life.pipeline,
                                     &life.metrics, &child);
    pipeline_recover(life.pipeline, clock_now());
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
    life = (struct life){.alarm = NEVER, .look = NEVER};
    library_reset();
    wsclient_proc.kills = 0;
}

int64_t life_next(void) {
    if (!wsclient_proc.up)
        return NEVER;
    return life.alarm < life.look ? life.alarm : life.look;
}

static void look_around(void) {
    if (ledger_restore(life.ledger))
        world_wrong("the ledger's file is made anew");
    life.looks_empty = ledger_bytes(life.ledger) > 0 ? 0 : life.looks_empty + 1;
    life.look = world_now() + (life.looks_empty < 20 ? LOOK : LONG_LOOK);
}

static void alarm_and_turn(void *arg) {
    (void)arg;
    if (life.alarm <= world_now()) {
        life.alarm = NEVER;
        pipeline_alarm(life.pipeline, (monotime){world_now()});
    }
    connection_turn(life.connection, (monotime){world_now()});
    if (life.look <= world_now())
        look_around();
}

void life_turn(void) {
    if (!life_does(alarm_and_turn, NULL) ||
        !connection_is_over(life.connection))
        return;
    if (life_does(close_parts, NULL))
        proc_ended(&wsclient_proc);
}
