#include "tests/sim/helper.h"

#define RESPAWN       MILLISECONDS(10)
#define LONGEST_DELAY SECONDS(5)

static enum lifecycle_action step(struct helper *helper,
                                  enum lifecycle_event event) {
    return lifecycle_step(&helper->lifecycle, event, (monotime){world_now()},
                          world_chance(UINT32_MAX));
}

static void plan_start(struct helper *helper, enum lifecycle_action action) {
    duration delay = RESPAWN;
    if (action == LIFECYCLE_START_LATER)
        delay = helper->lifecycle.delay;
    if (delay.usec > LONGEST_DELAY.usec)
        world_wrong("%s is to be started only after %.1f s", helper->name,
                    (double)delay.usec / USEC_PER_SEC);
    helper->start_due = world_now() + delay.usec;
}

/* The process is no more. */
static void end(struct helper *helper) {
    bool healthy = helper->lifecycle.ready &&
                   world_now() - helper->started >= LIFECYCLE_HEALTHY.usec;
    helper->up = helper->stopping = false;
    helper->gone();
    stores_end(helper->process);
    enum lifecycle_action action = step(helper, LIFECYCLE_DIED);
    if (healthy && action != LIFECYCLE_START)
        world_wrong("%s was healthy and is not started again at once",
                    helper->name);
    plan_start(helper, action);
}

bool helper_does(struct helper *helper, void (*deed)(void *arg), void *arg) {
    if (!helper->up)
        return false;
    if (_setjmp(stores_killed) != 0) {
        helper->kills++;
        world_tell("%s is killed in front of a store to its file",
                   helper->name);
        end(helper);
        return false;
    }
    stores_at_work(helper->process);
    deed(arg);
    stores_at_work(NO_PROCESS);
    return true;
}

void helper_kill(struct helper *helper) {
    if (!helper->up)
        return;
    world_tell("%s is killed", helper->name);
    end(helper);
}

void helper_ended(struct helper *helper) {
    world_tell("%s has ended", helper->name);
    end(helper);
}

bool helper_is_to_stop(struct helper *helper) {
    if (!helper->up || helper->stopping)
        return false;
    world_tell("%s is told to stop", helper->name);
    if (step(helper, LIFECYCLE_WANT_RESTART) != LIFECYCLE_STOP)
        world_wrong("a restart does not begin by a stop");
    helper->stopping = true;
    return true;
}

static void start(struct helper *helper) {
    helper->start_due = NEVER;
    helper->up = true;
    helper->started = world_now();
    world_tell("%s starts", helper->name);
    if (helper->lifecycle.state == LIFECYCLE_DOWN &&
        step(helper, LIFECYCLE_START_DUE) != LIFECYCLE_START)
        world_wrong("a start that is due is not made");
    if (helper_does(helper, helper->begin, NULL) &&
        step(helper, LIFECYCLE_SAID_READY) != LIFECYCLE_NOTHING)
        world_wrong("one that is ready is not left alone");
}

void helper_begin_world(struct helper *helper) {
    helper->up = helper->stopping = false;
    helper->start_due = world_now();
    helper->kills = 0;
    lifecycle_init(&helper->lifecycle);
    stores_arm(helper->process, 0);
}

void helper_end_world(struct helper *helper) {
    helper->up = false;
    helper->gone();
    stores_end(helper->process);
}

int64_t helper_next(const struct helper *helper) {
    return helper->up ? NEVER : helper->start_due;
}

void helper_turn(struct helper *helper) {
    if (!helper->up && helper->start_due <= world_now())
        start(helper);
}
