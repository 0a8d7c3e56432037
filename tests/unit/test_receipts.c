/* Receipts: when Pings go out, what confirms, and what is given up. */
#include <stdio.h>

#include "tests/unit/unit.h"
#include "wsclient/link/peer.h"

#define MSEC   INT64_C(1000)
#define SECOND INT64_C(1000000)
#define PING   (240 * MSEC)
#define STALL  (10 * SECOND)

/* Moments of the test; the clock does not begin at 0. */
static monotime at(int64_t usec) {
    return (monotime){INT64_C(7000000000) + usec};
}

static void sends(struct peer *r, uint64_t position, int64_t usec) {
    peer_sent(r, position, at(usec));
}

/* A Ping has to be due now, and to have this payload. */
static void pings(struct peer *r, int64_t usec, const char *wanted) {
    char payload[PEER_PING_PAYLOAD_SIZE];
    assert_true(peer_ping_due(r, at(usec), false));
    size_t len = peer_write_ping(r, at(usec), payload);
    assert_true(len < sizeof payload && len <= 125);
    if (len != strlen(wanted) || memcmp(payload, wanted, len) != 0)
        fail_msg("%.*s is not %s", (int)len, payload, wanted);
}

static void ponged(struct peer *r, const char *payload, int64_t usec) {
    peer_ponged(r, exact_copy(payload, strlen(payload)), at(usec));
}

static bool is_due(const struct peer *r, int64_t usec) {
    return peer_ping_due(r, at(usec), false);
}

/* Whether it stalls while its last beat came at `beat`. */
static bool stalls_with_beat(struct peer *r, int64_t beat, int64_t usec) {
    r->beat_timeout = SECONDS(1000000); /* its silence is not the matter */
    r->beat_received = at(beat);
    return peer_judge(r, at(usec), (struct tcp_input){0, 0}) ==
           PEER_NOT_CONFIRMING;
}

/* The upstream beats all the time. */
static bool stalls(struct peer *r, int64_t usec) {
    return stalls_with_beat(r, usec - 1, usec);
}

static void tcp(struct peer *r, uint64_t written, uint64_t acknowledged,
                int64_t usec) {
    peer_tcp(r, (struct tcp_bytes){written, acknowledged}, r->sent, true,
             at(usec));
}

static void a_ping_follows_within_a_quarter_second(void **state) {
    (void)state;
    struct peer r = {0};
    peer_connected(&r, 3, at(0));
    assert_false(is_due(&r, 100 * SECOND));
    assert_false(peer_owes_receipts(&r));
    sends(&r, 1, 0);
    assert_true(peer_owes_receipts(&r));
    assert_false(is_due(&r, PING - 1));
    /* Others that follow put it off no further. */
    sends(&r, 2, 100 * MSEC);
    sends(&r, 3, 249 * MSEC);
    assert_int_equal(r.next_ping.usec, at(PING).usec);
    pings(&r, PING, "3 3");
    /* What is sent behind it has its own within the same time. */
    sends(&r, 4, 300 * MSEC);
    ponged(&r, "3 3", 310 * MSEC);
    assert_int_equal(r.confirmed, 3);
    assert_true(peer_owes_receipts(&r));
    assert_false(is_due(&r, 2 * PING - 1));
    pings(&r, 2 * PING, "3 4");
    ponged(&r, "3 4", 510 * MSEC);
    assert_int_equal(r.confirmed, 4);
    assert_false(peer_owes_receipts(&r));
    assert_false(is_due(&r, 100 * SECOND));
    /* And the next answer after a pause again. */
    sends(&r, 5, 100 * SECOND);
    assert_false(is_due(&r, 100 * SECOND + PING - 1));
    pings(&r, 100 * SECOND + PING, "3 5");
}

/* In a hurry: at once, but not while a Ping is on its way. */
static void a_hurry_does_not_wait(void **state) {
    (void)state;
    struct peer r = {0};
    peer_connected(&r, 1, at(0));
    assert_false(peer_ping_due(&r, at(0), true));
    sends(&r, 1, 0);
    assert_true(peer_ping_due(&r, at(0), true));
    char payload[PEER_PING_PAYLOAD_SIZE];
    peer_write_ping(&r, at(0), payload);
    sends(&r, 2, 10);
    assert_false(peer_ping_due(&r, at(20), true));
    assert_true(peer_ping_due(&r, at(PING), true)); /* in its time */
    ponged(&r, "1 1", 30);
    assert_true(peer_ping_due(&r, at(30), true));
    peer_write_ping(&r, at(30), payload);
    ponged(&r, "1 2", 40);
    assert_false(peer_ping_due(&r, at(50), true));
}

