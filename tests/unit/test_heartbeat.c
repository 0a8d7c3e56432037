/* The peer: who is silent or stalls, when a beat goes out, when to look. */
#include "tests/unit/unit.h"
#include "wsclient/link/peer.h"

#define MS     INT64_C(1000)
#define SECOND (1000 * MS)
#define PING   (240 * MS)
#define STALL  (10 * SECOND)

#define ALIVE     PEER_ALIVE
#define UNDECIDED PEER_UNDECIDED
#define SILENT    PEER_SILENT

/* Moments of the test, on a clock that does not begin at zero. */
static const struct tcp_input no_input = {0, 0};

static monotime at(int64_t usec) {
    return (monotime){INT64_C(7777777777) + usec};
}

/* One each second, silent after two, connected at 0. */
static struct peer connected(void) {
    struct peer peer = {.beat_interval = {1000 * MS},
                        .beat_timeout = {2000 * MS}};
    peer_connected(&peer, 1, at(0));
    return peer;
}

/* A peer that beats each so often, looked at each millisecond for a minute. */
static const struct peer_case {
    int64_t each_usec;
    bool is_silent;
} peer_cases[] = {
    {1000 * MS, false}, {1900 * MS, false},    {1990 * MS, false},
    {2000 * MS, false}, {2000 * MS + 1, true}, {2001 * MS, true},
    {10 * MS, false},
};

static void peers_that_beat(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(peer_cases); i++) {
        const struct peer_case *c = &peer_cases[i];
        struct peer peer = connected();
        bool silent = false;
        for (int64_t beat = c->each_usec, now = 0; now < 60000 * MS;
             now += MS) {
            for (; beat <= now; beat += c->each_usec) {
                /* The last look before the beat, then the beat. */
                silent |= peer_judge(&peer, at(beat), no_input) != ALIVE;
                peer_beat(&peer, at(beat));
            }
            silent |= peer_judge(&peer, at(now), no_input) != ALIVE;
        }
        if (silent != c->is_silent)
            fail_msg("a beat each %lld us: silent %d", (long long)c->each_usec,
                     silent);
    }
}

/* Steps of one life: what happens when, and what it has to give. */
enum action { RECEIVE, JUDGE, JUDGE_WITH_INPUT, RECONNECT };

struct step {
    int64_t usec;
    enum action action;
    enum peer_verdict verdict;
};

static const struct life_case {
    const char *name;
    struct step steps[12];
} life_cases[] = {
    {"the time counts from the connect",
     {{0, JUDGE, ALIVE},
      {2000 * MS, JUDGE, ALIVE},
      {2000 * MS + 1, JUDGE, SILENT}}},
    {"and from the last beat",
     {{500 * MS, RECEIVE, ALIVE},
      {1500 * MS, RECEIVE, ALIVE},
      {3500 * MS, JUDGE, ALIVE},
      {3500 * MS + 1, JUDGE, SILENT}}},
    {"waiting input alone does not make it alive or doubtful",
     {{2000 * MS, JUDGE_WITH_INPUT, ALIVE},
      {2000 * MS + 1, JUDGE_WITH_INPUT, UNDECIDED}}},
    {"the doubt ends after a second",
     {{2001 * MS, JUDGE_WITH_INPUT, UNDECIDED},
      {2030 * MS, JUDGE_WITH_INPUT, UNDECIDED},
      {3001 * MS - 1, JUDGE_WITH_INPUT, UNDECIDED},
      {3001 * MS, JUDGE_WITH_INPUT, SILENT},
      {3002 * MS, JUDGE_WITH_INPUT, SILENT}}},
    {"and begins with the first look, however late",
     {{9000 * MS, JUDGE_WITH_INPUT, UNDECIDED},
      {10000 * MS - 1, JUDGE_WITH_INPUT, UNDECIDED},
      {10000 * MS, JUDGE_WITH_INPUT, SILENT}}},
    {"the input is read and holds no beat",
     {{9000 * MS, JUDGE_WITH_INPUT, UNDECIDED}, {9001 * MS, JUDGE, SILENT}}},
    {"the input is read and holds a beat",
     {{9000 * MS, JUDGE_WITH_INPUT, UNDECIDED},
      {9001 * MS, RECEIVE, ALIVE},
      {9002 * MS, JUDGE, ALIVE},
      {11001 * MS, JUDGE_WITH_INPUT, ALIVE},
      {11001 * MS + 1, JUDGE_WITH_INPUT, UNDECIDED}}},
    {"each doubt has its own a second",
     {{2010 * MS, JUDGE_WITH_INPUT, UNDECIDED},
      {2040 * MS, RECEIVE, ALIVE},
      {5000 * MS, JUDGE_WITH_INPUT, UNDECIDED},
      {5999 * MS, JUDGE_WITH_INPUT, UNDECIDED},
      {6000 * MS, JUDGE_WITH_INPUT, SILENT}}},
    {"a new connection has no doubt left",
     {{2010 * MS, JUDGE_WITH_INPUT, UNDECIDED},
      {2100 * MS, RECONNECT, ALIVE},
      {4100 * MS, JUDGE, ALIVE},
      {4200 * MS, JUDGE_WITH_INPUT, UNDECIDED},
      {4249 * MS, JUDGE_WITH_INPUT, UNDECIDED},
      {4250 * MS, JUDGE, SILENT}}},
};

