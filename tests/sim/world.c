#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>

#include "tests/sim/parts.h"
#include "tests/sim/proc.h"
#include "tests/sim/rates.h"
#include "tests/sim/stores.h"
#include "tests/unit/fake_clock.h"
#include "tests/unit/random.h"

/* So much time without a fault shows what became of all that is in hand. */
#define QUIET_END (200 * USEC_PER_SEC)
/* So often no time may pass. */
enum { MOST_EVENTS_AT_ONCE = 100000 };

static char wrong[256];
static struct random dice;
static int64_t fault_ends[FAULTS];
static bool telling;
static int64_t passed;

bool world_is_wrong(void) {
    return wrong[0] != '\0';
}

const char *world_what_is_wrong(void) {
    return wrong;
}

static void __attribute__((format(printf, 1, 0)))
tell(const char *format, va_list arguments) {
    if (!telling)
        return;
    printf("%14.6f s  ",
           (double)(fake_monotonic_usec - FAKE_START_USEC) / USEC_PER_SEC);
    vprintf(format, arguments);
    printf("\n");
}

void world_tell(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    tell(format, arguments);
    va_end(arguments);
}

void world_wrong(const char *format, ...) {
    va_list arguments;
    if (world_is_wrong())
        return;
    va_start(arguments, format);
    vsnprintf(wrong, sizeof wrong, format, arguments);
    va_end(arguments);
    world_tell("WRONG: %s", wrong);
}

int64_t world_now(void) {
    return fake_monotonic_usec;
}

int64_t world_true_ms(void) {
    return FAKE_NOON_MS +
           (fake_monotonic_usec - FAKE_START_USEC) / USEC_PER_MSEC;
}

uint32_t world_chance(uint32_t bound) {
    return (uint32_t)random_below(&dice, bound);
}

/* In the place of the C library's: what the product draws. */
uint32_t arc4random(void) {
    return (uint32_t)random_next(&dice);
}

bool world_has(enum fault fault) {
    return world_now() < fault_ends[fault];
}

int64_t world_fault_end(enum fault fault) {
    return fault_ends[fault];
}

int64_t world_good_since(void) {
    int64_t since = FAKE_START_USEC;
    for (enum fault f = 0; f <= FAULT_MUTE; f++)
        if (fault_ends[f] > since)
            since = fault_ends[f];
    return since;
}

int64_t world_passed(void) {
    return passed;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* When something happens next by itself. */
static int64_t next_event(void) {
    int64_t next =
        least(least(least(life_next(), supervisor_next()), library_next()),
              least(upstream_next(), fetcher_next()));
    for (enum fault f = 0; f < FAULTS; f++)
        if (fault_ends[f] > world_now())
            next = least(next, fault_ends[f]);
    return next;
}

static void run_until(int64_t end) {
    int at_once = 0;
    while (!world_is_wrong()) {
        int64_t next = next_event();
        if (next > end)
            break;
        if (next > world_now()) {
            fake_monotonic_usec = next;
            at_once = 0;
        } else if (++at_once == MOST_EVENTS_AT_ONCE) {
            world_wrong("it works on and on without any time passing");
        }
        upstream_turn();
        supervisor_turn();
        fetcher_turn();
        library_turn();
        life_turn();
    }
    if (!world_is_wrong() && end > world_now())
        fake_monotonic_usec = end;
}

static void begin_fault(enum fault fault, uint32_t milliseconds) {
    static const char *const words[FAULTS] = {
        [FAULT_REFUSED] = "the upstream takes no connection",
        [FAULT_CHOKED] = "the upstream reads nothing",
        [FAULT_BEATLESS] = "the upstream sends no heartbeat",
        [FAULT_MUTE] = "the upstream sends no Pong",
        [FAULT_UNASKED] = "ratefetcher can not be reached",
        [FAULT_PROVIDER_A] = "the first provider fails",
        [FAULT_PROVIDER_B] = "the second provider fails",
        [FAULT_WSCLIENT_HANGS] = "wsclient does not hear its supervisor",
        [FAULT_RATEFETCHER_HANGS] = "ratefetcher does not hear its supervisor",
    };
    int64_t end = world_now() + (int64_t)milliseconds * USEC_PER_MSEC;
    world_tell("for %.3f s %s", milliseconds / 1000.0, words[fault]);
    if (end > fault_ends[fault])
        fault_ends[fault] = end;
}

/* Not so far back that requests' days are in the future. */
static void set_clock(int32_t seconds) {
    int64_t step = (int64_t)seconds * MSEC_PER_SEC;
    if (fake_wall_ms + step < FAKE_NOON_MS - DAY_SECONDS * MSEC_PER_SEC)
        return;
    world_tell("the wall clock goes on by %d s", seconds);
    fake_wall_ms += step;
    fetcher_clock_set();
}

static void do_step(const struct step *step) {
    switch (step->op) {
    case OP_REQUESTS:
        upstream_sends(step->much);
        break;
    case OP_KILL:
        proc_kill(&wsclient_proc, step->much);
        break;
    case OP_BREAK:
        library_broken(step->much);
        break;
    case OP_KILL_SUPERVISOR:
        supervisor_kill();
        break;
    case OP_ORDER:
        supervisor_ordered(step->what % 2 == 0 ? WSCLIENT : RATEFETCHER,
                           step->much < 3 ? ORDER_RESTART : ORDER_STOP);
        break;
    case OP_FAULT:
        begin_fault(step->what, step->much);
        break;
    case OP_KILL_RATES:
        proc_kill(&ratefetcher_proc, step->much);
        break;
    case OP_ASK:
        world_tell("ratefetcher gets %u questions", step->much);
        fetcher_is_asked(step->much);
        break;
    case OP_CLOCK:
        set_clock((int32_t)step->much);
        break;
    case OPS:
        break;
    }
}

static void disarm(void) {
    stores_arm(WSCLIENT, 0);
    stores_arm(RATEFETCHER, 0);
    stores_arm_at_length(WSCLIENT, 0);
}

static void begin(void) {
    disarm();
    wrong[0] = '\0';
    fake_monotonic_usec = FAKE_START_USEC;
    fake_wall_ms = FAKE_NOON_MS;
    fake_wall_goes_on = true;
    for (enum fault f = 0; f < FAULTS; f++)
        fault_ends[f] = 0;
    fetcher_begin_world();
    upstream_begin_world();
    life_begin_world();
    supervisor_begin_world();
}

static void end(void) {
    disarm();
    supervisor_wants_all();
    int64_t quiet = world_good_since();
    run_until((quiet > world_now() ? quiet : world_now()) + QUIET_END);
    if (!world_is_wrong())
        upstream_judge();
    passed += world_now() - FAKE_START_USEC;
}

bool world_play(const struct step *steps, size_t count, bool told) {
    telling = told;
    dice.state = 0;
    begin();
    for (size_t i = 0; i < count && !world_is_wrong(); i++) {
        dice.state = steps[i].dice;
        run_until(world_now() + steps[i].wait);
        if (!world_is_wrong())
            upstream_judge();
        if (!world_is_wrong())
            do_step(&steps[i]);
        life_turn();
    }
    if (!world_is_wrong())
        end();
    telling = false;
    supervisor_end_world();
    return !world_is_wrong();
}
