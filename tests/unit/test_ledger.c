/* The ledger: bounded room, in which every message has its answer's room. */
#include "tests/unit/ledger_growth.h"
#include "tests/unit/ledger_kills.h"

static struct message *take(struct ledger *ledger, const char *text, size_t len,
                            int64_t usec) {
    return ledger_take(ledger, exact_copy(text, len), (monotime){usec});
}

static void keeps_a_copy_and_its_moment(void **state) {
    (void)state;
    struct ledger *ledger = ledger_open(NULL, 4096);
    struct message *first = take(ledger, "[1]", 3, 77);
    struct message *second = take(ledger, "", 0, 78);
    assert_non_null(first);
    assert_non_null(second);
    assert_true(span_equals(first->request, "[1]"));
    assert_int_equal(first->arrived.usec, 77);
    assert_int_equal(first->answer.len, 0);
    assert_int_equal(first->sequence, 1);
    assert_int_equal(second->request.len, 0);
    assert_int_equal(second->sequence, 2);
    assert_int_equal(ledger_count(ledger), 2);
    ledger_release(ledger, first);
    assert_int_equal(ledger_count(ledger), 1);
    /* Numbers are not used twice. */
    assert_int_equal(take(ledger, "x", 1, 79)->sequence, 3);
    ledger_close(&ledger);
    assert_null(ledger);
}

/* The whole room can be written to, and leaves the request as it is. */
static void has_room_for_the_longest_answer(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 1, 3, 1000, 65536};
    static char text[65536];
    memset(text, 'r', sizeof text);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        size_t len = lengths[i], room = len + RESPONSE_GROWTH_BYTES;
        struct ledger *ledger = ledger_open(NULL, 1 << 20);
        struct message *message = take(ledger, text, len, 0);
        memset(ledger_answer_room(message), 'a', room);
        ledger_answered(message, room);
        assert_int_equal(message->answer.len, room);
        assert_int_equal(message->request.len, len);
        assert_memory_equal(message->request.data, text, len);
        for (size_t k = 0; k < room; k++)
            assert_int_equal(message->answer.data[k], 'a');
        ledger_close(&ledger);
    }
}

/* How many requests of `len` bytes are taken before it is full. */
static size_t fill(struct ledger *ledger, size_t len, struct message *taken[],
                   size_t size) {
    static const char text[1024] = "";
    for (size_t i = 0; i < size; i++) {
        taken[i] = take(ledger, text, len, 0);
        if (taken[i] == NULL)
            return i;
    }
    fail_msg("never full");
    return size;
}

static void is_bounded(void **state) {
    (void)state;
    struct message *taken[64];
    struct ledger *ledger = ledger_open(NULL, 8192);
    /* A request and an answer of 100 and 356 bytes at least. */
    size_t count = fill(ledger, 100, taken, COUNT_OF(taken));
    assert_in_range(count, 8, 8192 / 456);
    assert_int_equal(ledger_count(ledger), count);
    /* Full for its like, and for longer ones. */
    assert_null(take(ledger, (char[101]){""}, 101, 0));
    assert_int_equal(ledger_count(ledger), count);
    /* What is released makes room for one that is as long, and no more. */
    for (size_t i = 0; i < count; i++) {
        ledger_release(ledger, taken[i]);
        taken[i] = take(ledger, (char[100]){""}, 100, 0);
        assert_non_null(taken[i]);
        assert_null(take(ledger, (char[100]){""}, 100, 0));
    }
    for (size_t i = 0; i < count; i++)
        ledger_release(ledger, taken[i]);
    assert_int_equal(ledger_count(ledger), 0);
    assert_int_equal(fill(ledger, 100, taken, COUNT_OF(taken)), count);
    ledger_close(&ledger);
}

static void takes_nothing_without_room(void **state) {
    (void)state;
    static const size_t rooms[] = {1, 256, 300};
    for (size_t i = 0; i < COUNT_OF(rooms); i++) {
        struct ledger *ledger = ledger_open(NULL, rooms[i]);
        assert_null(take(ledger, "{\"type\":\"message\",\"id\":123}", 27, 0));
        assert_int_equal(ledger_count(ledger), 0);
        ledger_close(&ledger);
    }
}

#define WITH_FILE(test)                                                        \
    cmocka_unit_test_setup_teardown(test, room_open, room_close)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_copy_and_its_moment),
        cmocka_unit_test(has_room_for_the_longest_answer),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(takes_nothing_without_room),
        WITH_FILE(what_is_in_hand_is_found),
        WITH_FILE(it_is_found_in_order_of_arrival),
        WITH_FILE(all_bytes_are_found),
        WITH_FILE(a_nul_ends_what_is_to_be_read),
        WITH_FILE(nothing_in_hand_leaves_no_file),
        WITH_FILE(deaths_are_counted_for_who_was_worked_on),
        WITH_FILE(deaths_of_one_that_is_gone),
        WITH_FILE(a_larger_setting_makes_room),
        WITH_FILE(a_smaller_setting_loses_nothing),
        WITH_FILE(growing_that_was_cut_short),
        WITH_FILE(messages_need_no_system_call),
        WITH_FILE(what_is_strange_is_set_aside),
        WITH_FILE(nothing_is_read_behind_the_end),
        WITH_FILE(what_was_set_aside_before_is_replaced),
        WITH_FILE(a_file_that_was_not_begun_is_begun_anew),
        WITH_FILE(what_is_no_file_of_ours_is_left_alone),
        WITH_FILE(without_locks_memory_serves),
        WITH_FILE(without_a_folder_memory_serves),
        WITH_FILE(what_can_not_be_set_aside_stays),
        WITH_FILE(without_room_on_the_disk_memory_serves),
        WITH_FILE(a_damaged_file_does_no_harm),
        WITH_FILE(a_second_one_waits),
        WITH_FILE(a_second_one_gives_up),
        WITH_FILE(nothing_is_lost_by_kills),
        WITH_FILE(nothing_is_lost_behind_any_instruction),
        WITH_FILE(a_death_is_counted_once),
        WITH_FILE(it_grows_with_use),
        WITH_FILE(it_grows_by_as_much_as_one_needs),
        WITH_FILE(what_a_burst_needed_is_given_back),
        WITH_FILE(a_full_disk_is_met_early),
        WITH_FILE(a_small_rest_of_the_disk_is_used),
        WITH_FILE(without_room_on_the_disk_nothing_grows),
        WITH_FILE(one_that_is_made_anew_grows),
        WITH_FILE(no_kill_harms_what_grows),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
