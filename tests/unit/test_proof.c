/* What a link has to show before an answer is blamed for its end. */
#include "tests/unit/unit.h"
#include "wsclient/link/peer.h"

#define MSEC   INT64_C(1000)
#define SECOND INT64_C(1000000)
#define PING   (240 * MSEC)

/* Moments of the test; the clock does not begin at 0. */
static monotime at(int64_t usec) {
    return (monotime){INT64_C(7000000000) + usec};
}

/* A Ping has to be due now, and goes out. */
static void pings(struct peer *r, int64_t usec) {
    char payload[PEER_PING_PAYLOAD_SIZE];
    assert_true(peer_ping_due(r, at(usec), false));
    assert_true(peer_write_ping(r, at(usec), payload) > 0);
}

static void ponged(struct peer *r, const char *payload, int64_t usec) {
    peer_ponged(r, exact_copy(payload, strlen(payload)), at(usec));
}

static void tcp(struct peer *r, uint64_t written, uint64_t acknowledged,
                int64_t usec) {
    peer_tcp(r, (struct tcp_bytes){written, acknowledged}, r->sent, true,
             at(usec));
}

/* A link has to show that it works, if the upstream is one that pongs. */
static void proof_of_a_link(void **state) {
    (void)state;
    struct peer r = {0};
    peer_connected(&r, 1, at(0));
    assert_true(peer_has_proved(&r, at(0))); /* nobody knows that it pongs */
    assert_false(peer_ping_due(&r, at(0), false));
    r.ever_ponged = true;
    assert_false(peer_has_proved(&r, at(0)));
    pings(&r, 0);
    assert_false(peer_has_proved(&r, at(SECOND - 1)));
    ponged(&r, "1 0", SECOND - 1);
    assert_true(peer_has_proved(&r, at(SECOND - 1)));
    assert_false(peer_ping_due(&r, at(100 * SECOND), false));
    /* The next one has to show it anew, but is not waited for for ever. */
    peer_connected(&r, 2, at(0));
    assert_false(peer_has_proved(&r, at(0)));
    pings(&r, 0);
    ponged(&r, "1 0", 1);
    assert_false(peer_has_proved(&r, at(SECOND - 1)));
    pings(&r, SECOND - 1);
    assert_true(peer_has_proved(&r, at(SECOND)));
    /* A late Pong counts still, also when answers have gone out since. */
    peer_sent(&r, 1, at(SECOND));
    pings(&r, 2 * SECOND);
    assert_false(peer_is_proved(&r));
    ponged(&r, "2 0", 2 * SECOND);
    assert_true(peer_is_proved(&r));
    assert_int_equal(r.confirmed, 0);
}

/* A connection on which one answer is out at once, and acknowledged at PING. */
static void one_answer(struct peer *r, unsigned connection) {
    peer_connected(r, connection, at(0));
    peer_sent(r, 1, at(0));
    pings(r, PING);
    tcp(r, 100, 0, PING);
    assert_int_equal(peer_settled(r, at(5 * SECOND)), 0);
    tcp(r, 100, 100, PING);
}

/* What TCP has and nobody refused, while it is not known who pongs. */
static void what_is_let_pass(void **state) {
    (void)state;
    struct peer r = {0};
    /* The first Pong is given a second. */
    peer_connected(&r, 1, at(0));
    peer_sent(&r, 1, at(0));
    pings(&r, PING);
    tcp(&r, 100, 0, PING);
    tcp(&r, 100, 100, PING);
    assert_int_equal(peer_settled(&r, at(PING + SECOND - 1)), 0);
    assert_int_equal(peer_settled(&r, at(PING + SECOND)), 1);
    assert_int_equal(r.confirmed, 0);
    /* From then on it is a matter of patience, which grows a little. */
    static const int64_t patience[] = {40, 80, 80};
    for (unsigned i = 0; i < COUNT_OF(patience); i++) {
        one_answer(&r, 2 + i);
        int64_t moment = PING + patience[i] * MSEC;
        assert_int_equal(peer_settled(&r, at(moment - 1)), 0);
        assert_int_equal(peer_settled(&r, at(moment)), 1);
    }
    /* One that pongs can say it better. */
    one_answer(&r, 5);
    ponged(&r, "5 1", PING);
    peer_sent(&r, 2, at(PING));
    tcp(&r, 200, 200, PING);
    assert_int_equal(peer_settled(&r, at(100 * SECOND)), 0);
    /* On the next connection it may have lost that. */
    peer_connected(&r, 6, at(0));
    peer_sent(&r, 1, at(0));
    pings(&r, PING);
    tcp(&r, 100, 100, PING);
    tcp(&r, 100, 100, PING);
    assert_int_equal(peer_settled(&r, at(PING + SECOND - 1)), 0);
    assert_int_equal(peer_settled(&r, at(PING + SECOND)), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proof_of_a_link),
        cmocka_unit_test(what_is_let_pass),
    };
    return cmocka_run_group_tests_name("proof", tests, NULL, NULL);
}