static void unanswered_pings_are_repeated(void **state) {
    (void)state;
    struct peer r = {0};
    peer_connected(&r, 12, at(0));
    sends(&r, 1, 0);
    pings(&r, PING, "12 1");
    assert_false(is_due(&r, 2 * PING - 1));
    pings(&r, 2 * PING, "12 1");
    sends(&r, 2, 2 * PING + 1);
    pings(&r, 3 * PING, "12 2");
    /* The Pong to an earlier one confirms a part; the rest goes on. */
    ponged(&r, "12 1", 3 * PING + 1);
    assert_int_equal(r.confirmed, 1);
    assert_false(is_due(&r, 4 * PING - 1));
    pings(&r, 4 * PING, "12 2");
    ponged(&r, "12 2", 4 * PING + 1);
    assert_int_equal(r.confirmed, 2);
    assert_false(is_due(&r, 100 * SECOND));
}

static void the_largest_numbers_fit(void **state) {
    (void)state;
    struct peer r = {0};
    peer_connected(&r, UINT32_MAX, at(0));
    sends(&r, UINT64_MAX - 1, 0);
    pings(&r, PING, "4294967295 18446744073709551614");
    ponged(&r, "4294967295 18446744073709551614", PING + 1);
    assert_false(peer_owes_receipts(&r));
}

/* None of these answers a Ping: positions 1 to 5 are out, 3 was pinged. */
static const char *const strangers[] = {
    "",
    "3",
    "2",
    "2 ",
    " ",
    "2 4",
    "2 5",
    "1 3",
    "3 3",
    "22 3",
    "2 33",
    "2 -1",
    "2 3x",
    "2 3 ",
    "2 3 3",
    "x2 3",
    "2,3",
    "2 x",
    "hello",
    "2 0x3",
    "2 3.0",
    "2 99999999999999999999999999999999999999999",
    "-2 3",
    "2\n\n3 3",
    "2 18446744073709551615",
    "2 3\x80",
    "2 3                                                          ",
};

static void pongs_of_strangers_change_nothing(void **state) {
    (void)state;
    struct peer r = {0};
    peer_connected(&r, 2, at(0));
    sends(&r, 3, 0);
    pings(&r, PING, "2 3");
    sends(&r, 5, PING + 1);
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        struct peer before = r;
        ponged(&r, strangers[i], PING + 2);
        if (memcmp(&before, &r, sizeof r) != 0)
            fail_msg("\"%s\" confirms", strangers[i]);
    }
    peer_ponged(&r, (struct span){"", 0}, at(PING + 2));
    peer_ponged(&r, exact_copy("\0\0\0\0", 4), at(PING + 2));
    assert_false(r.ever_ponged);
    static char digits[125];
    memset(digits, '2', sizeof digits);
    for (size_t len = 1; len <= sizeof digits; len++)
        peer_ponged(&r, exact_copy(digits, len), at(PING + 2));
    assert_int_equal(r.confirmed, 0);
    ponged(&r, "2 3", PING + 3);
    assert_int_equal(r.confirmed, 3);
    /* The same once more, and an older one, do no harm. */
    ponged(&r, "2 3", PING + 4);
    ponged(&r, "2 1", PING + 4);
    assert_int_equal(r.confirmed, 3);
    assert_true(peer_owes_receipts(&r));
}

/* Pings each quarter of a second in vain, from the first one on. */
static int64_t ping_in_vain(struct peer *r, int64_t from, int64_t until) {
    char payload[PEER_PING_PAYLOAD_SIZE];
    int64_t usec = from;
    for (; usec <= until; usec += PING) {
        assert_true(is_due(r, usec));
        peer_write_ping(r, at(usec), payload);
        assert_false(is_due(r, usec + PING - 1));
    }
    return usec - PING;
}

/*
 * TCP is trusted after three Pings and ten seconds, if the upstream beats and
 * never ponged; what it had acknowledged by then is confirmed at once.
 */
