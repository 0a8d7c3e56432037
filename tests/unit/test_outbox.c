/* The outbox: what is to be sent, what was, and what a break does to both. */
#include <stdio.h>

#include "tests/unit/unit.h"
#include "wsclient/outbox.h"
#include "wsclient/response.h"

struct desk {
    struct ledger *ledger;
    struct outbox outbox;
    struct message *messages[16]; /* by sequence */
};

/* Takes messages with the sequences from 1 to `count`. */
static void desk_open(struct desk *desk, int count) {
    desk->ledger = ledger_open(NULL, 1 << 16);
    outbox_init(&desk->outbox);
    for (int i = 1; i <= count; i++) {
        desk->messages[i] =
            ledger_take(desk->ledger, span_of("x"), (monotime){i});
        ledger_answered(desk->messages[i], 0);
    }
}

static void desk_close(struct desk *desk) {
    ledger_close(&desk->ledger);
}

static void add(struct desk *desk, int sequence) {
    outbox_add(&desk->outbox, desk->messages[sequence]);
}

/* Sends the next one, which has to be this; gives its position. */
static uint64_t expect_sent(struct desk *desk, uint64_t sequence) {
    struct message *message = outbox_next(&desk->outbox);
    assert_non_null(message);
    assert_int_equal(message->sequence, sequence);
    outbox_sent(&desk->outbox);
    return message->position;
}

/* What is confirmed up to `position`, as "1 2 ". */
static void expect_confirmed(struct desk *desk, uint64_t position,
                             const char *wanted) {
    char text[64] = "";
    struct message *message;
    while ((message = outbox_take_confirmed(&desk->outbox, position)) != NULL)
        sprintf(text + strlen(text), "%d ", (int)message->sequence);
    assert_string_equal(text, wanted);
}

static void what_is_added_goes_in_its_order(void **state) {
    (void)state;
    struct desk desk;
    desk_open(&desk, 4);
    assert_null(outbox_next(&desk.outbox));
    add(&desk, 3);
    add(&desk, 1);
    assert_int_equal(expect_sent(&desk, 3), 1);
    add(&desk, 4);
    assert_int_equal(expect_sent(&desk, 1), 2);
    assert_int_equal(expect_sent(&desk, 4), 3);
    assert_null(outbox_next(&desk.outbox));
    desk_close(&desk);
}

static void a_part_is_confirmed(void **state) {
    (void)state;
    struct desk desk;
    desk_open(&desk, 5);
    expect_confirmed(&desk, 100, "");
    for (int i = 5; i >= 1; i--)
        add(&desk, i);
    for (int i = 5; i >= 2; i--)
        expect_sent(&desk, (uint64_t)i);
    expect_confirmed(&desk, 0, "");
    expect_confirmed(&desk, 2, "5 4 ");
    expect_confirmed(&desk, 2, "");
    expect_confirmed(&desk, 1, "");
    /* What was not sent is not confirmed, whatever is claimed. */
    expect_confirmed(&desk, 100, "3 2 ");
    assert_int_equal(expect_sent(&desk, 1), 5);
    expect_confirmed(&desk, 5, "1 ");
    desk_close(&desk);
}

static void one_that_is_dropped_takes_no_position(void **state) {
    (void)state;
    struct desk desk;
    desk_open(&desk, 3);
    for (int i = 1; i <= 3; i++)
        add(&desk, i);
    assert_int_equal(expect_sent(&desk, 1), 1);
    outbox_drop_next(&desk.outbox);
    assert_int_equal(expect_sent(&desk, 3), 2);
    expect_confirmed(&desk, 2, "1 3 ");
    desk_close(&desk);
}

/* The oldest message first, whether it was sent before or not. */
static void a_break_brings_back_what_was_sent(void **state) {
    (void)state;
    struct desk desk;
    desk_open(&desk, 9);
    static const int order[] = {2, 7, 1, 5, 4, 8, 3};
    for (size_t i = 0; i < COUNT_OF(order); i++)
        add(&desk, order[i]);
    for (size_t i = 0; i < 5; i++)
        expect_sent(&desk, (uint64_t)order[i]);
    expect_confirmed(&desk, 2, "2 7 ");
    outbox_return_sent(&desk.outbox);
    expect_confirmed(&desk, 100, "");
    /* What is answered from now on goes behind all of these. */
    add(&desk, 6);
    static const uint64_t wanted[] = {1, 3, 4, 5, 8, 6};
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        assert_int_equal(expect_sent(&desk, wanted[i]), i + 1);
    assert_null(outbox_next(&desk.outbox));
    /* Once more; and a break at which nothing was sent. */
    expect_confirmed(&desk, 1, "1 ");
    outbox_return_sent(&desk.outbox);
    outbox_return_sent(&desk.outbox);
    for (uint64_t i = 3; i <= 6; i++)
        assert_int_equal(expect_sent(&desk, i), i - 2);
    assert_int_equal(expect_sent(&desk, 8), 5);
    expect_confirmed(&desk, 5, "3 4 5 6 8 ");
    outbox_return_sent(&desk.outbox);
    assert_null(outbox_next(&desk.outbox));
    desk_close(&desk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_goes_in_its_order),
        cmocka_unit_test(a_part_is_confirmed),
        cmocka_unit_test(one_that_is_dropped_takes_no_position),
        cmocka_unit_test(a_break_brings_back_what_was_sent),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
