#include "supervisor/selftest/chaos.h"

#include <bsd/stdlib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "supervisor/selftest/family.h"

/* After its own time a fault has this long at least, so that one is told from
 * the next, and at most that long until answers come. */
#define SETTLE   MILLISECONDS(700)
#define TOO_LATE SECONDS(30)

enum chaos_act { ACT_KILL, ACT_STOP, ACT_KILL_ALL, ACT_ORDER, ACT_REDIS };

/* `what`: a process's title, or a line for a stand-in. `seconds` is the time
 * that a fault takes by itself. */
static const struct {
    const char *name;
    enum chaos_act act;
    enum stand_program program;
    const char *what;
    double seconds;
} kinds[] = {
    {"kill wsclient", ACT_KILL, STAND_SERVICE, "wsclient", 0},
    {"kill ratefetcher", ACT_KILL, STAND_SERVICE, "ratefetcher", 0},
    {"kill monitor", ACT_KILL, STAND_SERVICE, "monitor", 0},
    {"kill supervisor", ACT_KILL, STAND_SERVICE, "supervisor", 0},
    {"kill all", ACT_KILL_ALL, STAND_SERVICE, "", 0},
    {"stop wsclient", ACT_STOP, STAND_SERVICE, "wsclient", 0},
    {"stop ratefetcher", ACT_STOP, STAND_SERVICE, "ratefetcher", 0},
    {"stop monitor", ACT_STOP, STAND_SERVICE, "monitor", 0},
    {"stop supervisor", ACT_STOP, STAND_SERVICE, "supervisor", 0},
    {"upstream cut", ACT_ORDER, STAND_UPSTREAM, "{\"fault\":\"cut\"}", 0},
    {"upstream closes", ACT_ORDER, STAND_UPSTREAM,
     "{\"fault\":\"close\",\"code\":1012}", 0},
    {"upstream silent", ACT_ORDER, STAND_UPSTREAM,
     "{\"fault\":\"silence\",\"seconds\":3}", 3},
    {"upstream deaf", ACT_ORDER, STAND_UPSTREAM,
     "{\"fault\":\"unread\",\"seconds\":2}", 2},
    {"upstream without beats", ACT_ORDER, STAND_UPSTREAM,
     "{\"fault\":\"no-beats\",\"seconds\":3}", 3},
    {"upstream refuses", ACT_ORDER, STAND_UPSTREAM,
     "{\"fault\":\"refuse\",\"seconds\":1}", 1},
    {"upstream's bad frame", ACT_ORDER, STAND_UPSTREAM,
     "{\"fault\":\"frame\",\"kind\":\"reserved-bit\"}", 0},
    {"provider's 503", ACT_ORDER, STAND_PROVIDER,
     "{\"fault\":\"status\",\"provider\":\"frankfurter\",\"seconds\":2}", 2},
    {"provider silent", ACT_ORDER, STAND_PROVIDER,
     "{\"fault\":\"silence\",\"provider\":\"frankfurter\",\"seconds\":2}", 2},
    {"provider slow", ACT_ORDER, STAND_PROVIDER,
     "{\"fault\":\"slow\",\"provider\":\"ecb\",\"seconds\":2}", 2},
    {"provider's garbage", ACT_ORDER, STAND_PROVIDER,
     "{\"fault\":\"garbage\",\"seconds\":1}", 1},
    {"kill Redis", ACT_REDIS, STAND_REDIS, "", 1},
    {"stop Redis", ACT_REDIS, STAND_REDIS, "stop", 1},
};

enum { KINDS = sizeof kinds / sizeof *kinds };
_Static_assert((int)KINDS <= (int)CHAOS_KINDS,
               "room for the recoveries of each");

void chaos_begin(struct chaos *c, struct stand *stand) {
    *c = (struct chaos){
        .stand = stand, .now = -1, .answered = clock_monotonic()};
}

void chaos_answered(struct chaos *c, monotime now) {
    c->longest = duration_max(c->longest, monotime_between(c->answered, now));
    c->answered = now;
}

