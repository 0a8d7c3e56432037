/* Day tables: what is known of a day, for as long as it holds. */
#include <stdio.h>

#include "tests/unit/tables.h"
#include "tests/unit/unit.h"
#include "wsclient/day_rates.h"

/* 2026-11-21T12:00:00Z */
static const struct now noon = {{0}, INT64_C(1795262400000)};

/* Steps of one book's life, at moments in seconds. */
enum action { ENTER, ENTER_USD, UNKNOWN, FIND };

enum {
    FOUND = DAY_RATES_FOUND,
    NO_TABLE = DAY_RATES_NO_TABLE,
    NOT_IN = DAY_RATES_NOT_IN_TABLE,
    NONE_HAS = DAY_RATES_UNKNOWN_CURRENCY
};

struct step {
    enum action action;
    const char *date;
    const char *what;  /* ENTER: provider; else the currency */
    const char *rates; /* ENTER: the table; FIND: "rate", or "euro/rate" */
    int64_t seconds;   /* ENTER: until when; FIND: at which moment */
    int result;        /* FIND */
};

static const struct book_case {
    const char *name;
    struct step steps[16];
} book_cases[] = {
    {"an empty book",
     {{FIND, "2021-05-18", "USD", NULL, 0, NO_TABLE},
      {FIND, "latest", "USD", NULL, 0, NO_TABLE},
      {FIND, "1999-01-04", "USD", NULL, 0, NO_TABLE}}},
    {"days are apart",
     {{ENTER, "2021-05-18", "one", "USD 1.2", 100, 0},
      {ENTER, "latest", "one", "USD 1.3", 100, 0},
      {ENTER, "1999-01-04", "one", "USD 1.4", 100, 0},
      {FIND, "2021-05-18", "USD", "1.2", 0, FOUND},
      {FIND, "latest", "USD", "1.3", 0, FOUND},
      {FIND, "1999-01-04", "USD", "1.4", 0, FOUND},
      {FIND, "2021-05-17", "USD", NULL, 0, NO_TABLE},
      {FIND, "2021-05-19", "USD", NULL, 0, NO_TABLE},
      {FIND, "1999-01-05", "USD", NULL, 0, NO_TABLE},
      {FIND, "2030-01-01", "USD", NULL, 0, NO_TABLE}}},
    {"a table holds until its end",
     {{ENTER, "2021-05-18", "one", "USD 1.2", 100, 0},
      {FIND, "2021-05-18", "USD", "1.2", 99, FOUND},
      {FIND, "2021-05-18", "USD", NULL, 100, NO_TABLE},
      {FIND, "2021-05-18", "XAF", NULL, 100, NO_TABLE},
      {ENTER, "2021-05-18", "one", "USD 1.25", 200, 0},
      {FIND, "2021-05-18", "USD", "1.25", 150, FOUND},
      {FIND, "2021-05-18", "USD", NULL, 200, NO_TABLE}}},
    {"the newer table of a provider replaces its older one",
     {{ENTER, "2021-05-18", "one", "USD 1.2 JPY 130", 100, 0},
      {FIND, "2021-05-18", "USD", "1.2", 0, FOUND},
      {FIND, "2021-05-18", "JPY", "130", 0, FOUND},
      {ENTER, "2021-05-18", "one", "USD 1.3", 100, 0},
      {FIND, "2021-05-18", "USD", "1.3", 0, FOUND},
      {FIND, "2021-05-18", "JPY", NULL, 0, NOT_IN}}},
    {"the first provider is preferred",
     {{ENTER, "2021-05-18", "one", "USD 1.2", 100, 0},
      {FIND, "2021-05-18", "XAF", NULL, 0, NOT_IN},
      {ENTER, "2021-05-18", "two", "USD 9 XAF 656", 100, 0},
      {FIND, "2021-05-18", "USD", "1.2", 0, FOUND},
      {FIND, "2021-05-18", "XAF", "656", 0, FOUND},
      {FIND, "2021-05-18", "XPF", NULL, 0, NOT_IN},
      {ENTER, "2021-05-18", "one", "USD 1.3", 100, 0},
      {FIND, "2021-05-18", "USD", "1.3", 0, FOUND},
      {FIND, "2021-05-18", "XAF", "656", 0, FOUND}}},
    {"the second table has an end of its own",
     {{ENTER, "2021-05-18", "one", "USD 1.2", 100, 0},
      {ENTER, "2021-05-18", "two", "XAF 656", 50, 0},
      {FIND, "2021-05-18", "XAF", "656", 49, FOUND},
      {FIND, "2021-05-18", "XAF", NULL, 50, NOT_IN},
      {FIND, "2021-05-18", "USD", "1.2", 50, FOUND}}},
    {"an unknown currency is remembered while the tables are",
     {{ENTER, "2021-05-18", "one", "USD 1.2", 100, 0},
      {UNKNOWN, "2021-05-18", "XTS", NULL, 0, 0},
      {UNKNOWN, "2021-05-18", "XTS", NULL, 0, 0},
      {FIND, "2021-05-18", "XTS", NULL, 0, NONE_HAS},
      {FIND, "2021-05-18", "XTT", NULL, 0, NOT_IN},
      {FIND, "2021-05-18", "USD", "1.2", 0, FOUND},
      {FIND, "2021-05-17", "XTS", NULL, 0, NO_TABLE},
      {ENTER, "2021-05-18", "two", "XAF 656", 100, 0},
      {FIND, "2021-05-18", "XTS", NULL, 0, NONE_HAS},
      {FIND, "2021-05-18", "XTS", NULL, 100, NO_TABLE},
      {ENTER, "2021-05-18", "one", "USD 1.2", 200, 0},
      {FIND, "2021-05-18", "XTS", NULL, 101, NOT_IN}}},
    {"tables with another base: both rates are of one table",
     {{ENTER_USD, "2021-05-18", "one", "EUR 0.8 JPY 109", 100, 0},
      {FIND, "2021-05-18", "JPY", "0.8/109", 0, FOUND},
      {FIND, "2021-05-18", "USD", "0.8/1", 0, FOUND},
      {FIND, "2021-05-18", "XAF", NULL, 0, NOT_IN},
      {ENTER, "2021-05-18", "two", "JPY 133 XAF 656", 50, 0},
      {FIND, "2021-05-18", "XAF", "656", 0, FOUND},
      {FIND, "2021-05-18", "JPY", "0.8/109", 0, FOUND},
      {ENTER_USD, "2021-05-18", "three", "EUR 0.7 XPF 95", 100, 0},
      {FIND, "2021-05-18", "XPF", "0.7/95", 0, FOUND},
      {FIND, "2021-05-18", "XAF", NULL, 50, NOT_IN},
      {FIND, "2021-05-18", "USD", "0.8/1", 50, FOUND}}},
    {"unknown without any table: the table is asked for",
     {{UNKNOWN, "2021-05-18", "XTS", NULL, 0, 0},
      {FIND, "2021-05-18", "XTS", NULL, 0, NO_TABLE}}},
    {"what another provider brings counts before what was unknown",
     {{ENTER, "2021-05-18", "one", "USD 1.2", 100, 0},
      {UNKNOWN, "2021-05-18", "XAF", NULL, 0, 0},
      {ENTER, "2021-05-18", "two", "XAF 656", 100, 0},
      {FIND, "2021-05-18", "XAF", "656", 0, FOUND}}},
    /* The first provider fails by now; the second one's table serves. */
    {"a second provider's table serves when the first one's is over",
     {{ENTER, "2021-05-18", "one", "USD 1.2", 10, 0},
      {FIND, "2021-05-18", "USD", NULL, 20, NO_TABLE},
      {ENTER, "2021-05-18", "two", "USD 1.3", 100, 0},
      {FIND, "2021-05-18", "USD", "1.3", 21, FOUND}}},
    {"and tells that a currency is not in it",
     {{ENTER, "2021-05-18", "one", "USD 1.2", 10, 0},
      {ENTER, "2021-05-18", "two", "USD 1.3", 100, 0},
      {FIND, "2021-05-18", "XAF", NULL, 21, NOT_IN},
      {UNKNOWN, "2021-05-18", "XAF", NULL, 0, 0},
      {FIND, "2021-05-18", "XAF", NULL, 22, NONE_HAS}}},
};