static void tcp_stands_in_for_pongs(void **state) {
    (void)state;
    struct peer r = {0};
    peer_connected(&r, 1, at(0));
    sends(&r, 1, 0);
    tcp(&r, 5000, 4000, 10);
    int64_t last = ping_in_vain(&r, PING, PING + STALL - PING);
    tcp(&r, 6000, 5000, last); /* acknowledged, but not yet trusted */
    assert_int_equal(r.confirmed, 0);
    assert_string_equal(peer_receipts_name(&r), "pong");
    assert_false(stalls(&r, PING + STALL - 1));
    assert_int_equal(r.receipts, PEER_RECEIPTS_BY_PONG);
    assert_false(stalls(&r, PING + STALL));
    assert_string_equal(peer_receipts_name(&r), "tcp");
    assert_int_equal(r.confirmed, 1);
    assert_false(peer_owes_receipts(&r));
    /* From now on each answer, once its bytes are acknowledged. */
    sends(&r, 2, 20 * SECOND);
    tcp(&r, 7000, 6000, 20 * SECOND);
    sends(&r, 3, 20 * SECOND + 1);
    tcp(&r, 8000, 6999, 20 * SECOND + 2);
    assert_int_equal(r.confirmed, 1);
    tcp(&r, 8000, 7000, 20 * SECOND + 3);
    assert_int_equal(r.confirmed, 2);
    tcp(&r, 9000, 7999, 20 * SECOND + 4);
    assert_int_equal(r.confirmed, 2);
    tcp(&r, 9000, 8000, 20 * SECOND + 5);
    assert_int_equal(r.confirmed, 3);
    assert_false(peer_owes_receipts(&r));
}

/* In which cases it is not, and that the connection is given up then. */
static void tcp_is_not_trusted_too_easily(void **state) {
    (void)state;
    /* Without three Pings: none could be sent. */
    struct peer r = {0};
    peer_connected(&r, 1, at(0));
    sends(&r, 1, 0);
    pings(&r, PING, "1 1");
    pings(&r, 2 * PING, "1 1");
    assert_true(stalls(&r, PING + STALL));
    assert_int_equal(r.receipts, PEER_RECEIPTS_BY_PONG);
    pings(&r, STALL, "1 1");
    assert_true(stalls(&r, PING + STALL)); /* nothing is acknowledged */
    assert_int_equal(r.receipts, PEER_RECEIPTS_BY_TCP);

    /* Without a beat since the first Ping. */
    r = (struct peer){0};
    peer_connected(&r, 1, at(0));
    sends(&r, 1, 0);
    tcp(&r, 100, 0, 0);
    ping_in_vain(&r, PING, STALL);
    tcp(&r, 100, 100, STALL);
    assert_true(stalls_with_beat(&r, PING, PING + STALL));
    assert_int_equal(r.receipts, PEER_RECEIPTS_BY_PONG);
    assert_int_equal(r.confirmed, 0);
    assert_false(stalls_with_beat(&r, PING + 1, PING + STALL));
    assert_int_equal(r.receipts, PEER_RECEIPTS_BY_TCP);
    assert_int_equal(r.confirmed, 1);

    /* After a single Pong, be it on an earlier connection. */
    r = (struct peer){0};
    peer_connected(&r, 1, at(0));
    sends(&r, 1, 0);
    pings(&r, PING, "1 1");
    ponged(&r, "1 1", PING + 1);
    peer_connected(&r, 2, at(0));
    sends(&r, 1, SECOND);
    ping_in_vain(&r, SECOND + PING, SECOND + STALL);
    tcp(&r, 100, 100, SECOND + STALL);
    tcp(&r, 100, 100, SECOND + STALL);
    assert_true(stalls(&r, SECOND + STALL));
    assert_true(stalls(&r, SECOND + PING + STALL));
    assert_int_equal(r.receipts, PEER_RECEIPTS_BY_PONG);
    assert_int_equal(r.confirmed, 0);
}

/* One that ponged is given up ten seconds after it last confirmed anything. */
static void one_that_ponged_and_stops_is_stalled(void **state) {
    (void)state;
    struct peer r = {0};
    peer_connected(&r, 1, at(0));
    assert_false(stalls(&r, 1000 * SECOND));
    sends(&r, 1, 0);
    pings(&r, PING, "1 1");
    sends(&r, 2, PING + 1);
    ponged(&r, "1 1", SECOND);
    pings(&r, SECOND, "1 2");
    assert_false(stalls(&r, SECOND + STALL - 1));
    assert_true(stalls(&r, SECOND + STALL));
    /* Progress of any size clears it, and a late Pong to an old Ping. */
    ponged(&r, "1 2", SECOND + STALL);
    assert_false(stalls(&r, 1000 * SECOND));
    /* The time does not run while nothing is unconfirmed. */
    sends(&r, 3, 1000 * SECOND);
    assert_false(stalls(&r, 1000 * SECOND + STALL - 1));
    assert_true(stalls(&r, 1000 * SECOND + STALL));
}

