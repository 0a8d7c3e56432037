/* REDIS_URL taken apart. */
#include "common/settings/redis_url.h"
#include "ratefetcher/redis/redis_address.h"
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
        assert_same(c->url, address.host.name, c->host);
        assert_same(c->url, address.user, c->user);
        assert_same(c->url, address.password, c->password);
        assert_same(c->url, address.database, c->database);
        assert_same(c->url, address.label, c->label);
        assert_int_equal(address.host.port, c->port);
        redis_address_clear(&address);
        assert_null(address.label);
    }
}

static void knows_sentinels(void **state) {
    (void)state;
    struct redis_address a;
    redis_address_read("rediss+sentinel://u:p@a,b:7000,[::1]/my%20one/2", &a);
    assert_true(a.tls);
    assert_null(a.host.name);
    assert_int_equal(a.sentinel_count, 3);
    assert_string_equal(a.sentinels[0].name, "a");
    assert_int_equal(a.sentinels[0].port, 26379);
    assert_int_equal(a.sentinels[1].port, 7000);
    assert_string_equal(a.sentinels[2].name, "::1");
    assert_string_equal(a.master, "my one");
    assert_string_equal(a.database, "2");
    assert_string_equal(a.user, "u");
    assert_string_equal(a.password, "p");
    assert_string_equal(a.label, "a:26379,b:7000,[::1]:26379/my one");
    redis_address_set_host(&a, "c", 1);
    assert_string_equal(a.host.name, "c");
    redis_address_clear(&a);
    redis_address_read("rediss://h", &a);
    assert_true(a.tls);
    assert_int_equal(a.sentinel_count, 0);
    redis_address_clear(&a);
}

static void says_why_not(void **state) {
    static const char *const bad[][2] = {
        {"redis://h/x", "its database must be a number"},
        {"redis://h/123456", "its database must have at most 5 digits"},
        {"redis://h?db=1", "it may have no query"},
        {"http://h", "its scheme is none of these"},
        {"redisx://h", "its scheme is none of these"},
        {"redis://h:0", "its port must be from 1 to 65535"},
        {"redis+sentinel://a,b",
         "behind the Sentinels there must be / and the name that they have for "
         "the master"},
        {"redis+sentinel://a,,b/m",
         "it must have a host (of letters, digits, - and .) behind ://, or "
         "behind the @ that ends user and password"},
        {"redis+sentinel://a,b:x/m", "its port must be from 1 to 65535"},
        {"redis+sentinel://a/m/x", "its database must be a number"},
        {"redis+sentinel://a/m?x", "it may have no query"},
        {"redis+sentinel://p#w@a,b/m",
         "character 19 must be written as %23 (it may have no fragment)"},
        {"redis+sentinel://1,2,3,4,5,6,7,8,9/m",
         "it names more than 8 Sentinels"},
        {"unix://x", "the path of the socket must begin with / behind unix://"},
        {"unix:///x?db=",
         "behind the path there can only be ?db= and a number"},
        {"unix:///x?db=y", "its database must be a number"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct redis_url url;
        char *why = redis_url_complaint(span_of(bad[i][0]));
        assert_same(bad[i][0], why, bad[i][1]);
        assert_false(redis_url_parse(span_of(bad[i][0]), &url));
        free(why);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_addresses_apart),
        cmocka_unit_test(knows_sentinels),
        cmocka_unit_test(says_why_not),
    };
    return cmocka_run_group_tests_name("redis_address", tests, NULL, NULL);
}