/* The euro's rate is left out where it is 1. */
static const char *pair_text(const struct rate_pair *pair) {
    static char text[2 * DECIMAL_TEXT_SIZE];
    size_t len = 0;
    if (strcmp(rate_text(&pair->euro), "1") != 0)
        len = (size_t)sprintf(text, "%s/", rate_text(&pair->euro));
    strcpy(text + len, rate_text(&pair->currency));
    return text;
}

static void take_step(const char *name, struct day_rates *book,
                      const struct step *step) {
    day when = day_of_text(step->date);
    struct rate_pair found;
    if (step->action == UNKNOWN) {
        day_rates_enter_unknown(book, when, span_of(step->what));
        return;
    }
    if (step->action != FIND) {
        struct rates *rates =
            table_with_base(step->what, step->action == ENTER ? "EUR" : "USD",
                            "2021-05-18", step->rates);
        (void)day_rates_enter(book, when, rates,
                              (monotime){step->seconds * USEC_PER_SEC}, &noon);
        rates_release(&rates);
        return;
    }
    int result =
        (int)day_rates_find(book, when, exact_copy(step->what, 3),
                            (monotime){step->seconds * USEC_PER_SEC}, &found);
    if (result != step->result)
        fail_msg("%s: %s on %s at %lld s gives %d, not %d", name, step->what,
                 step->date, (long long)step->seconds, result, step->result);
    if (result == FOUND && strcmp(pair_text(&found), step->rates) != 0)
        fail_msg("%s: %s on %s is %s, not %s", name, step->what, step->date,
                 pair_text(&found), step->rates);
}