/* Not progress: a Pong that confirms nothing new. */
static void old_pongs_are_no_progress(void **state) {
    (void)state;
    struct peer r = {0};
    peer_connected(&r, 1, at(0));
    sends(&r, 1, 0);
    pings(&r, PING, "1 1");
    ponged(&r, "1 1", PING + 1);
    sends(&r, 2, SECOND);
    for (int64_t usec = SECOND; usec < SECOND + STALL; usec += SECOND)
        ponged(&r, "1 1", usec);
    assert_true(stalls(&r, SECOND + STALL));
}

/* One that reads slowly has a Ping behind much that it has not read yet. */
static void who_reads_slowly_does_not_stall(void **state) {
    (void)state;
    for (int ponged_before = 0; ponged_before <= 1; ponged_before++) {
        struct peer r = {.ever_ponged = ponged_before == 1};
        peer_connected(&r, 1, at(0));
        sends(&r, 1, 0);
        pings(&r, PING, "1 1");
        peer_pinged(&r, 1000);
        int64_t usec = PING;
        for (uint64_t acked = 100; acked <= 1000; acked += 100) {
            usec += 9 * SECOND;
            tcp(&r, 5000, acked, usec);
            assert_false(stalls(&r, usec + STALL - 1));
        }
        assert_int_equal(r.receipts, PEER_RECEIPTS_BY_PONG);
        /* Now it has the Ping: what it reads behind it is no excuse. */
        tcp(&r, 5000, 2000, usec + 5 * SECOND);
        assert_true(stalls(&r, usec + STALL));
    }
}

static void with_tcp_it_stalls_by_tcp(void **state) {
    (void)state;
    struct peer r = {.receipts = PEER_RECEIPTS_BY_TCP};
    const int64_t start = 9 * SECOND; /* from the last bytes on */
    peer_connected(&r, 2, at(0));
    sends(&r, 1, 0);
    tcp(&r, 1000, 0, 0);
    tcp(&r, 1000, 999, start);
    assert_false(stalls(&r, start + STALL - 1));
    assert_true(stalls(&r, start + STALL));
    /* Progress of a part is progress. */
    sends(&r, 2, start + STALL);
    tcp(&r, 2000, 1000, start + STALL);
    assert_int_equal(r.confirmed, 1);
    assert_false(stalls(&r, 2 * STALL - 1));
    assert_true(stalls(&r, start + 2 * STALL));
    tcp(&r, 2000, 2000, start + 2 * STALL);
    assert_int_equal(r.confirmed, 2);
    assert_false(stalls(&r, 1000 * SECOND));
    /* After a pause the time begins anew. */
    sends(&r, 3, 1000 * SECOND);
    assert_false(stalls(&r, 1000 * SECOND + STALL - 1));
    assert_true(stalls(&r, 1000 * SECOND + STALL));
}

/* Pings that nobody answers do not count, while bytes are acknowledged. */
static void with_tcp_unanswered_pings_do_not_count(void **state) {
    (void)state;
    struct peer r = {.receipts = PEER_RECEIPTS_BY_TCP};
    peer_connected(&r, 1, at(0));
    for (uint64_t i = 1; i <= 100; i++) {
        int64_t usec = (int64_t)i * SECOND;
        sends(&r, 2 * i, usec);
        tcp(&r, i * 1000, i * 1000 - 999, usec);
        sends(&r, 2 * i + 1, usec + 1); /* so that something is always open */
        tcp(&r, i * 1000 + 1, i * 1000, usec + PING);
        assert_false(stalls(&r, usec + PING));
        ping_in_vain(&r, usec + PING, usec + PING);
        assert_int_equal(r.confirmed, 2 * i);
    }
    assert_false(stalls(&r, 100 * SECOND + PING + STALL - 1));
    assert_true(stalls(&r, 100 * SECOND + PING + STALL));
}