/* What waited at the first look is read; what came since is no reason. */
static void old_input_alone_is_waited_for(void **state) {
    (void)state;
    struct peer peer = {.beat_interval = {1000 * MS},
                        .beat_timeout = {2000 * MS}};
    peer_connected(&peer, 1, at(0));
    assert_int_equal(
        peer_judge(&peer, at(5000 * MS), (struct tcp_input){7, 1000}),
        UNDECIDED);
    assert_int_equal(
        peer_judge(&peer, at(5100 * MS), (struct tcp_input){1006, 500}),
        UNDECIDED);
    assert_int_equal(
        peer_judge(&peer, at(5101 * MS), (struct tcp_input){1007, 500}),
        SILENT);
}

static void take_step(const char *name, struct peer *peer,
                      const struct step *step) {
    switch (step->action) {
    case RECEIVE:
        peer_beat(peer, at(step->usec));
        return;
    case RECONNECT:
        peer_connected(peer, 1, at(step->usec));
        return;
    case JUDGE:
    case JUDGE_WITH_INPUT:
        break;
    }
    struct tcp_input input = {.waiting = step->action == JUDGE_WITH_INPUT};
    enum peer_verdict verdict = peer_judge(peer, at(step->usec), input);
    if (verdict != step->verdict)
        fail_msg("%s: at %lld us the verdict is %d, not %d", name,
                 (long long)step->usec, (int)verdict, (int)step->verdict);
}

static void lives(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(life_cases); i++) {
        const struct life_case *c = &life_cases[i];
        struct peer peer = connected();
        /* No step but the first is at 0. */
        take_step(c->name, &peer, &c->steps[0]);
        for (size_t k = 1; c->steps[k].usec != 0; k++)
            take_step(c->name, &peer, &c->steps[k]);
    }
}

/* When we look, and whether a beat goes out then. */
static const struct beat_case {
    int64_t usec;
    bool is_due;
} beat_cases[] = {
    {0, true}, /* at once */
    {0, false},
    {999999, false},
    {1000000, true},
    {1000001, false},
    /* A late look does not shift the next beat. */
    {2300000, true},
    {2999999, false},
    {3000000, true},
    /* Missed beats are not made up for; the next is an interval later. */
    {7500000, true},
    {7500000, false},
    {8000000, false},
    {8499999, false},
    {8500000, true},
    {9500000, true},
    /* Exactly one missed. */
    {11500000, true},
    {11500001, false},
    {12499999, false},
    {12500000, true},
    /* Nearly one missed. */
    {14499999, true},
    {14500000, true},
    {14500001, false},
};

static void beats(void **state) {
    (void)state;
    struct peer peer = connected();
    for (size_t i = 0; i < COUNT_OF(beat_cases); i++) {
        const struct beat_case *c = &beat_cases[i];
        if (peer_take_beat(&peer, at(c->usec)) != c->is_due)
            fail_msg("a beat at %lld us: %d", (long long)c->usec, !c->is_due);
        if (c->is_due) /* a beat of the peer changes nothing here */
            peer_beat(&peer, at(c->usec));
    }
    /* A new connection beats at once. */
    peer_connected(&peer, 1, at(14600000));
    assert_true(peer_take_beat(&peer, at(14600000)));
    assert_false(peer_take_beat(&peer, at(15599999)));
    assert_true(peer_take_beat(&peer, at(15600000)));
}

static void check_look(const struct peer *peer, int64_t usec) {
    assert_int_equal(peer_next_look(peer, at(usec - 1), false).usec,
                     at(usec).usec);
}

