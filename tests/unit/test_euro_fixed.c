/*
 * The currencies that the euro has replaced. What is due was written by hand
 * from article 1 of Council Regulation (EC) No 2866/98 and the regulations that
 * amend it; the amounts are Python's: Decimal("12345.67") / Decimal(rate),
 * quantized to five decimals by ROUND_HALF_UP.
 */
#include <stdio.h>

#include "common/lines/message.h"
#include "common/rates/euro_fixed.h"
#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

static const struct law {
    const char *code, *rate, *regulation, *day_before, *first, *later, *amount;
} laws[] = {
    {"BEF", "40.3399", "(EC) No 2866/98", "1998-12-31", "1999-01-01",
     "2099-01-01", "306.04117"},
    {"DEM", "1.95583", "(EC) No 2866/98", "1998-12-31", "1999-01-01",
     "2099-01-01", "6312.24084"},
    {"ESP", "166.386", "(EC) No 2866/98", "1998-12-31", "1999-01-01",
     "2099-01-01", "74.19897"},
    {"FRF", "6.55957", "(EC) No 2866/98", "1998-12-31", "1999-01-01",
     "2099-01-01", "1882.08526"},
    {"IEP", "0.787564", "(EC) No 2866/98", "1998-12-31", "1999-01-01",
     "2099-01-01", "15675.7673"},
    {"ITL", "1936.27", "(EC) No 2866/98", "1998-12-31", "1999-01-01",
     "2099-01-01", "6.37601"},
    {"LUF", "40.3399", "(EC) No 2866/98", "1998-12-31", "1999-01-01",
     "2099-01-01", "306.04117"},
    {"NLG", "2.20371", "(EC) No 2866/98", "1998-12-31", "1999-01-01",
     "2099-01-01", "5602.2208"},
    {"ATS", "13.7603", "(EC) No 2866/98", "1998-12-31", "1999-01-01",
     "2099-01-01", "897.19483"},
    {"PTE", "200.482", "(EC) No 2866/98", "1998-12-31", "1999-01-01",
     "2099-01-01", "61.57994"},
    {"FIM", "5.94573", "(EC) No 2866/98", "1998-12-31", "1999-01-01",
     "2099-01-01", "2076.39264"},
    {"GRD", "340.750", "(EC) No 1478/2000", "2000-12-31", "2001-01-01",
     "2101-01-01", "36.23087"},
    {"SIT", "239.640", "(EC) No 1086/2006", "2006-12-31", "2007-01-01",
     "2107-01-01", "51.51757"},
    {"CYP", "0.585274", "(EC) No 1135/2007", "2007-12-31", "2008-01-01",
     "2108-01-01", "21093.82956"},
    {"MTL", "0.429300", "(EC) No 1134/2007", "2007-12-31", "2008-01-01",
     "2108-01-01", "28757.67529"},
    {"SKK", "30.1260", "(EC) No 694/2008", "2008-12-31", "2009-01-01",
     "2109-01-01", "409.80117"},
    {"EEK", "15.6466", "(EU) No 671/2010", "2010-12-31", "2011-01-01",
     "2111-01-01", "789.03212"},
    {"LVL", "0.702804", "(EU) No 870/2013", "2013-12-31", "2014-01-01",
     "2114-01-01", "17566.30583"},
    {"LTL", "3.45280", "(EU) No 851/2014", "2014-12-31", "2015-01-01",
     "2115-01-01", "3575.55317"},
    {"HRK", "7.53450", "(EU) 2022/1208", "2022-12-31", "2023-01-01",
     "2123-01-01", "1638.55199"},
    {"BGN", "1.95583", "(EU) 2025/1409", "2025-12-31", "2026-01-01",
     "2126-01-01", "6312.24084"},
};

static const day some_day = {20000};

static void expect_rate(const struct law *law, day when, day today) {
    const struct euro_fixed *fixed = euro_fixed_find(law->code, when, today);
    const struct decimal stake = {1234567, 2};
    struct rate_pair pair;
    char amount[EURO_TEXT_SIZE];
    assert_non_null(fixed);
    assert_string_equal(fixed->code, law->code);
    assert_string_equal(fixed->rate, law->rate);
    assert_string_equal(fixed->from, law->first);
    assert_string_equal(fixed->regulation, law->regulation);
    assert_true(euro_fixed_pair(law->code, when, today, &pair));
    euro_print(decimal_convert(stake, pair), amount);
    assert_string_equal(amount, law->amount);
}

static void expect_none(const struct law *law, day when, day today) {
    struct rate_pair pair;
    assert_null(euro_fixed_find(law->code, when, today));
    assert_false(euro_fixed_pair(law->code, when, today, &pair));
}