static void book(void **state) {
    const struct book_case *c = *state;
    struct day_rates known;
    day_rates_init(&known);
    for (const struct step *step = c->steps; step->date != NULL; step++)
        take_step(c->name, &known, step);
    day_rates_clear(&known);
}

/* More unknown codes and more providers than are kept do no harm. */
static void more_than_is_kept(void **state) {
    (void)state;
    struct day_rates known;
    day_rates_init(&known);
    day when = day_of_text("2021-05-18");
    struct rate_pair found;
    for (int i = 0; i < 20; i++) {
        char provider[16], list[16];
        sprintf(provider, "p%d", i);
        sprintf(list, "AA%c 1.5", 'A' + i);
        struct rates *rates = table_of(provider, "2021-05-18", list);
        (void)day_rates_enter(&known, when, rates, (monotime){1000}, &noon);
        rates_release(&rates);
    }
    for (int i = 0; i < 26 * 26; i++) {
        char code[4] = {'X', (char)('A' + i / 26), (char)('A' + i % 26), 0};
        day_rates_enter_unknown(&known, when, span_of(code));
    }
    assert_int_equal(
        day_rates_find(&known, when, span_of("AAA"), (monotime){0}, &found),
        FOUND);
    assert_int_equal(
        day_rates_find(&known, when, span_of("AAT"), (monotime){0}, &found),
        FOUND);
    assert_int_equal(
        day_rates_find(&known, when, span_of("XAA"), (monotime){0}, &found),
        NONE_HAS);
    assert_int_equal(
        day_rates_find(&known, when, span_of("XZZ"), (monotime){0}, &found),
        NOT_IN);
    day_rates_clear(&known);
}

/* The book holds a reference of its own. */
static void tables_are_held(void **state) {
    (void)state;
    struct day_rates known;
    day_rates_init(&known);
    struct rates *rates = table_of("one", "2021-05-18", "USD 1.2");
    rates_hold(rates);
    (void)day_rates_enter(&known, day_of_text("2021-05-18"), rates,
                          (monotime){1000}, &noon);
    (void)day_rates_enter(&known, day_of_text("latest"), rates,
                          (monotime){1000}, &noon);
    struct rates *mine = rates;
    rates_release(&mine);
    day_rates_clear(&known);
    assert_string_equal(rate_text(rates_find(rates, span_of("USD"))), "1.2");
    rates_release(&rates);
}

/* Which tables are of today is another question after such a step. */
static void a_step_of_the_clock(void **state) {
    (void)state;
    enum { HOUR_MS = 3600000 };
    static const struct {
        int64_t wall_ms; /* of the second look, the first is at 23:00 */
        bool forgets;
    } cases[] = {{0, false},
                 {HOUR_MS - 1, false},
                 {HOUR_MS, true},
                 {-22 * HOUR_MS, false},
                 {-24 * HOUR_MS, true}};
    const struct span usd = span_of("USD");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct day_rates known;
        struct rate_pair pair;
        int64_t evening_ms =
            day_of_text("2026-11-21").number * DAY_SECONDS * MSEC_PER_SEC +
            23 * HOUR_MS;
        struct rates *rates = table_of("one", "2026-11-20", "USD 1.2");
        day_rates_init(&known);
        day_rates_look_at_clock(&known, evening_ms, (monotime){0});
        (void)day_rates_enter(&known, RATES_LATEST, rates, (monotime){1000},
                              &noon);
        (void)day_rates_enter(&known, day_of_text("2026-11-20"), rates,
                              (monotime){1000}, &noon);
        rates_release(&rates);
        assert_int_equal(
            day_rates_find(&known, RATES_LATEST, usd, (monotime){1}, &pair),
            DAY_RATES_FOUND);
        day_rates_look_at_clock(&known, evening_ms + cases[i].wall_ms,
                                (monotime){1});
        if (day_rates_find(&known, RATES_LATEST, usd, (monotime){1}, &pair) !=
            (cases[i].forgets ? DAY_RATES_NO_TABLE : DAY_RATES_FOUND))
            fail_msg("row %zu", i);
        assert_int_equal(day_rates_find(&known, day_of_text("2026-11-20"), usd,
                                        (monotime){1}, &pair),
                         DAY_RATES_FOUND);
        day_rates_clear(&known);
    }
}