/* What is known of the upstream outlives a connection; the rest does not. */
static void a_new_connection(void **state) {
    (void)state;
    struct peer r = {.receipts = PEER_RECEIPTS_BY_TCP};
    peer_connected(&r, 7, at(0));
    sends(&r, 9, 0);
    tcp(&r, 1000, 0, 0);
    pings(&r, PING, "7 9");
    peer_connected(&r, 8, at(0));
    assert_int_equal(r.receipts, PEER_RECEIPTS_BY_TCP);
    assert_false(peer_owes_receipts(&r));
    assert_false(is_due(&r, 1000 * SECOND));
    assert_false(stalls(&r, 1000 * SECOND));
    /* Bytes are counted anew, and the old mark means nothing. */
    sends(&r, 1, 20 * SECOND);
    tcp(&r, 2000, 1000, 20 * SECOND);
    assert_int_equal(r.confirmed, 0);
    tcp(&r, 2000, 2000, 20 * SECOND);
    assert_int_equal(r.confirmed, 1);
    sends(&r, 2, 21 * SECOND);
    pings(&r, 21 * SECOND + PING, "8 2");
    ponged(&r, "7 9", 22 * SECOND);
    assert_int_equal(r.receipts, PEER_RECEIPTS_BY_TCP);
    /* One that pongs after all is confirmed by that from then on. */
    ponged(&r, "8 2", 22 * SECOND);
    assert_int_equal(r.receipts, PEER_RECEIPTS_BY_PONG);
    assert_int_equal(r.confirmed, 2);
    sends(&r, 3, 23 * SECOND);
    tcp(&r, 3000, 3000, 23 * SECOND);
    tcp(&r, 3000, 3000, 24 * SECOND);
    assert_int_equal(r.confirmed, 2);
    peer_connected(&r, 9, at(0));
    assert_int_equal(r.receipts, PEER_RECEIPTS_BY_PONG);
    sends(&r, 1, 30 * SECOND);
    ping_in_vain(&r, 30 * SECOND + PING, 45 * SECOND);
    assert_true(stalls(&r, 45 * SECOND));
    assert_int_equal(r.receipts, PEER_RECEIPTS_BY_PONG);
}

/* What only resembles the payload of a Ping of ours. */
static const struct span near_misses[] = {
    {"2 0", 3},  {" 2 3", 4}, {"+2 3", 4},          {"02 3", 4},
    {"2 03", 4}, {"2 +3", 4}, {"4294967298 3", 12}, {"2  3", 4},
    {"2\t3", 3}, {"2\n3", 3}, {"2 3\0", 4},         {"2 3\0 4", 6},
};

static void near_misses_change_nothing(void **state) {
    (void)state;
    struct peer r = {0};
    peer_connected(&r, 2, at(0));
    peer_ponged(&r, exact_copy("2 0", 3), at(0));
    assert_false(r.ever_ponged); /* nothing was pinged at all */
    sends(&r, 3, 0);
    pings(&r, PING, "2 3");
    for (size_t i = 0; i < COUNT_OF(near_misses); i++) {
        struct peer before = r;
        peer_ponged(&r, near_misses[i], at(PING + 2));
        if (memcmp(&before, &r, sizeof r) != 0)
            fail_msg("\"%s\" confirms", near_misses[i].data);
    }
}

/* Behind many answers, where the peer is known to pong and none is out. */
static void many_answers_are_worth_a_ping(void **state) {
    (void)state;
    struct peer r = {0};
    peer_connected(&r, 3, at(0));
    sends(&r, 1000, 0);
    assert_false(peer_ping_pays(&r));
    pings(&r, PING, "3 1000");
    ponged(&r, "3 1000", PING + 1);
    sends(&r, 1000 + PEER_PING_ANSWERS - 1, PING + 2);
    assert_false(peer_ping_pays(&r));
    sends(&r, 1000 + PEER_PING_ANSWERS, PING + 3);
    assert_true(peer_ping_pays(&r));
    assert_false(is_due(&r, PING + 3));
    pings(&r, 2 * PING + 3, "3 1256");
    sends(&r, 1000 + 2 * PEER_PING_ANSWERS, 2 * PING + 4);
    assert_false(peer_ping_pays(&r));
    ponged(&r, "3 1256", 2 * PING + 5);
    assert_true(peer_ping_pays(&r));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_misses_change_nothing),
        cmocka_unit_test(a_ping_follows_within_a_quarter_second),
        cmocka_unit_test(a_hurry_does_not_wait),
        cmocka_unit_test(many_answers_are_worth_a_ping),
        cmocka_unit_test(unanswered_pings_are_repeated),
        cmocka_unit_test(the_largest_numbers_fit),
        cmocka_unit_test(pongs_of_strangers_change_nothing),
        cmocka_unit_test(tcp_stands_in_for_pongs),
        cmocka_unit_test(tcp_is_not_trusted_too_easily),
        cmocka_unit_test(one_that_ponged_and_stops_is_stalled),
        cmocka_unit_test(old_pongs_are_no_progress),
        cmocka_unit_test(who_reads_slowly_does_not_stall),
        cmocka_unit_test(with_tcp_it_stalls_by_tcp),
        cmocka_unit_test(with_tcp_unanswered_pings_do_not_count),
        cmocka_unit_test(a_new_connection),
    };
    return cmocka_run_group_tests_name("receipts", tests, NULL, NULL);
}