/* The day before, the day and a century after, each also as today's. */
static void the_law(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(laws); i++) {
        const struct law *law = &laws[i];
        const char *const days[] = {law->first, law->later};
        day before = day_of_text(law->day_before);
        assert_true(euro_fixed_may_be(law->code));
        expect_none(law, before, some_day);
        expect_none(law, RATES_LATEST, before);
        for (size_t j = 0; j < COUNT_OF(days); j++) {
            day when = day_of_text(days[j]);
            expect_rate(law, when, some_day);
            expect_rate(law, RATES_LATEST, when);
        }
    }
}

/* Six significant figures, as Regulation (EC) No 1103/97, article 4 has it. */
static void six_figures(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(laws); i++) {
        const char *at = laws[i].rate;
        size_t figures = 0;
        for (at += strspn(at, "0."); *at != '\0'; at++)
            figures += *at != '.';
        assert_int_equal(figures, 6);
    }
}

/* All that is fixed is in the table above: the last day has no others. */
static void no_others(void **state) {
    (void)state;
    struct json_object *message = message_new(MESSAGE_RATES), *fixed;
    euro_fixed_to_message(message, day_of_text("2026-01-01"), some_day);
    assert_true(json_object_object_get_ex(message, "fixed", &fixed));
    assert_int_equal(json_object_object_length(fixed), COUNT_OF(laws));
    json_object_put(message);
}

static void others_need_a_table(void **state) {
    (void)state;
    static const char *const codes[] = {
        "USD", "JPY", "CZK", "DKK", "GBP", "HUF", "PLN", "RON", "SEK", "CHF",
        "ISK", "NOK", "TRY", "AUD", "BRL", "CAD", "CNY", "HKD", "IDR", "ILS",
        "INR", "KRW", "MXN", "MYR", "NZD", "PHP", "SGD", "THB", "ZAR", "XXX"};
    struct rate_pair pair;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        assert_null(euro_fixed_find(codes[i], RATES_LATEST, some_day));
        assert_false(euro_fixed_pair(codes[i], RATES_LATEST, some_day, &pair));
    }
    assert_false(euro_fixed_may_be("USD") || euro_fixed_may_be("GBP") ||
                 euro_fixed_may_be("JPY") || euro_fixed_may_be("CHF"));
}

/* On any day: it is no currency that was replaced. */
static void the_euro_itself(void **state) {
    (void)state;
    struct rate_pair pair;
    assert_true(euro_fixed_may_be("EUR"));
    assert_true(euro_fixed_pair("EUR", DAY_FIRST_RATES, some_day, &pair));
    assert_string_equal(rate_text(&pair.euro), "1");
    assert_string_equal(rate_text(&pair.currency), "1");
    assert_null(euro_fixed_find("EUR", RATES_LATEST, some_day));
}

static void a_table_of_one(void **state) {
    (void)state;
    const struct euro_fixed *fixed =
        euro_fixed_find("HRK", day_of_text("2023-06-01"), some_day);
    struct rates *table = euro_fixed_table(fixed);
    assert_string_equal(rates_provider(table), "fixed");
    assert_string_equal(rates_base(table), "EUR");
    assert_int_equal(rates_as_of(table).number,
                     day_of_text("2023-01-01").number);
    assert_int_equal(rates_count(table), 1);
    assert_string_equal(rate_text(rates_find(table, span_of("HRK"))), "7.5345");
    rates_release(&table);
}

/* What a provider has of them is not told from that day on. */
static void in_a_message(void **state) {
    (void)state;
    static const struct {
        const char *date, *today;
        size_t rates, fixed;
    } cases[] = {
        {"2025-12-31", "2026-11-21", 2, 20},
        {"2026-01-01", "2026-11-21", 1, 21},
        {"latest", "2026-11-21", 1, 21},
        {"latest", "2025-12-31", 2, 20},
        {"2000-12-31", "2026-11-21", 2, 11},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct rates *table = table_of("one", "2025-12-31", "BGN 2 USD 1.2");
        day when = day_of_text(cases[i].date);
        struct json_object *message =
                               rates_message_new(when, table, "memory", 0),
                           *rates, *fixed;
        euro_fixed_to_message(message, when, day_of_text(cases[i].today));
        json_object_object_get_ex(message, "rates", &rates);
        json_object_object_get_ex(message, "fixed", &fixed);
        assert_int_equal(json_object_object_length(rates), cases[i].rates);
        assert_int_equal(json_object_object_length(fixed), cases[i].fixed);
        json_object_put(message);
        rates_release(&table);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_law),
        cmocka_unit_test(six_figures),
        cmocka_unit_test(no_others),
        cmocka_unit_test(others_need_a_table),
        cmocka_unit_test(the_euro_itself),
        cmocka_unit_test(a_table_of_one),
        cmocka_unit_test(in_a_message),
    };
    return cmocka_run_group_tests_name("euro_fixed", tests, NULL, NULL);
}
