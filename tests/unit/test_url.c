/* Addresses: their parts, and the label that may be shown. */
#include <stdio.h>

#include "common/settings/url.h"
#include "tests/unit/unit.h"

static const struct good_case {
    const char *text, *scheme, *user_info, *host;
    uint16_t port;
    const char *path, *query;
    uint16_t default_port;
    const char *label;
} good_cases[] = {
    {"ws://localhost", "ws", "", "localhost", 0, "", "", 80, "localhost:80/"},
    {"wss://localhost/", "wss", "", "localhost", 0, "/", "", 443,
     "localhost:443/"},
    {"http://h:8080/a/b", "http", "", "h", 8080, "/a/b", "", 80, "h:8080/a/b"},
    {"https://h?x=1", "https", "", "h", 0, "", "x=1", 443, "h:443/"},
    {"redis://h", "redis", "", "h", 0, "", "", 0, "h:0/"},
    {"ws://h:1", "ws", "", "h", 1, "", "", 80, "h:1/"},
    {"ws://h:65535/", "ws", "", "h", 65535, "/", "", 80, "h:65535/"},
    {"ws://h:00080/", "ws", "", "h", 80, "/", "", 80, "h:80/"},
    {"ws://user:pass@h:81/p?k=v&w=%20", "ws", "user:pass", "h", 81, "/p",
     "k=v&w=%20", 80, "h:81/p"},
    {"redis://:pass@h/1", "redis", ":pass", "h", 0, "/1", "", 0, "h:0/1"},
    {"ws://user@h/", "ws", "user", "h", 0, "/", "", 80, "h:80/"},
    {"ws://u%40x:p@h/", "ws", "u%40x:p", "h", 0, "/", "", 80, "h:80/"},
    {"wss://[::1]:8443/x", "wss", "", "::1", 8443, "/x", "", 443,
     "[::1]:8443/x"},
    {"wss://[2001:db8::1]", "wss", "", "2001:db8::1", 0, "", "", 443,
     "[2001:db8::1]:443/"},
    {"ws://u:p@[::1]/", "ws", "u:p", "::1", 0, "/", "", 80, "[::1]:80/"},
    {"ws://127.0.0.1:9/a@b?c@d", "ws", "", "127.0.0.1", 9, "/a@b", "c@d", 80,
     "127.0.0.1:9/a@b"},
    {"ws://h/?a=/b?c", "ws", "", "h", 0, "/", "a=/b?c", 80, "h:80/"},
    {"ws://h/:1", "ws", "", "h", 0, "/:1", "", 80, "h:80/:1"},
    {"ws://h?", "ws", "", "h", 0, "", "", 80, "h:80/"},
    {"ws://Az09.aZ9/Az09Z?zA9", "ws", "", "Az09.aZ9", 0, "/Az09Z", "zA9", 80,
     "Az09.aZ9:80/Az09Z"},
    {"ws://a-b.c_d.example./", "ws", "", "a-b.c_d.example.", 0, "/", "", 80,
     "a-b.c_d.example.:80/"},
    {"ws://h/-._~!$&'()*+,;=:%41", "ws", "", "h", 0, "/-._~!$&'()*+,;=:%41", "",
     80, "h:80/-._~!$&'()*+,;=:%41"},
};

static const char *const bad_texts[] = {
    "",
    "ws",
    "ws:",
    "ws:/",
    "ws://",
    "ws:///",
    "ws:///path",
    "ws://?q",
    "://h",
    "//h",
    "h:80",
    "h/path",
    "ws:h",
    "ws:/h",
    "ws:/xh/",
    "ws:x/h/",
    "ws//h",
    "w s://h",
    "w_s://h",
    " ws://h",
    "ws://h ",
    "ws://h:",
    "ws://h:/",
    "ws://h:0",
    "ws://h:65536",
    "ws://h:99999",
    "ws://h:000080",
    "ws://h:-1",
    "ws://h:+1",
    "ws://h:8x",
    "ws://h: 8",
    "ws://h:80:80",
    "ws://:80",
    "ws://u@",
    "ws://u@:80",
    "ws://h/#f",
    "ws://h#f",
    "ws://h/?q#f",
    "ws://h/a b",
    "ws://h/a\tb",
    "ws://h/a\nb",
    "ws://h/\"",
    "ws://h/<x>",
    "ws://h/a\\b",
    "ws://h/?a b",
    "ws://h/?\"",
    "ws://h/{}",
    "ws://h/[x]",
    "ws://h\x7f/",
    "ws://h\xc3\xa9/",
    "ws://h/\xc3\xa9",
    "ws://a b/",
    "ws://a%20b/",
    "ws://a,b/",
    "ws://u:p@w@h/",
    "ws://u p@h/",
    "ws://u<p@h/",
    "ws://::1/",
    "ws://[::1",
    "ws://[::1]x",
    "ws://[::1]80",
    "ws://[::1]:",
    "ws://[]:80",
    "ws://[localhost]",
    "ws://[::1%eth0]/",
};

