/* Commands to Redis: whose reply is whose, and who waits no longer. */
#include "ratefetcher/redis/redis_commands.h"

#include "common/loop.h"
#include "tests/unit/unit.h"

static struct event_base *base;
static struct redis_commands commands;
static size_t held_up;
static char told[16]; /* who was told, in this order: a reply, or - for none */

static void on_held_up(void *arg) {
    (void)arg;
    held_up++;
    redis_commands_drop(&commands);
}

static void on_reply(void *arg, const redisReply *reply) {
    size_t len = strlen(told);
    told[len] = *(const char *)arg;
    told[len + 1] = reply != NULL ? reply->str[0] : '-';
}

static int begin(void **state) {
    (void)state;
    base = loop_new();
    redis_commands_init(&commands, base, on_held_up, NULL);
    held_up = 0;
    memset(told, 0, sizeof told);
    return 0;
}

static int end(void **state) {
    (void)state;
    redis_commands_clear(&commands);
    loop_free(&base);
    return 0;
}

static void add(const char *name, enum redis_limit limit) {
    redis_commands_add(&commands, limit, on_reply, (void *)(uintptr_t)name);
}

static bool reply(const char *text) {
    const redisReply it = {.str = (char *)(uintptr_t)text};
    return redis_commands_reply(&commands, &it);
}

static void replies_come_in_the_order_of_sending(void **state) {
    (void)state;
    add("a", REDIS_WORK);
    add("b", REDIS_STEP);
    redis_commands_add(&commands, REDIS_STEP, NULL, NULL); /* nobody cares */
    add("c", REDIS_STEP);
    assert_true(reply("1") && reply("2") && reply("3") && reply("4"));
    assert_string_equal(told, "a1b2c4");
    assert_int_equal(commands.count, 0);
    assert_false(reply("5")); /* nobody asked */
    /* Nothing is left to wait for: the loop ends by itself. */
    assert_int_equal(event_base_dispatch(base), 1);
    assert_int_equal(held_up, 0);
}

/* No reply at all: it is told once, and whoever waits goes without. */
static void silence_is_told(void **state) {
    (void)state;
    add("a", REDIS_STEP);
    add("b", REDIS_WORK);
    add("c", REDIS_STEP);
    event_base_dispatch(base);
    assert_int_equal(held_up, 1);
    assert_string_equal(told, "a-b-c-");
    assert_int_equal(commands.count, 0);
}

/* While others are answered, one that had its time waits no longer. */
static void who_is_late_is_read_past(void **state) {
    (void)state;
    monotime begun = clock_monotonic();
    add("a", REDIS_STEP);
    add("b", REDIS_STEP);
    commands.last_reply = monotime_add(begun, SECONDS(60)); /* just now */
    event_base_dispatch(base);
    assert_int_equal(held_up, 0);
    assert_string_equal(told, "a-b-");
    assert_true(monotime_between(begun, clock_monotonic()).usec >=
                REDIS_STEP_LIMIT.usec);
    /* Their replies are theirs all the same, and told to nobody. */
    add("c", REDIS_STEP);
    assert_true(reply("1") && reply("2") && reply("3"));
    assert_string_equal(told, "a-b-c3");
}

/* One that may take longer does so behind one that may not. */
static void each_has_its_own_limit(void **state) {
    (void)state;
    add("a", REDIS_WORK);
    add("b", REDIS_STEP);
    commands.last_reply = monotime_add(clock_monotonic(), SECONDS(60));
    while (told[0] == '\0')
        event_base_loop(base, EVLOOP_ONCE);
    assert_string_equal(told, "b-");
    assert_true(reply("1"));
    assert_string_equal(told, "b-a1");
}

/* Work before the sending makes libevent's timer run out too early. */
static void on_busy(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what, (void)arg;
    monotime until = monotime_add(clock_monotonic(), MILLISECONDS(12));
    while (!monotime_reached(clock_monotonic(), until))
        ;
    add("a", REDIS_STEP);
    commands.last_reply = monotime_add(clock_monotonic(), SECONDS(60));
}

static void a_busy_process_forgets_no_deadline(void **state) {
    (void)state;
    struct event *busy = evtimer_new(base, on_busy, NULL);
    loop_set_timer(busy, (duration){0});
    event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(commands.count, 1);
    event_base_dispatch(base); /* ends when nothing is waited for */
    assert_string_equal(told, "a-");
    event_free(busy);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(replies_come_in_the_order_of_sending),
        TEST(silence_is_told),
        TEST(who_is_late_is_read_past),
        TEST(each_has_its_own_limit),
        TEST(a_busy_process_forgets_no_deadline),
    };
    return cmocka_run_group_tests_name("redis_commands", tests, NULL, NULL);
}
