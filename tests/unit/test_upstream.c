/* The parts of an upstream's address that a connection needs. */
#include "wsclient/upstream.h"

#include "tests/unit/unit.h"

static const struct address_case {
    const char *address, *authorization;
    bool tls;
    uint16_t port;
    const char *url, *label, *host, *host_header, *path;
    const char *header; /* of the authorization; NULL: none */
} cases[] = {
    {"ws://one", NULL, false, 80, "ws://one:80/", "one:80/", "one", "one", "/",
     NULL},
    {"wss://one/", NULL, true, 443, "wss://one:443/", "one:443/", "one", "one",
     "/", NULL},
    {"ws://one:81/a/b", NULL, false, 81, "ws://one:81/a/b", "one:81/a/b", "one",
     "one:81", "/a/b", NULL},
    /* A port that is given is kept, also the usual one. */
    {"wss://one.example:443/", NULL, true, 443, "wss://one.example:443/",
     "one.example:443/", "one.example", "one.example:443", "/", NULL},
    /* A query is sent, and is not shown. */
    {"wss://one/a?token=hunter2", NULL, true, 443, "wss://one:443/a",
     "one:443/a", "one", "one", "/a?token=hunter2", NULL},
    {"ws://one?token=hunter2", NULL, false, 80, "ws://one:80/", "one:80/",
     "one", "one", "/?token=hunter2", NULL},
    {"ws://one/a?b=/c@d:e?f", NULL, false, 80, "ws://one:80/a", "one:80/a",
     "one", "one", "/a?b=/c@d:e?f", NULL},
    {"ws://one/a?", NULL, false, 80, "ws://one:80/a", "one:80/a", "one", "one",
     "/a", NULL},
    {"ws://127.0.0.1:9/x", NULL, false, 9, "ws://127.0.0.1:9/x",
     "127.0.0.1:9/x", "127.0.0.1", "127.0.0.1:9", "/x", NULL},
    {"ws://[::1]:9/x", NULL, false, 9, "ws://[::1]:9/x", "[::1]:9/x", "::1",
     "[::1]:9", "/x", NULL},
    {"wss://[2001:db8::2]", NULL, true, 443, "wss://[2001:db8::2]:443/",
     "[2001:db8::2]:443/", "2001:db8::2", "[2001:db8::2]", "/", NULL},
    /* User-info, as RFC 7617 has it: the first is its own example. */
    {"ws://Aladdin:open%20sesame@one/", NULL, false, 80, "ws://one:80/",
     "one:80/", "one", "one", "/", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
    {"wss://user:hunter2@one:8443/a?b", NULL, true, 8443, "wss://one:8443/a",
     "one:8443/a", "one", "one:8443", "/a?b", "Basic dXNlcjpodW50ZXIy"},
    {"ws://user@one", NULL, false, 80, "ws://one:80/", "one:80/", "one", "one",
     "/", "Basic dXNlcg=="},
    {"ws://u:p@[::1]:9/x", NULL, false, 9, "ws://[::1]:9/x", "[::1]:9/x", "::1",
     "[::1]:9", "/x", "Basic dTpw"},
    {"ws://a%40b:c%3Ad%2fe@one/", NULL, false, 80, "ws://one:80/", "one:80/",
     "one", "one", "/", "Basic YUBiOmM6ZC9l"},
    {"ws://u:%C3%A9@one/", NULL, false, 80, "ws://one:80/", "one:80/", "one",
     "one", "/", "Basic dTrDqQ=="},
    {"ws://u:100%25@one/", NULL, false, 80, "ws://one:80/", "one:80/", "one",
     "one", "/", "Basic dToxMDAl"},
    /* WS_AUTHORIZATION goes before user-info. */
    {"ws://one/", "Bearer t0ken", false, 80, "ws://one:80/", "one:80/", "one",
     "one", "/", "Bearer t0ken"},
    {"ws://user:hunter2@one/", "Bearer t0ken", false, 80, "ws://one:80/",
     "one:80/", "one", "one", "/", "Bearer t0ken"},
};

static void expect(const struct address_case *c, const char *what,
                   const char *found, const char *wanted) {
    if (strcmp(found != NULL ? found : "-", wanted != NULL ? wanted : "-") != 0)
        fail_msg("%s: the %s is `%s`, not `%s`", c->address, what, found,
                 wanted);
}

static void check(const struct address_case *c) {
    struct upstream upstream;
    upstream_init(&upstream, c->address, c->authorization);
    expect(c, "URL", upstream.url, c->url);
    expect(c, "label", upstream.label, c->label);
    expect(c, "host", upstream.host, c->host);
    expect(c, "Host header", upstream.host_header, c->host_header);
    expect(c, "path", upstream.path, c->path);
    expect(c, "authorization", upstream.authorization, c->header);
    assert_int_equal(upstream.port, c->port);
    assert_int_equal(upstream.tls, c->tls);
    upstream_clear(&upstream);
}

static void addresses(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check(&cases[i]);
}

/* Empty user-info is none, and is no part of the host. */
static void empty_user_info(void **state) {
    (void)state;
    static const struct address_case c = {
        "ws://@one:81/a", NULL,  false,    81,   "ws://one:81/a",
        "one:81/a",       "one", "one:81", "/a", NULL};
    check(&c);
}

static void an_introduction(void **state) {
    (void)state;
    struct upstream upstream;
    upstream_init(&upstream, "ws://one/", NULL);
    assert_null(upstream.protocols);
    assert_null(upstream.origin);
    upstream_introduce(&upstream, "  chat  v2.chat ", "null");
    assert_string_equal(upstream.protocols, "chat, v2.chat");
    assert_string_equal(upstream.origin, "null");
    upstream_clear(&upstream);
    upstream_init(&upstream, "ws://one/", NULL);
    upstream_introduce(&upstream, "one", NULL);
    assert_string_equal(upstream.protocols, "one");
    assert_null(upstream.origin);
    upstream_clear(&upstream);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(empty_user_info),
        cmocka_unit_test(an_introduction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