static void check(const char *text, const char *what, struct span found,
                  const char *wanted) {
    if (!span_equals(found, wanted))
        fail_msg("%s: the %s is `%.*s`, not `%s`", text, what, (int)found.len,
                 found.len > 0 ? found.data : "", wanted);
}

static void parts(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good_cases); i++) {
        const struct good_case *c = &good_cases[i];
        struct url url;
        if (!url_parse(exact_copy(c->text, strlen(c->text)), &url))
            fail_msg("%s: refused", c->text);
        check(c->text, "scheme", url.scheme, c->scheme);
        check(c->text, "user-info", url.user_info, c->user_info);
        check(c->text, "host", url.host, c->host);
        check(c->text, "path", url.path, c->path);
        check(c->text, "query", url.query, c->query);
        if (url.port != c->port || url_default_port(&url) != c->default_port)
            fail_msg("%s: port %d, else %d", c->text, url.port,
                     url_default_port(&url));
        char *label = url_label(&url, c->default_port);
        if (strcmp(label, c->label) != 0)
            fail_msg("%s: the label is %s, not %s", c->text, label, c->label);
        free(label);
    }
}

static void bad_addresses(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad_texts); i++) {
        struct url url;
        if (url_parse(exact_copy(bad_texts[i], strlen(bad_texts[i])), &url))
            fail_msg("taken: `%s`", bad_texts[i]);
    }
    struct url url;
    assert_false(url_parse(exact_copy("ws://h\0/", 8), &url));
    assert_false(url_parse(exact_copy("ws://h/\0", 8), &url));
    assert_false(url_parse(exact_copy("ws://h?\0", 8), &url));
}

static void the_longest_address(void **state) {
    (void)state;
    char text[URL_MAX_BYTES + 1] = "ws://h/";
    struct url url;
    memset(text + 7, 'a', sizeof text - 7);
    assert_true(url_parse(exact_copy(text, URL_MAX_BYTES), &url));
    assert_int_equal(url.path.len, URL_MAX_BYTES - 6);
    assert_false(url_parse(exact_copy(text, URL_MAX_BYTES + 1), &url));
}

/* Addresses in groups: those of a group have this identity. */
static const struct identity_case {
    const char *text, *identity;
} identity_cases[] = {
    {"ws://h/", "@ws://h:80/?"},
    {"ws://h", "@ws://h:80/?"},
    {"ws://h:80", "@ws://h:80/?"},
    {"ws://h:080/?", "@ws://h:80/?"},
    {"ws://H/", "@ws://h:80/?"},
    {"ws://:secret@h/", "@ws://h:80/?"},
    {"wss://h/", "@wss://h:443/?"},
    {"wss://h:443", "@wss://h:443/?"},
    {"wss://h:80/", "@wss://h:80/?"},
    {"ws://u:one@h/", "u@ws://h:80/?"},
    {"ws://u:two@h:80/", "u@ws://h:80/?"},
    {"ws://u@h/", "u@ws://h:80/?"},
    {"ws://U@h/", "U@ws://h:80/?"},
    {"ws://h/a?K=v", "@ws://h:80/a?K=v"},
    {"ws://h/A?K=v", "@ws://h:80/A?K=v"},
    {"ws://h/?K", "@ws://h:80/?K"},
    {"wss://[2001:DB8::1]", "@wss://[2001:db8::1]:443/?"},
};

static void identities(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(identity_cases); i++) {
        struct url url;
        const char *text = identity_cases[i].text;
        assert_true(url_parse(exact_copy(text, strlen(text)), &url));
        char *identity = url_identity(&url);
        assert_string_equal(identity, identity_cases[i].identity);
        free(identity);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(bad_addresses),
        cmocka_unit_test(the_longest_address),
        cmocka_unit_test(identities),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
