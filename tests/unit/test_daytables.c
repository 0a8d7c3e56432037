/* The array by days: entries keep apart, grow, and are let go of. */
#include "common/rates/daytables.h"
#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

struct mark {
    int number;
    char *held;
};

static int cleared;

static void clear_mark(void *entry) {
    struct mark *mark = entry;
    cleared += mark->held != NULL;
    free(mark->held);
}

static void put(struct daytables *tables, const char *date, int number) {
    struct mark *mark = daytables_make(tables, day_of_text(date));
    mark->number = number;
    if (mark->held == NULL)
        mark->held = malloc(8);
}

/* The number that stands there, 0 for none. */
static int number_at(const struct daytables *tables, const char *date) {
    const struct mark *mark = daytables_find(tables, day_of_text(date));
    return mark == NULL ? 0 : mark->number;
}

static void days_are_apart(void **state) {
    (void)state;
    static const char *const dates[] = {"latest",     "1999-01-04",
                                        "1999-01-05", "2021-05-18",
                                        "2021-05-19", "2100-12-31"};
    for (size_t backwards = 0; backwards < 2; backwards++) {
        struct daytables tables = {.entry_size = sizeof(struct mark)};
        for (size_t i = 0; i < COUNT_OF(dates); i++) {
            size_t at = backwards != 0 ? COUNT_OF(dates) - 1 - i : i;
            put(&tables, dates[at], (int)at + 1);
        }
        for (size_t i = 0; i < COUNT_OF(dates); i++)
            assert_int_equal(number_at(&tables, dates[i]), i + 1);
        assert_int_equal(number_at(&tables, "1999-01-06"), 0);
        assert_int_equal(number_at(&tables, "2021-05-17"), 0);
        assert_int_equal(number_at(&tables, "2021-05-20"), 0);
        daytables_clear(&tables, clear_mark);
    }
}

static void an_empty_array_has_no_day(void **state) {
    (void)state;
    struct daytables tables = {.entry_size = sizeof(struct mark)};
    assert_null(daytables_find(&tables, RATES_LATEST));
    assert_null(daytables_find(&tables, DAY_FIRST_RATES));
    daytables_clear(&tables, clear_mark);
}

static void an_entry_is_changed_in_its_place(void **state) {
    (void)state;
    struct daytables tables = {.entry_size = sizeof(struct mark)};
    put(&tables, "2021-05-18", 1);
    put(&tables, "2021-05-18", 2);
    assert_int_equal(number_at(&tables, "2021-05-18"), 2);
    daytables_clear(&tables, clear_mark);
}

static void all_that_is_held_is_let_go_of(void **state) {
    (void)state;
    struct daytables tables = {.entry_size = sizeof(struct mark)};
    put(&tables, "latest", 1);
    put(&tables, "1999-01-04", 2);
    put(&tables, "2026-11-21", 3);
    cleared = 0;
    daytables_clear(&tables, clear_mark);
    assert_int_equal(cleared, 3);
    assert_int_equal(number_at(&tables, "latest"), 0);
    put(&tables, "latest", 4); /* it can be used again */
    daytables_clear(&tables, clear_mark);
    assert_int_equal(cleared, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_apart),
        cmocka_unit_test(an_empty_array_has_no_day),
        cmocka_unit_test(an_entry_is_changed_in_its_place),
        cmocka_unit_test(all_that_is_held_is_let_go_of),
    };
    return cmocka_run_group_tests_name("daytables", tests, NULL, NULL);
}
