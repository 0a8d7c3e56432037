/* The ECB's CSV form: what is read of it, and what is left out and counted. */
#include <stdio.h>

#include "ratefetcher/providers/ecb_csv.h"
#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

/* A day and a currency, and the rate that has to be there, or "none". */
struct wanted {
    const char *date, *code, *rate;
};

static const struct csv_case {
    const char *name, *text;
    size_t bad_rows, bad_rates, line;
    const char *example;
    struct wanted wanted[6];
} csv_cases[] = {
    {"good form",
     "Date,USD,JPY,\n2021-05-18,1.2222,133.16,\n"
     "2021-05-17,1.2142,132.55,\n",
     0,
     0,
     0,
     "",
     {{"2021-05-18", "USD", "1.2222"},
      {"2021-05-18", "JPY", "133.16"},
      {"2021-05-17", "USD", "1.2142"},
      {"2021-05-17", "JPY", "132.55"},
      {"latest", "USD", "1.2222"}}},
    {"no comma at the end",
     "Date,USD,JPY\n2021-05-18,1.2222,133.16\n",
     0,
     0,
     0,
     "",
     {{"2021-05-18", "USD", "1.2222"}, {"2021-05-18", "JPY", "133.16"}}},
    {"no line end at the end, but the comma that ends each line",
     "Date,USD,JPY,\n2021-05-18,1.2222,133.16,",
     0,
     0,
     0,
     "",
     {{"2021-05-18", "USD", "1.2222"}, {"2021-05-18", "JPY", "133.16"}}},
    {"the comma is missing or too many",
     "Date,USD,JPY,\n2021-05-18,1.2222,133.16\n2021-05-17,1.2142,132.55,,\n",
     0,
     0,
     0,
     "",
     {{"2021-05-18", "JPY", "133.16"}, {"2021-05-17", "JPY", "132.55"}}},
    {"CRLF",
     "Date,USD,JPY,\r\n2021-05-18,1.2222,133.16,\r\n"
     "2021-05-17,1.2142,132.55,\r\n",
     0,
     0,
     0,
     "",
     {{"2021-05-18", "JPY", "133.16"}, {"2021-05-17", "JPY", "132.55"}}},
    {"blanks behind the commas, as the daily file has them",
     "Date, USD, JPY, \n2021-05-18, 1.2222, 133.16, \n",
     0,
     0,
     0,
     "",
     {{"2021-05-18", "USD", "1.2222"}, {"2021-05-18", "JPY", "133.16"}}},
    {"N/A and nothing are no rates and no faults",
     "Date,USD,CYP,JPY,GBP,\n2021-05-18,1.2222,N/A,,0.86,\n"
     "2021-05-17,,N/A,132,,\n",
     0,
     0,
     0,
     "",
     {{"2021-05-18", "CYP", "none"},
      {"2021-05-18", "JPY", "none"},
      {"2021-05-18", "GBP", "0.86"},
      {"2021-05-17", "USD", "none"},
      {"2021-05-17", "JPY", "132"}}},
    {"quotes",
     "\"Date\",\"USD\",\"JPY\"\n\"2021-05-18\",\"1.2222\",\"133\"\n",
     0,
     0,
     0,
     "",
     {{"2021-05-18", "USD", "1.2222"}, {"2021-05-18", "JPY", "133"}}},
    {"days in any order",
     "Date,USD\n2021-05-14,4\n2021-05-19,9\n"
     "2021-05-17,7\n2021-05-18,8\n",
     0,
     0,
     0,
     "",
     {{"2021-05-14", "USD", "4"},
      {"2021-05-17", "USD", "7"},
      {"2021-05-18", "USD", "8"},
      {"2021-05-19", "USD", "9"},
      {"latest", "USD", "9"}}},
    {"a column that is no currency",
     "Date,USD,Remark,usd,EURO,JPY\n2021-05-18,1.5,all well,2,3,133\n",
     0,
     0,
     0,
     "",
     {{"2021-05-18", "USD", "1.5"}, {"2021-05-18", "JPY", "133"}}},
    {"a short row and a long one",
     "Date,USD,JPY\n2021-05-18,1.5\n2021-05-17,1.4,132,77,88\n",
     1,
     0,
     2,
     "2021-05-18",
     {{"2021-05-18", "USD", "1.4"}, {"2021-05-17", "JPY", "132"}}},
    {"bad rates are left out, the rest of the day serves",
     "Date,USD,JPY,GBP,CHF,SEK,NOK\n"
     "2021-05-18,0,-133,abc,1e11,1.1,1.0000000000000000001\n",
     0,
     5,
     2,
     "0",
     {{"2021-05-18", "USD", "none"},
      {"2021-05-18", "JPY", "none"},
      {"2021-05-18", "GBP", "none"},
      {"2021-05-18", "CHF", "none"},
      {"2021-05-18", "SEK", "1.1"},
      {"2021-05-18", "NOK", "none"}}},
    {"rates at their limits",
     "Date,USD,JPY,GBP,CHF\n"
     "2021-05-18,0.000000001,10000000000,0.0000000009,10000000000.1\n",
     0,
     2,
     2,
     "0.0000000009",
     {{"2021-05-18", "USD", "0.000000001"},
      {"2021-05-18", "JPY", "10000000000"},
      {"2021-05-18", "GBP", "none"},
      {"2021-05-18", "CHF", "none"}}},
    {"bad days are left out, the other days serve",
     "Date,USD\n18.05.2021,1\n2021-05-17,2\n2021-02-29,3\n2021-5-16,4\n",
     3,
     0,
     2,
     "18.05.2021",
     {{"2021-05-17", "USD", "2"}, {"latest", "USD", "2"}}},
    {"the first fault is the example",
     "Date,USD,JPY\n2021-05-18,1.5,133\n2021-05-17,x,132\nyesterday,1,2\ntoday,"
     "1,2\n",
     2,
     1,
     3,
     "x",
     {{"2021-05-18", "USD", "1.5"}, {"2021-05-17", "JPY", "132"}}},
    {"empty lines are no faults, and count as lines",
     "Date,USD\n\n2021-05-18,1.5\n\n\n2021-05-17,x\n",
     0,
     1,
     6,
     "x",
     {{"2021-05-18", "USD", "1.5"}, {"2021-05-17", "USD", "none"}}},
    {"the euro may have a column, of ones; else a day is not to the euro",
     "Date,EUR,USD\n2021-05-19,0.8,1\n2021-05-18,1.0,1.5\n2021-05-17,N/A,1.4\n"
     "2021-05-14,x,1.3\n",
     2,
     0,
     2,
     "0.8",
     {{"2021-05-19", "USD", "1.5"},
      {"2021-05-18", "USD", "1.5"},
      {"2021-05-17", "USD", "1.4"},
      {"2021-05-16", "USD", "none"},
      {"latest", "USD", "1.5"}}},
    {"a column twice: its first value serves",
     "Date,USD,USD\n2021-05-18,1.5,1.6\n",
     0,
     1,
     2,
     "1.6",
     {{"2021-05-18", "USD", "1.5"}}},
    {"a day twice: its last row serves",
     "Date,USD\n2021-05-18,1.5\n2021-05-18,1.6\n",
     0,
     0,
     0,
     "",
     {{"2021-05-18", "USD", "1.6"}}},
    {"a long fault is cut",
     "Date,USD\n2021-05-18,1.5\nThe quick brown fox jumps over the lazy dog "
     "and is gone,1\n",
     1,
     0,
     3,
     "The quick brown fox jumps over the lazy dog and ",
     {{"2021-05-18", "USD", "1.5"}}},
};

