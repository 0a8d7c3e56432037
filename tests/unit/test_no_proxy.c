/* Which hosts a list of NO_PROXY has, as curl 7.88 reads it. */
#include "common/settings/no_proxy.h"

#include "tests/unit/unit.h"

static const struct no_proxy_case {
    const char *list, *host;
    bool has;
} cases[] = {
    {"", "one.example", false},
    {" , ,", "one.example", false},
    {"one.example", "one.example", true},
    {"One.EXAMPLE", "oNE.example", true},
    {"one.example", "a.one.example", true},
    {".one.example", "a.one.example", true},
    {".one.example", "one.example", true},
    {"one.example", "aone.example", false},
    {"one.example", "one.example.org", false},
    {"a.one.example", "one.example", false},
    {"one.example.", "one.example", true},
    {"one.example", "one.example.", true},
    {"two.example,one.example", "one.example", true},
    {"two.example one.example", "one.example", true},
    {"two.example, one.example", "one.example", true},
    {"localhost", "localhost", true},
    {"localhost", "127.0.0.1", false},
    {"*", "one.example", true},
    {"*", "::1", true},
    {"*,two.example", "one.example", false}, /* it is alone or nothing */
    {"*.one.example", "a.one.example", false},
    {".", "one.example", false},
    {"127.0.0.1", "127.0.0.1", true},
    {"127.0.0.1", "127.0.0.10", false},
    {"0.0.1", "127.0.0.1", false},
    {"10.0.0.0/8", "10.1.2.3", true},
    {"10.0.0.0/8", "11.1.2.3", false},
    {"192.168.4.0/22", "192.168.7.255", true},
    {"192.168.4.0/22", "192.168.8.0", false},
    {"10.0.0.1/32", "10.0.0.1", true},
    {"10.0.0.1/32", "10.0.0.2", false},
    {"0.0.0.0/0", "10.0.0.2", true},
    {"10.0.0.0/33", "10.0.0.1", false},
    {"10.0.0.0/", "10.0.0.0", false},
    {"10.0.0.0/8x", "10.0.0.0", false},
    {"10.0.0.0/8", "10.example", false},
    {"::1", "::1", true},
    {"[::1]", "::1", true},
    {"::1", "0:0:0:0:0:0:0:1", true},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {"::/0", "10.0.0.1", false},
    {"example", "one.example", true},
};

static void all_cases(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (no_proxy_has(cases[i].list, span_of(cases[i].host)) != cases[i].has)
            fail_msg("`%s` %s %s", cases[i].list,
                     cases[i].has ? "lacks" : "has", cases[i].host);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
