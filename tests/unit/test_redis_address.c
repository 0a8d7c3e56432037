/* REDIS_URL taken apart. */
#include "ratefetcher/redis/redis_format.h"
#include "tests/unit/unit.h"

static const struct address_case {
    const char *url;
    const char *label, *path, *host;
    uint16_t port;
    const char *user, *password, *database;
} cases[] = {
    {"redis://host", "host:6379", NULL, "host", 6379, NULL, NULL, NULL},
    {"redis://host/", "host:6379", NULL, "host", 6379, NULL, NULL, NULL},
    {"redis://10.0.0.1:7000/3", "10.0.0.1:7000", NULL, "10.0.0.1", 7000, NULL,
     NULL, "3"},
    {"redis://[::1]:7000", "[::1]:7000", NULL, "::1", 7000, NULL, NULL, NULL},
    {"redis://user:password@host", "host:6379", NULL, "host", 6379, "user",
     "password", NULL},
    {"redis://:password@host", "host:6379", NULL, "host", 6379, NULL,
     "password", NULL},
    {"redis://password@host", "host:6379", NULL, "host", 6379, NULL, "password",
     NULL},
    {"redis://a%40b:p%3Aq%2F%25@host:1/0", "host:1", NULL, "host", 1, "a@b",
     "p:q/%", "0"},
    {"redis://user:pass:word@host", "host:6379", NULL, "host", 6379, "user",
     "pass:word", NULL},
    {"unix:///run/redis.sock", "/run/redis.sock", "/run/redis.sock", NULL, 0,
     NULL, NULL, NULL},
    {"unix:///run/my%20redis.sock?db=15", "/run/my redis.sock",
     "/run/my redis.sock", NULL, 0, NULL, NULL, "15"},
};

static void assert_same(const char *url, const char *is, const char *wanted) {
    if ((is == NULL) != (wanted == NULL) ||
        (is != NULL && strcmp(is, wanted) != 0))
        fail_msg("%s: %s, not %s", url, is, wanted);
}

static void takes_addresses_apart(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct address_case *c = &cases[i];
        struct redis_address address;
        redis_address_read(c->url, &address);
        assert_same(c->url, address.path, c->path);
        assert_same(c->url, address.host, c->host);
        assert_same(c->url, address.user, c->user);
        assert_same(c->url, address.password, c->password);
        assert_same(c->url, address.database, c->database);
        assert_same(c->url, address.label, c->label);
        assert_int_equal(address.port, c->port);
        redis_address_clear(&address);
        assert_null(address.label);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_addresses_apart)};
    return cmocka_run_group_tests_name("redis_address", tests, NULL, NULL);
}
