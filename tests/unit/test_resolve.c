/*
 * Name look-ups in a thread: what they give, and that nothing is left of those
 * that nobody waits for. getaddrinfo() is the test's own.
 */
#include "common/resolve.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>

#include "tests/unit/unit.h"

/* A look-up of "slow" goes on only when the test lets it. */
static sem_t slow_begun, slow_goes_on, slow_ended;

int getaddrinfo(const char *host, const char *service,
                const struct addrinfo *hints, struct addrinfo **list) {
    (void)service, (void)hints;
    static struct sockaddr_in first = {.sin_family = AF_INET};
    static struct sockaddr_in6 second = {.sin6_family = AF_INET6,
                                         .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    static struct addrinfo found[] = {
        {.ai_addr = (struct sockaddr *)&first, .ai_next = &found[1]},
        {.ai_addr = (struct sockaddr *)&second},
    };
    if (strcmp(host, "nowhere") == 0)
        return EAI_NONAME;
    if (strcmp(host, "slow") == 0) {
        sem_post(&slow_begun);
        sem_wait(&slow_goes_on);
        sem_post(&slow_ended);
    }
    inet_pton(AF_INET, "192.0.2.7", &first.sin_addr);
    *list = found;
    return 0;
}

void freeaddrinfo(struct addrinfo *list) {
    (void)list;
}

static size_t count_entries(const char *folder) {
    DIR *dir = opendir(folder);
    size_t count = 0;
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/* The last steps of a thread can not be awaited but by looking. */
static void wait_threads_gone(void) {
    enum { ALONE = 3 }; /* with the two dots */
    while (count_entries("/proc/self/task") > ALONE)
        poll(NULL, 0, 1);
}

static void wait_done(const struct resolve *resolve) {
    struct pollfd fd = {.fd = resolve_fd(resolve), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 10000), 1);
}

static void gives_the_addresses_in_their_order(void **state) {
    (void)state;
    struct addresses found;
    struct resolve *resolve = resolve_start("somewhere");
    wait_done(resolve);
    assert_null(resolve_take(&resolve, &found));
    assert_null(resolve);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.text[0], "192.0.2.7");
    assert_string_equal(found.text[1], "::1");
}

static void gives_the_reason(void **state) {
    (void)state;
    struct addresses found;
    struct resolve *resolve = resolve_start("nowhere");
    wait_done(resolve);
    const char *why = resolve_take(&resolve, &found);
    assert_non_null(why);
    assert_string_equal(why, gai_strerror(EAI_NONAME));
    assert_int_equal(found.count, 0);
}

static void an_address_needs_no_look_up(void **state) {
    (void)state;
    struct addresses found;
    assert_true(resolve_numeric("192.0.2.1", &found));
    assert_string_equal(found.text[0], "192.0.2.1");
    assert_true(resolve_numeric("2001:db8::1", &found));
    assert_int_equal(found.count, 1);
    assert_false(resolve_numeric("somewhere", &found));
    assert_false(resolve_numeric("", &found));
}

/* Neither a descriptor nor a thread, once the resolver has given up. */
static void nothing_is_left_of_what_is_abandoned(void **state) {
    (void)state;
    enum { MANY = 50 };
    wait_threads_gone(); /* of earlier tests */
    size_t descriptors = count_entries("/proc/self/fd");
    for (int i = 0; i < MANY; i++) {
        struct resolve *resolve = resolve_start("slow");
        assert_non_null(resolve);
        resolve_abandon(&resolve);
        assert_null(resolve);
    }
    for (int i = 0; i < MANY; i++)
        sem_wait(&slow_begun);
    for (int i = 0; i < MANY; i++)
        sem_post(&slow_goes_on);
    for (int i = 0; i < MANY; i++)
        sem_wait(&slow_ended);
    wait_threads_gone();
    assert_int_equal(count_entries("/proc/self/fd"), descriptors);
}

/* It was over already, and nobody had looked. */
static void nor_of_what_is_abandoned_after_its_end(void **state) {
    (void)state;
    wait_threads_gone();
    size_t descriptors = count_entries("/proc/self/fd");
    struct resolve *resolve = resolve_start("somewhere");
    wait_done(resolve);
    resolve_abandon(&resolve);
    wait_threads_gone();
    assert_int_equal(count_entries("/proc/self/fd"), descriptors);
    resolve_abandon(&resolve); /* none: nothing happens */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_addresses_in_their_order),
        cmocka_unit_test(gives_the_reason),
        cmocka_unit_test(an_address_needs_no_look_up),
        cmocka_unit_test(nothing_is_left_of_what_is_abandoned),
        cmocka_unit_test(nor_of_what_is_abandoned_after_its_end),
    };
    sem_init(&slow_begun, 0, 0);
    sem_init(&slow_goes_on, 0, 0);
    sem_init(&slow_ended, 0, 0);
    alarm(60); /* a test that waits for ever fails */
    return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