/* False: there is no such process now. */
static bool signal_one(const struct chaos *c, const char *name, int number) {
    pid_t service = c->stand->pid[STAND_SERVICE];
    pid_t pid = family_find(service, name);
    return pid > 0 && kill(pid, number) == 0;
}

static bool hurt_redis(struct chaos *c, bool stop) {
    pid_t pid = c->stand->pid[STAND_REDIS];
    return pid > 0 && kill(pid, stop ? SIGSTOP : SIGKILL) == 0;
}

/* False: it can not be done now. */
static bool perform(struct chaos *c, int kind) {
    pid_t service = c->stand->pid[STAND_SERVICE];
    switch (kinds[kind].act) {
    case ACT_KILL:
        return signal_one(c, kinds[kind].what, SIGKILL);
    case ACT_STOP:
        return signal_one(c, kinds[kind].what, SIGSTOP);
    case ACT_KILL_ALL:
        return service > 0 && kill(service, SIGKILL) == 0;
    case ACT_ORDER:
        stand_order(c->stand, kinds[kind].program, kinds[kind].what);
        return true;
    default:
        return hurt_redis(c, *kinds[kind].what != '\0');
    }
}

static void begin(struct chaos *c, monotime now) {
    int kind = (int)arc4random_uniform(KINDS);
    if (!perform(c, kind))
        return;
    c->now = kind;
    c->began = now;
    c->longest = (duration){0};
    c->over = monotime_add(
        now, (duration){(int64_t)(kinds[kind].seconds * USEC_PER_SEC) +
                        SETTLE.usec});
}

/* Notes by how much answers were late beyond the fault's own time. */
static void end(struct chaos *c) {
    int n = c->count[c->now]++;
    int64_t own = (int64_t)(kinds[c->now].seconds * USEC_PER_SEC);
    int64_t late = c->longest.usec > own ? c->longest.usec - own : 0;
    if (n < CHAOS_TIMES)
        c->recovery[c->now][n] = (duration){late};
    if (kinds[c->now].act == ACT_REDIS)
        stand_revive_redis(c->stand);
    c->now = -1;
}

void chaos_tick(struct chaos *c, monotime now, bool last) {
    if (stand_service_ended(c->stand))
        stand_start(c->stand, STAND_SERVICE); /* as a service manager does */
    if (c->now < 0) {
        if (!last)
            begin(c, now);
        return;
    }
    duration since = monotime_between(c->answered, now);
    bool waits = since.usec > SETTLE.usec / 2;
    if (monotime_reached(now, c->over) &&
        (!waits || last ||
         monotime_reached(now, monotime_add(c->over, TOO_LATE)))) {
        c->longest = waits ? duration_max(c->longest, since) : c->longest;
        end(c);
    }
}

static int by_length(const void *a, const void *b) {
    const duration *x = a, *y = b;
    return (x->usec > y->usec) - (x->usec < y->usec);
}

static void print_row(const char *name, duration *list, int n) {
    qsort(list, (size_t)n, sizeof *list, by_length);
    printf("  %-24s %5d %14.2f s %8.2f s\n", name, n,
           (double)list[n / 2].usec / USEC_PER_SEC,
           (double)list[n - 1].usec / USEC_PER_SEC);
}

void chaos_print(const struct chaos *c) {
    duration all[CHAOS_KINDS * CHAOS_TIMES], one[CHAOS_TIMES];
    int total = 0;
    puts("  FAULT                    TIMES   LATE BY, MEDIAN        MAX");
    for (int kind = 0; kind < KINDS; kind++) {
        int n = c->count[kind] < CHAOS_TIMES ? c->count[kind] : CHAOS_TIMES;
        for (int i = 0; i < n; i++)
            one[i] = all[total++] = c->recovery[kind][i];
        if (n > 0)
            print_row(kinds[kind].name, one, n);
    }
    if (total > 0)
        print_row("all", all, total);
}
