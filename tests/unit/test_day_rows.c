/* Tables of many days, made rate by rate. */
#include "ratefetcher/providers/day_rows.h"

#include <stdio.h>

#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

#define TODAY "2021-05-21"

static struct history *history;
static struct day_rows *rows;

static int begin(void **state) {
    (void)state;
    history = history_new();
    rows = day_rows_new(history, "one", "EUR", 123);
    return 0;
}

static int end(void **state) {
    (void)state;
    day_rows_free(&rows);
    history_free(&history);
    return 0;
}

static size_t column_of(const char *code) {
    size_t column;
    assert_true(day_rows_column(rows, exact_copy(code, 3).data, &column));
    return column;
}

static enum rates_add add(const char *code, const char *rate) {
    size_t column = column_of(code);
    return day_rows_add(rows, column, exact_copy(rate, strlen(rate)));
}

/* Adds a row; `list` is "USD 1.2 JPY 130". */
static void add_row(const char *date, const char *list) {
    char code[8], rate[32];
    int len;
    day_rows_begin(rows, day_of_text(date));
    for (; sscanf(list, "%7s %31s%n", code, rate, &len) == 2; list += len)
        assert_int_equal(add(code, rate), RATES_ADDED);
    day_rows_end(rows);
}

/* The table of a day as "USD 1.2 JPY 130", by codes; "none". */
static const char *row(const char *date) {
    static char text[256];
    day when = day_of_text(date);
    const struct rates *table = history_find(history, when, when);
    if (table == NULL || rates_as_of(table).number != when.number)
        return "none";
    struct json_object *message = json_object_new_object(), *rates;
    rates_to_message(table, message);
    json_object_object_get_ex(message, "rates", &rates);
    size_t len = 0;
    json_object_object_foreach (rates, code, value)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %s",
                                len > 0 ? " " : "", code,
                                json_object_get_string(value));
    json_object_put(message);
    return text;
}

static void rows_of_the_same_currencies(void **state) {
    (void)state;
    add_row("2021-05-18", "USD 1.2222 JPY 133.16 BGN 1.9558");
    add_row("2021-05-17", "USD 1.2142 JPY 132.55 BGN 1.9550");
    assert_string_equal(row("2021-05-18"), "BGN 1.9558 JPY 133.16 USD 1.2222");
    assert_string_equal(row("2021-05-17"), "BGN 1.9550 JPY 132.55 USD 1.2142");
    const struct rates *table =
        history_find(history, day_of_text("2021-05-17"), day_of_text(TODAY));
    assert_string_equal(rates_provider(table), "one");
    assert_string_equal(rates_base(table), "EUR");
    assert_int_equal(rates_fetched_ms(table), 123);
    assert_null(rates_fault(table));
}

/* Fewer, more, in another order: none of another row comes into a table. */
static void rows_of_other_currencies(void **state) {
    (void)state;
    add_row("2021-05-18", "USD 1 JPY 2 BGN 3");
    add_row("2021-05-17", "JPY 4");
    add_row("2021-05-14", "CHF 5 BGN 6 AUD 7");
    add_row("2021-05-13", "BGN 8 USD 9");
    assert_string_equal(row("2021-05-18"), "BGN 3 JPY 2 USD 1");
    assert_string_equal(row("2021-05-17"), "JPY 4");
    assert_string_equal(row("2021-05-14"), "AUD 7 BGN 6 CHF 5");
    assert_string_equal(row("2021-05-13"), "BGN 8 USD 9");
}

static const struct rate_case {
    const char *code, *rate;
    enum rates_add added;
} rate_cases[] = {
    {"USD", "1.2", RATES_ADDED},    {"USD", "1.3", RATES_DUPLICATE},
    {"JPY", "0", RATES_BAD_RATE},   {"JPY", "x", RATES_BAD_RATE},
    {"JPY", "", RATES_BAD_RATE},    {"JPY", "1e11", RATES_BAD_RATE},
    {"EUR", "1.00", RATES_BASE},    {"EUR", "1.01", RATES_OTHER_BASE},
    {"EUR", "x", RATES_OTHER_BASE}, {"JPY", "130", RATES_ADDED},
};

static void what_is_no_rate(void **state) {
    (void)state;
    day_rows_begin(rows, day_of_text("2021-05-18"));
    for (size_t i = 0; i < COUNT_OF(rate_cases); i++)
        if (add(rate_cases[i].code, rate_cases[i].rate) != rate_cases[i].added)
            fail_msg("row %zu", i);
    day_rows_end(rows);
    assert_string_equal(row("2021-05-18"), "JPY 130 USD 1.2");
}

static void rows_that_are_no_table(void **state) {
    (void)state;
    add_row("2021-05-18", "USD 1");
    day_rows_begin(rows, day_of_text("2021-05-17"));
    assert_true(day_rows_is_begun(rows));
    assert_int_equal(add("USD", "2"), RATES_ADDED);
    day_rows_drop(rows);
    assert_false(day_rows_is_begun(rows));
    day_rows_end(rows);
    add_row("2021-05-14", "");
    day_rows_end(rows);
    assert_int_equal(history_count(history), 1);
    assert_string_equal(row("2021-05-18"), "USD 1");
}

/* One that is begun ends the one before it. */
static void begun_while_another_is(void **state) {
    (void)state;
    day_rows_begin(rows, day_of_text("2021-05-18"));
    assert_int_equal(add("USD", "1"), RATES_ADDED);
    day_rows_begin(rows, day_of_text("2021-05-17"));
    assert_int_equal(day_rows_as_of(rows).number,
                     day_of_text("2021-05-17").number);
    assert_int_equal(add("USD", "2"), RATES_ADDED);
    day_rows_end(rows);
    assert_string_equal(row("2021-05-18"), "USD 1");
    assert_string_equal(row("2021-05-17"), "USD 2");
}

/* As many as there may be, each in its place whatever their order was. */
static void all_columns(void **state) {
    (void)state;
    char code[4] = "AAA";
    size_t column;
    day_rows_begin(rows, day_of_text("2021-05-18"));
    for (int i = 0; i < RATES_MAX_CURRENCIES; i++) {
        int n = i * 7919 % 17576; /* other ones each time */
        code[0] = (char)('A' + n / 676);
        code[1] = (char)('A' + n / 26 % 26);
        code[2] = (char)('A' + n % 26);
        column = column_of(code);
        assert_int_equal(column, i);
        assert_int_equal(column_of(code), i);
        assert_int_equal(day_rows_add(rows, column, span_of("1.5")),
                         RATES_ADDED);
    }
    assert_false(day_rows_column(rows, "ZZZ", &column));
    day_rows_end(rows);
    const struct rates *table =
        history_find(history, day_of_text("2021-05-18"), day_of_text(TODAY));
    assert_int_equal(rates_count(table), RATES_MAX_CURRENCIES);
    assert_non_null(rates_find(table, span_of("AAA")));
    assert_non_null(rates_find(table, exact_copy(code, 3)));
    assert_null(rates_find(table, span_of("ZZZ")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_of_the_same_currencies, begin,
                                        end),
        cmocka_unit_test_setup_teardown(rows_of_other_currencies, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_rate, begin, end),
        cmocka_unit_test_setup_teardown(rows_that_are_no_table, begin, end),
        cmocka_unit_test_setup_teardown(begun_while_another_is, begin, end),
        cmocka_unit_test_setup_teardown(all_columns, begin, end),
    };
    return cmocka_run_group_tests_name("day_rows", tests, NULL, NULL);
}