/* Reads a text in pieces of so many bytes. */
static struct history *read_pieces(const char *text, size_t len, size_t piece,
                                   struct ecb_csv_faults *faults) {
    struct ecb_csv *reader = ecb_csv_begin("ecb", 123456789, faults);
    for (size_t at = 0; at < len; at += piece)
        ecb_csv_feed(
            reader, exact_copy(text + at, len - at < piece ? len - at : piece));
    return ecb_csv_end(&reader);
}

static struct history *read_text(const char *text, size_t len,
                                 struct ecb_csv_faults *faults) {
    return read_pieces(text, len, len + 1, faults);
}

static void check_rate(const char *name, const struct history *history,
                       const struct wanted *wanted) {
    const struct rates *rates = history_find(history, day_of_text(wanted->date),
                                             day_of_text("2021-05-21"));
    const struct decimal *rate =
        rates == NULL ? NULL : rates_find(rates, span_of(wanted->code));
    if (strcmp(rate_text(rate), wanted->rate) != 0)
        fail_msg("%s: %s on %s is %s, not %s", name, wanted->code, wanted->date,
                 rate_text(rate), wanted->rate);
    if (rate == NULL)
        return;
    assert_string_equal(rates_provider(rates), "ecb");
    assert_string_equal(rates_base(rates), "EUR");
    assert_int_equal(rates_fetched_ms(rates), 123456789);
}

static void check_case(const struct csv_case *c, size_t piece) {
    struct ecb_csv_faults faults;
    struct history *history =
        read_pieces(c->text, strlen(c->text), piece, &faults);
    if (history == NULL)
        fail_msg("%s: refused", c->name);
    for (size_t k = 0; k < 6 && c->wanted[k].date != NULL; k++)
        check_rate(c->name, history, &c->wanted[k]);
    history_free(&history);
    if (faults.rows != c->bad_rows || faults.rates != c->bad_rates)
        fail_msg("%s: %zu bad rows, %zu bad rates", c->name, faults.rows,
                 faults.rates);
    if (faults.line != c->line || strcmp(faults.example, c->example) != 0)
        fail_msg("%s: the example is `%s` of line %zu", c->name, faults.example,
                 faults.line);
}

/* Whole, and cut into pieces of any length. */
static void table(void **state) {
    const struct csv_case *c = *state;
    for (size_t piece = 1; piece <= strlen(c->text); piece++)
        check_case(c, piece);
}

