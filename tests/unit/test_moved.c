/* Addresses that are known not to serve any more. */
#include "common/settings/moved.h"
#include "tests/unit/unit.h"

#define NOW "https://api.frankfurter.dev/v1"

static const struct moved_case {
    enum setting which;
    const char *address, *now;
} moved_cases[] = {
    {SETTING_FRANKFURTER_URL, NOW, NULL},
    {SETTING_FRANKFURTER_URL, NOW "/", NULL},
    {SETTING_FRANKFURTER_URL, "https://api.frankfurter.app", NOW},
    {SETTING_FRANKFURTER_URL, "https://api.frankfurter.app/", NOW},
    {SETTING_FRANKFURTER_URL, "http://API.Frankfurter.App:80/x", NOW},
    {SETTING_FRANKFURTER_URL, "https://www.frankfurter.app", NOW},
    {SETTING_FRANKFURTER_URL, "https://frankfurter.app", NOW},
    {SETTING_FRANKFURTER_URL, "https://api.frankfurter.dev", NOW},
    {SETTING_FRANKFURTER_URL, "https://api.frankfurter.dev/", NOW},
    {SETTING_FRANKFURTER_URL, "https://frankfurter.example/", NULL},
    {SETTING_FRANKFURTER_URL, "http://127.0.0.1:8080", NULL},
    {SETTING_ECB_URL, "https://api.frankfurter.app", NULL},
};

static void moved_addresses(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(moved_cases); i++) {
        const struct moved_case *c = &moved_cases[i];
        const char *now = settings_moved(c->which, c->address);
        if ((now == NULL) != (c->now == NULL) ||
            (now != NULL && strcmp(now, c->now) != 0))
            fail_msg("row %zu: %s", i, now != NULL ? now : "none");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(moved_addresses)};
    return cmocka_run_group_tests_name("moved", tests, NULL, NULL);
}