/* The next beat, or the first moment at which the peer is silent. */
static void next_looks(void **state) {
    (void)state;
    struct peer peer = connected();
    check_look(&peer, 0);
    assert_true(peer_take_beat(&peer, at(0)));
    check_look(&peer, 1000000);
    assert_true(peer_take_beat(&peer, at(1000000)));
    check_look(&peer, 2000000);
    assert_true(peer_take_beat(&peer, at(2000000)));
    check_look(&peer, 2000001);
    assert_int_equal(peer_judge(&peer, at(2000001), no_input), SILENT);
    peer_beat(&peer, at(2000000));
    check_look(&peer, 3000000);
    /* Beats of our own that are rarer than the peer's time. */
    struct peer slow = {.beat_interval = {1000 * MS},
                        .beat_timeout = {1000 * MS + 500}};
    peer_connected(&slow, 1, at(0));
    assert_true(peer_take_beat(&slow, at(900)));
    check_look(&slow, 1000000);
    assert_true(peer_take_beat(&slow, at(1000400)));
    check_look(&slow, 1000501);
    /* What is past already is looked at again in a millisecond. */
    assert_int_equal(peer_next_look(&slow, at(1000501), false).usec,
                     at(1001501).usec);
}

/* After a stall of our own, what waits in the kernel is read first. */
static void a_stall_is_judged_when_the_input_is_read(void **state) {
    (void)state;
    const struct tcp_input waiting = {100, 50}, partly = {149, 1},
                           read = {150, 20};
    char payload[PEER_PING_PAYLOAD_SIZE];
    struct peer r = {.beat_timeout = SECONDS(1000000)};
    peer_connected(&r, 1, at(0));
    peer_sent(&r, 1, at(0));
    (void)peer_write_ping(&r, at(PING), payload);
    peer_ponged(&r, span_of("1 1"), at(PING + 1));
    peer_sent(&r, 2, at(SECOND));
    assert_int_equal(peer_judge(&r, at(SECOND + STALL), waiting),
                     PEER_UNDECIDED);
    assert_int_equal(peer_judge(&r, at(SECOND + STALL + 1), partly),
                     PEER_UNDECIDED);
    struct peer put_off = r;
    assert_int_equal(peer_judge(&r, at(SECOND + STALL + 2), read),
                     PEER_NOT_CONFIRMING);
    /* It is not waited for longer than a second. */
    r = put_off;
    assert_int_equal(peer_judge(&r, at(2 * SECOND + STALL - 1), waiting),
                     PEER_UNDECIDED);
    assert_int_equal(peer_judge(&r, at(2 * SECOND + STALL), waiting),
                     PEER_NOT_CONFIRMING);
    /* A Pong among what was read clears it, and the next doubt. */
    r = put_off;
    (void)peer_write_ping(&r, at(SECOND + STALL), payload);
    peer_ponged(&r, span_of("1 2"), at(SECOND + STALL + 3));
    assert_int_equal(peer_judge(&r, at(SECOND + STALL + 4), read), PEER_ALIVE);
    assert_false(r.stall.open);
}

/* The next look, which is also for heartbeats: those are rare here. */
static void looks_for_receipts(void **state) {
    (void)state;
    struct peer r = {.beat_interval = SECONDS(100),
                     .beat_timeout = SECONDS(1000)};
    peer_connected(&r, 1, at(0));
    assert_true(peer_take_beat(&r, at(0)));
    assert_int_equal(peer_next_look(&r, at(0), true).usec,
                     at(100 * SECOND).usec);
    peer_sent(&r, 1, at(SECOND));
    assert_int_equal(peer_next_look(&r, at(SECOND), false).usec,
                     at(SECOND + PING).usec);
    /* A socket that takes no Ping is looked at again, but not at once. */
    assert_int_equal(peer_next_look(&r, at(2 * SECOND), false).usec,
                     at(2 * SECOND + 50 * MS).usec);
    /* Without Pongs, in a hurry, acknowledgements are looked for more often. */
    r.ponged = true;
    assert_int_equal(peer_next_look(&r, at(SECOND), true).usec,
                     at(SECOND + PING).usec);
    r.ponged = false;
    assert_int_equal(peer_next_look(&r, at(SECOND), true).usec,
                     at(SECOND + 10 * MS).usec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_that_beat),
        cmocka_unit_test(lives),
        cmocka_unit_test(old_input_alone_is_waited_for),
        cmocka_unit_test(beats),
        cmocka_unit_test(next_looks),
        cmocka_unit_test(a_stall_is_judged_when_the_input_is_read),
        cmocka_unit_test(looks_for_receipts),
    };
    return cmocka_run_group_tests_name("heartbeat", tests, NULL, NULL);
}