static const char *const refused_texts[] = {
    "",
    "\n",
    "Date,USD\n",
    "Date,USD",
    "Date\n2021-05-18\n",
    "USD,JPY\n1,2\n",
    "date,USD\n2021-05-18,1.5\n",
    "Day,USD\n2021-05-18,1.5\n",
    "2021-05-18,1.5\nDate,USD\n",
    "Date;USD\n2021-05-18;1.5\n",
    "Date,usd\n2021-05-18,1.5\n",
    "Date,USD\n2021-05-18,N/A\n",
    "Date,USD\n2021-05-18,x\n18.05.2021,1.5\n",
    "<html><body>Not found</body></html>\n",
    "\xef\xbb\xbf<?xml version=\"1.0\"?>\n",
};

static void other_forms_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused_texts); i++) {
        struct ecb_csv_faults faults;
        struct history *history =
            read_text(refused_texts[i], strlen(refused_texts[i]), &faults);
        if (history != NULL)
            fail_msg("taken: %s", refused_texts[i]);
    }
}

/* More columns than there are currencies: what is beyond is left out. */
static void too_many_columns(void **state) {
    (void)state;
    static char text[16384];
    char *at = text + sprintf(text, "Date");
    for (int i = 0; i < 400; i++)
        at += sprintf(at, ",A%c%c", 'A' + i / 26, 'A' + i % 26);
    at += sprintf(at, "\n2021-05-18");
    for (int i = 0; i < 400; i++)
        at += sprintf(at, ",%d", i + 1);
    sprintf(at, "\n");
    struct ecb_csv_faults faults;
    struct history *history = read_text(text, strlen(text), &faults);
    assert_non_null(history);
    check_rate("many", history, &(struct wanted){"latest", "AAA", "1"});
    check_rate("many", history, &(struct wanted){"latest", "AHR", "200"});
    history_free(&history);
}

/* Of each beginning of a file: no rate in it is one of fewer digits. */
static void every_beginning(void **state) {
    (void)state;
    static const char *const files[] = {
        "Date,USD\n2021-05-19,1.3333\n2021-05-18,1.2222\n",
        "Date,USD,JPY\n2021-05-19,1.3333,133.33\n2021-05-18,1.2222,122.22\n",
        "Date,USD,JPY,\n2021-05-19,1.3333,133.33,\n2021-05-18,1.2222,122.22,\n",
        "Date,USD\r\n2021-05-19,1.3333\r\n2021-05-18,1.2222\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        size_t header = strcspn(files[i], "\n") + 1, all = strlen(files[i]);
        for (size_t len = header; len <= all; len++) {
            struct ecb_csv_faults faults;
            struct history *history = read_text(files[i], len, &faults);
            const struct rates *rates =
                history != NULL
                    ? history_find(history, day_of_text("2021-05-18"),
                                   day_of_text("2021-05-19"))
                    : NULL;
            const char *usd = rate_text(
                rates != NULL ? rates_find(rates, span_of("USD")) : NULL);
            bool is_last = len >= all - 2 && strcmp(usd, "1.2222") == 0;
            if (strcmp(usd, "none") != 0 && !is_last)
                fail_msg("%.*s has the rate %s", (int)len, files[i], usd);
            if (len == all && (!is_last || faults.cut))
                fail_msg("%s is not taken as whole", files[i]);
            history_free(&history);
        }
    }
}

static const struct cut_case {
    const char *text;
    bool cut;
} cut_cases[] = {
    {"Date,USD\n2021-05-18,1.2222\n", false},
    {"Date,USD\n2021-05-18,1.2222\n\n", false},
    {"Date,USD\n2021-05-18,1.2222\n  ", false},
    {"Date,USD\n2021-05-18,1.2222", true},
    {"Date,USD,\n2021-05-18,1.2222", true},
    {"Date,USD,\n2021-05-18,1.2222,", false},
    {"Date,USD,\n2021-05-18,", true},
    {"Date,USD,JPY,\n2021-05-18,1.2222,", true},
    {"Date,USD,JPY,\n2021-05-18,1.2222\n", true},
    {"Date,USD,JPY,\n2021-05-18,1.2222,\n", false},
    {"Date,USD,JPY\n2021-05-18\n", true},
};

static void cut_rows(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cut_cases); i++) {
        const struct cut_case *c = &cut_cases[i];
        struct ecb_csv_faults faults;
        struct history *history = read_text(c->text, strlen(c->text), &faults);
        if (faults.cut != c->cut || faults.rows != c->cut)
            fail_msg("row %zu: cut %d, %zu rows", i, faults.cut, faults.rows);
        history_free(&history);
    }
}

int main(void) {
    static struct CMUnitTest tests[COUNT_OF(csv_cases) + 4] = {
        cmocka_unit_test(every_beginning),
        cmocka_unit_test(cut_rows),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(too_many_columns),
    };
    for (size_t i = 0; i < COUNT_OF(csv_cases); i++)
        tests[i + 4] =
            (struct CMUnitTest){.name = csv_cases[i].name,
                                .test_func = table,
                                .initial_state = (void *)&csv_cases[i]};
    return cmocka_run_group_tests_name("ecb_csv", tests, NULL, NULL);
}
