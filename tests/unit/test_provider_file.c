/* The provider `file`: a long file is read in slices, others at once. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "ratefetcher/providers/registry.h"
#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

enum { LONG_DAYS = 20000, SLICE_BYTES = 64 * 1024, LONG_AGO = 3600 };

#define DAY "2021-05-18"

static char path[] = "/tmp/fxwire-test-XXXXXX";
static struct event_base *base;
static struct settings *settings;
static struct provider_context context;
static void *file;
static char told[4][128];
static size_t told_count;

/* As if it had been written so long ago. */
static void set_age(time_t age) {
    struct timespec times[2] = {{time(NULL) - age, 0}, {time(NULL) - age, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void put(const char *text, size_t len) {
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, len, out), len);
    fclose(out);
    set_age(LONG_AGO);
}

/* Many days, the last of which is DAY with that rate; how long it is. */
static size_t put_long(const char *rate) {
    static char text[1 << 20];
    char date[DAY_TEXT_SIZE];
    char *at = text + sprintf(text, "Date,USD\n");
    for (int i = LONG_DAYS; i >= 0; i--) {
        day_print(day_add(day_of_text(DAY), i), date);
        at += sprintf(at, "%s,%s\n", date, rate);
    }
    put(text, (size_t)(at - text));
    return (size_t)(at - text);
}

static int begin(void **state) {
    (void)state;
    static char setting[64];
    close(mkstemp(strcpy(path, "/tmp/fxwire-test-XXXXXX")));
    snprintf(setting, sizeof setting, "RATES_FILE=%s", path);
    char *const environment[] = {setting, NULL};
    log_open("test", "error", "text", open("/dev/null", O_WRONLY));
    settings = settings_load(environment, NULL, false, SETTINGS_RATEFETCHER);
    base = event_base_new();
    context = (struct provider_context){.base = base, .settings = settings};
    file = provider_file.open(&provider_file, &context);
    told_count = 0;
    return 0;
}

static int end(void **state) {
    (void)state;
    provider_file.close(file);
    event_base_free(base);
    settings_free(&settings);
    unlink(path);
    return 0;
}

static void on_done(void *arg, const struct provider_answer *answer) {
    assert_ptr_equal(arg, file);
    assert_true((answer->rates != NULL) == (answer->result == PROVIDER_OK));
    snprintf(told[told_count++], sizeof told[0], "%s",
             answer->rates != NULL
                 ? rate_text(rates_find(answer->rates, span_of("USD")))
                 : answer->detail);
}

/* Asks for the day; false: it is to be waited for. */
static bool ask_within(duration timeout) {
    struct provider_answer at_once;
    if (!provider_file.fetch(file, day_of_text(DAY), timeout, &at_once, on_done,
                             file))
        return false;
    on_done(file, &at_once);
    return true;
}

static bool ask(void) {
    return ask_within(SECONDS(60));
}

static void turn(void) {
    event_base_loop(base, EVLOOP_ONCE);
}

static void a_short_file(void **state) {
    (void)state;
    put("Date,USD\n" DAY ",1.5\n", 24);
    assert_true(ask());
    assert_string_equal(told[0], "1.5");
    put("PK\x03\x04", 4);
    assert_true(ask());
    assert_string_equal(told[1], "is a zip archive; unpack it");
    put("", 0);
    assert_true(ask());
    assert_string_equal(told[2], "not in the ECB's CSV form");
    unlink(path);
    assert_true(ask());
    assert_string_equal(told[3], "No such file or directory");
}

/* That it is no table holds for a moment while it may be on its way; of one
 * that was left like that it stays true. */
static void left_like_that(void **state) {
    (void)state;
    struct provider_answer answer;
    put("Date,USD\n" DAY ",1.5", 23);
    set_age(0);
    assert_true(provider_file.fetch(file, day_of_text(DAY), SECONDS(60),
                                    &answer, on_done, file));
    assert_int_equal(answer.result, PROVIDER_BAD_TABLE);
    assert_true(answer.fresh.usec > 0);
    set_age(LONG_AGO);
    assert_true(provider_file.fetch(file, day_of_text(DAY), SECONDS(60),
                                    &answer, on_done, file));
    assert_int_equal(answer.result, PROVIDER_BAD_TABLE);
    assert_int_equal(answer.fresh.usec, 0);
}

/* One slice a turn, and all who ask meanwhile are told at its end. */
static void a_long_file(void **state) {
    (void)state;
    size_t slices = (put_long("1.5") - 1) / SLICE_BYTES + 1;
    assert_true(slices > 4);
    assert_false(ask());
    for (size_t i = 1; i < slices; i++) {
        assert_int_equal(told_count, 0);
        if (i == 2)
            assert_false(ask());
        turn();
    }
    assert_int_equal(told_count, 2);
    assert_string_equal(told[0], "1.5");
    assert_string_equal(told[1], "1.5");
    assert_true(ask()); /* it has not changed */
    assert_string_equal(told[2], "1.5");
}

/* What is partly the old file and partly the new one is not taken. */
static void changed_while_it_is_read(void **state) {
    (void)state;
    put_long("1.5");
    assert_false(ask());
    turn();
    put_long("2.25");
    while (told_count == 0)
        turn();
    assert_string_equal(told[0], "it is being written");
    assert_false(ask());
    while (told_count == 1)
        turn();
    assert_string_equal(told[1], "2.25");
    put_long("3.125");
    assert_false(ask());
    turn();
    put_long("4.0625");
    while (told_count == 2)
        turn();
    assert_string_equal(told[2], "2.25"); /* the old tables serve */
    assert_false(ask());
    while (told_count == 3)
        turn();
    assert_string_equal(told[3], "4.0625");
}

/* Who can wait no longer is told so; the file is read on for the next one. */
static void one_who_waits_no_longer(void **state) {
    (void)state;
    put_long("1.5");
    assert_false(ask_within((duration){0}));
    assert_false(ask());
    turn();
    assert_int_equal(told_count, 1);
    assert_string_equal(told[0], "it takes long to read");
    while (told_count == 1)
        turn();
    assert_string_equal(told[1], "1.5");
}

/* Nobody is told, and nothing is left. */
static void closed_in_the_middle(void **state) {
    (void)state;
    put_long("1.5");
    assert_false(ask());
    turn();
    end(state);
    assert_int_equal(told_count, 0);
    begin(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_short_file, begin, end),
        cmocka_unit_test_setup_teardown(left_like_that, begin, end),
        cmocka_unit_test_setup_teardown(a_long_file, begin, end),
        cmocka_unit_test_setup_teardown(changed_while_it_is_read, begin, end),
        cmocka_unit_test_setup_teardown(one_who_waits_no_longer, begin, end),
        cmocka_unit_test_setup_teardown(closed_in_the_middle, begin, end),
    };
    return cmocka_run_group_tests_name("provider_file", tests, NULL, NULL);
}