/* What is answered with, and what is then known, after a second table came. */
static const struct older_case {
    const char *provider, *as_of; /* of the second one */
    int64_t hours;                /* when it comes, after the first one */
    bool older;                   /* the first one, of one and 11-20, serves */
    const char *rate;             /* of the dollar then, in 10 s */
} older_cases[] = {
    {"one", "2026-11-20", 1, false, "2"},
    {"one", "2026-11-21", 1, false, "2"},
    {"one", "2026-11-19", 1, true, "1"},
    {"two", "2026-11-19", 1, true, "1"},
    {"one", "2026-11-19", 11, true, "1"},
    {"two", "2026-11-19", 11, true, "1"},
    {"one", "2026-11-19", 13, false, "2"},
    {"two", "2026-11-19", 13, false, "2"},
    {"two", "2026-11-20", 1, false, "2"},
};

static void older_tables(void **state) {
    (void)state;
    const int64_t hour = 3600 * USEC_PER_SEC;
    for (size_t i = 0; i < COUNT_OF(older_cases); i++) {
        const struct older_case *c = &older_cases[i];
        const struct now later = {
            {c->hours * hour}, noon.wall_ms + c->hours * hour / USEC_PER_MSEC};
        struct rates *first = table_of("one", "2026-11-20", "USD 1"),
                     *second = table_of(c->provider, c->as_of, "USD 2 XAF 3");
        struct day_rates known;
        struct rate_pair pair;
        day_rates_init(&known);
        (void)day_rates_enter(&known, RATES_LATEST, first, (monotime){hour},
                              &noon);
        const struct rates *best =
            day_rates_enter(&known, RATES_LATEST, second,
                            (monotime){(c->hours + 2) * hour}, &later);
        if (best != (c->older ? first : second))
            fail_msg("row %zu: the other one", i);
        monotime soon = {later.monotonic.usec + 10 * USEC_PER_SEC};
        assert_int_equal(
            day_rates_find(&known, RATES_LATEST, span_of("USD"), soon, &pair),
            DAY_RATES_FOUND);
        assert_string_equal(rate_text(&pair.currency), c->rate);
        /* Not for long: then it is asked for again. */
        monotime then = {later.monotonic.usec + 15 * USEC_PER_SEC};
        bool other = strcmp(c->provider, "two") == 0;
        assert_int_equal(
            day_rates_find(&known, RATES_LATEST, span_of("USD"), then, &pair),
            c->older && !other ? DAY_RATES_NO_TABLE : DAY_RATES_FOUND);
        rates_release(&first);
        rates_release(&second);
        day_rates_clear(&known);
    }
}

/* Rates by law: without a table, and whatever stands in one. */
static void what_became_the_euro(void **state) {
    (void)state;
    static const struct {
        const char *date, *code, *rate;
    } cases[] = {
        {"2025-12-31", "BGN", "2"},       {"2026-01-01", "BGN", "1.95583"},
        {"latest", "BGN", "1.95583"},     {"2026-01-01", "EUR", "1"},
        {"2003-05-05", "ITL", "1936.27"},
    };
    struct rates *table = table_of("one", "2025-12-31", "BGN 2 ITL 3");
    struct day_rates known;
    struct rate_pair pair;
    day_rates_init(&known);
    day_rates_look_at_clock(&known, noon.wall_ms, noon.monotonic);
    (void)day_rates_enter(&known, day_of_text("2025-12-31"), table,
                          (monotime){1000}, &noon);
    (void)day_rates_enter(&known, RATES_LATEST, table, (monotime){1000}, &noon);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(day_rates_find(&known, day_of_text(cases[i].date),
                                        span_of(cases[i].code), noon.monotonic,
                                        &pair),
                         DAY_RATES_FOUND);
        assert_string_equal(rate_text(&pair.euro), "1");
        assert_string_equal(rate_text(&pair.currency), cases[i].rate);
    }
    assert_int_equal(day_rates_find(&known, day_of_text("2022-12-31"),
                                    span_of("HRK"), noon.monotonic, &pair),
                     DAY_RATES_NO_TABLE);
    rates_release(&table);
    day_rates_clear(&known);
}

int main(void) {
    static struct CMUnitTest tests[COUNT_OF(book_cases) + 5] = {
        cmocka_unit_test(more_than_is_kept),
        cmocka_unit_test(tables_are_held),
        cmocka_unit_test(a_step_of_the_clock),
        cmocka_unit_test(older_tables),
        cmocka_unit_test(what_became_the_euro),
    };
    for (size_t i = 0; i < COUNT_OF(book_cases); i++)
        tests[i + 5] =
            (struct CMUnitTest){.name = book_cases[i].name,
                                .test_func = book,
                                .initial_state = (void *)&book_cases[i]};
    return cmocka_run_group_tests_name("day_rates", tests, NULL, NULL);
}
