/* Tables of rates: what goes in, what is found, and their JSON form. */
#include <stdio.h>

#include "common/lines/message.h"
#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

static const struct add_case {
    const char *code, *rate;
    enum rates_add result;
} add_cases[] = {
    {"USD", "1.222385", RATES_ADDED},
    {"AAA", "1", RATES_ADDED},
    {"ZZZ", "1.50", RATES_ADDED},
    {"MIN", "0.000000001", RATES_ADDED},
    {"MIM", "1e-9", RATES_ADDED},
    {"MAX", "10000000000", RATES_ADDED},
    {"MAW", "1E10", RATES_ADDED},
    {"MAV", "9999999999.99999999", RATES_ADDED},
    {"LOW", "0.000000000999999999", RATES_BAD_RATE},
    {"LOX", "9.99e-10", RATES_BAD_RATE},
    {"HIG", "10000000000.0000001", RATES_BAD_RATE},
    {"HIH", "1.00000000001e10", RATES_BAD_RATE},
    {"HII", "99999999999999999999", RATES_BAD_RATE},
    {"EUR", "1", RATES_BASE},
    {"EUR", "1.000", RATES_BASE},
    {"EUR", "1.000000000000000001", RATES_OTHER_BASE},
    {"EUR", "0.8", RATES_OTHER_BASE},
    {"EUR", "0", RATES_OTHER_BASE},
    {"EUR", "", RATES_OTHER_BASE},
    {"NUL", "0", RATES_BAD_RATE},
    {"NEG", "-1", RATES_BAD_RATE},
    {"TXT", "", RATES_BAD_RATE},
    {"TXT", "1,5", RATES_BAD_RATE},
    {"TXT", " 1", RATES_BAD_RATE},
    {"TXT", "1 ", RATES_BAD_RATE},
    {"TXT", "N/A", RATES_BAD_RATE},
    {"TXT", "NaN", RATES_BAD_RATE},
    {"TXT", "0x1", RATES_BAD_RATE},
    {"LNG", "1.1234567890123456789", RATES_BAD_RATE},
    {"USD", "1.3", RATES_DUPLICATE},
    {"AAA", "1", RATES_DUPLICATE},
    {"usd", "1", RATES_NO_CODE},
    {"uSD", "1", RATES_NO_CODE},
    {"[SD", "1", RATES_NO_CODE},
    {"US", "1", RATES_NO_CODE},
    {"USDX", "1", RATES_NO_CODE},
    {"U1D", "1", RATES_NO_CODE},
    {"", "1", RATES_NO_CODE},
    {"\xc3\x84"
     "B",
     "1", RATES_NO_CODE},
};

static const struct {
    const char *code, *rate;
} found_cases[] = {
    {"USD", "1.222385"},    {"AAA", "1"},
    {"ZZZ", "1.5"},         {"MIN", "0.000000001"},
    {"MIM", "0.000000001"}, {"MAX", "10000000000"},
    {"MAW", "10000000000"}, {"MAV", "9999999999.99999999"},
    {"LOW", "none"},        {"NEG", "none"},
    {"TXT", "none"},        {"USE", "none"},
    {"USC", "none"},        {"AAB", "none"},
    {"ZZY", "none"},        {"EUR", "1"},
};

static struct rates *filled(void) {
    struct rates *rates =
        rates_new("ecb", "EUR", day_of_text("2021-05-18"), 1621373562000);
    for (size_t i = 0; i < COUNT_OF(add_cases); i++) {
        const struct add_case *c = &add_cases[i];
        /* exact_copy() is one at a time; the code's end is the array's. */
        char *code = malloc(strlen(c->code) + 1);
        memcpy(code, c->code, strlen(c->code) + 1);
        enum rates_add result =
            rates_add(rates, (struct span){code, strlen(code)},
                      exact_copy(c->rate, strlen(c->rate)));
        if (result != c->result)
            fail_msg("%s %s: result %d, not %d", c->code, c->rate, (int)result,
                     (int)c->result);
        free(code);
    }
    return rates;
}

static void check_filled(const struct rates *rates) {
    for (size_t i = 0; i < COUNT_OF(found_cases); i++) {
        const char *rate =
            rate_text(rates_find(rates, exact_copy(found_cases[i].code, 3)));
        if (strcmp(rate, found_cases[i].rate) != 0)
            fail_msg("%s is %s, not %s", found_cases[i].code, rate,
                     found_cases[i].rate);
    }
    assert_int_equal(rates_count(rates), 8);
    assert_string_equal(rates_provider(rates), "ecb");
    assert_string_equal(rates_base(rates), "EUR");
    assert_int_equal(rates_as_of(rates).number, 18765);
}

static void adding_and_finding(void **state) {
    (void)state;
    struct rates *rates = filled();
    check_filled(rates);
    assert_int_equal(rates_fetched_ms(rates), 1621373562000);
    rates_release(&rates);
    assert_null(rates);
    rates_release(&rates); /* none: nothing happens */
}

/* Texts as they were published, however the table came to be. */
static const struct {
    const char *published, *printed;
} texts[] = {
    {"1.2220", "1.2220"},
    {"1.222385", "1.222385"},
    {"1", "1"},
    {"1.0", "1.0"},
    {"1.000000", "1.000000"},
    {"10.00", "10.00"},
    {"1936.270", "1936.270"},
    {"0.10", "0.10"},
    {"0.000000001", "0.000000001"},
    {"0.0000000010", "0.0000000010"},
    {"0.123456789012345678", "0.123456789012345678"},
    {"1.50000000000000000000", "1.500000000000000000"}, /* 18 decimals */
    {"1e-5", "0.00001"},
    {"1.20E-5", "0.0000120"},
    {"1.5e3", "1500"},
    {"1.5000e3", "1500.0"},
    {"10000000000", "10000000000"},
    {"9999999999.99999990", "9999999999.99999990"},
};

static void the_published_text(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct rates *rates = rates_new("p", "EUR", (day){20000}, 0);
        struct rate filled = {.code = "USD"};
        struct span text =
            exact_copy(texts[i].published, strlen(texts[i].published));
        char out[RATE_TEXT_SIZE];
        assert_int_equal(rates_add(rates, span_of("USD"), text), RATES_ADDED);
        assert_int_equal(rates_read("EUR", "USD", text, &filled), RATES_ADDED);
        struct rates *copy = rates_copy(rates, 1);
        struct rates *other = rates_new("p", "EUR", (day){20000}, 0);
        rates_fill(other, &filled, 1);
        struct rates *const all[] = {rates, copy, other};
        for (size_t j = 0; j < COUNT_OF(all); j++) {
            assert_true(rates_print(all[j], span_of("USD"), out));
            assert_string_equal(out, texts[i].printed);
        }
        assert_true(rates_print(rates, span_of("EUR"), out));
        assert_string_equal(out, "1");
        assert_false(rates_print(rates, span_of("JPY"), out));
        assert_string_equal(out, "");
        rates_release(&rates);
        rates_release(&copy);
        rates_release(&other);
    }
}

static void copies_and_references(void **state) {
    (void)state;
    struct rates *rates = filled(), *other = rates_hold(rates);
    rates_release(&other);
    struct rates *copy = rates_copy(rates, 5);
    rates_release(&rates);
    check_filled(copy);
    assert_int_equal(rates_fetched_ms(copy), 5);
    /* A copy is the caller's to add to. */
    assert_int_equal(rates_add(copy, span_of("NEW"), span_of("1")),
                     RATES_ADDED);
    rates_release(&copy);
    struct rates *empty = rates_new("x", "EUR", (day){0}, 0);
    copy = rates_copy(empty, 0);
    assert_int_equal(rates_count(copy), 0);
    assert_null(rates_find(copy, span_of("USD")));
    rates_release(&empty);
    rates_release(&copy);
}

static void a_thousand_currencies(void **state) {
    (void)state;
    struct rates *rates = rates_new("x", "EUR", (day){0}, 0);
    char code[4] = "", rate[8];
    for (int i = 0; i < 1010; i++) {
        /* In an order that is none. */
        int k = i * 7 % 1010;
        sprintf(code, "%c%c%c", 'A' + k / 676, 'A' + k / 26 % 26, 'A' + k % 26);
        sprintf(rate, "%d", k + 1);
        if (rates_add(rates, span_of(code), span_of(rate)) !=
            (i < 1000 ? RATES_ADDED : RATES_TOO_MANY))
            fail_msg("%s, number %d", code, i);
    }
    assert_int_equal(rates_count(rates), 1000);
    assert_string_equal(rate_text(rates_find(rates, span_of("AAA"))), "1");
    assert_string_equal(rate_text(rates_find(rates, span_of("BAA"))), "677");
    rates_release(&rates);
}

/* What a currency is converted with, of tables with several bases. */
static const struct {
    const char *base, *list, *currency;
    const char *euro, *rate; /* NULL: there is none */
} pair_cases[] = {
    {"EUR", "USD 1.25 JPY 130", "USD", "1", "1.25"},
    {"EUR", "USD 1.25 JPY 130", "EUR", "1", "1"},
    {"EUR", "USD 1.25 JPY 130", "GBP", NULL, NULL},
    {"USD", "EUR 0.8 JPY 109.5", "JPY", "0.8", "109.5"},
    {"USD", "JPY 109.5 EUR 0.8", "JPY", "0.8", "109.5"},
    {"USD", "EUR 0.8 JPY 109.5", "USD", "0.8", "1"},
    {"USD", "EUR 0.8 JPY 109.5", "EUR", "0.8", "0.8"},
    {"USD", "EUR 0.8 JPY 109.5", "GBP", NULL, NULL},
    {"USD", "EUR 0.8", "USD", "0.8", "1"},
    {"GBP", "AUD 1.9 EUR 1.16 USD 1.35", "AUD", "1.16", "1.9"},
    {"JPY", "EUR 0.000000001 USD 10000000000", "USD", "0.000000001",
     "10000000000"},
    {"XAU", "EUR 1000000000", "XAU", "1000000000", "1"},
};

static void check_pair(const struct rates *rates, size_t i) {
    struct rate_pair pair;
    bool found =
        rates_find_pair(rates, exact_copy(pair_cases[i].currency, 3), &pair);
    if (found != (pair_cases[i].euro != NULL))
        fail_msg("case %zu: found %d", i, found);
    if (!found)
        return;
    assert_string_equal(rate_text(&pair.euro), pair_cases[i].euro);
    assert_string_equal(rate_text(&pair.currency), pair_cases[i].rate);
}

static void pairs_of_one_table(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pair_cases); i++) {
        struct rates *rates = table_with_base("x", pair_cases[i].base,
                                              "2021-05-18", pair_cases[i].list);
        assert_null(rates_fault(rates));
        check_pair(rates, i);
        struct rates *copy = rates_copy(rates, 0);
        check_pair(copy, i);
        rates_release(&copy);
        rates_release(&rates);
    }
}

static void what_is_no_table(void **state) {
    (void)state;
    struct rates *rates = rates_new("x", "EUR", (day){0}, 0);
    assert_string_equal(rates_fault(rates), "no rates");
    assert_int_equal(rates_add(rates, span_of("EUR"), span_of("1")),
                     RATES_BASE);
    assert_string_equal(rates_fault(rates), "no rates");
    rates_release(&rates);
    rates = table_with_base("x", "USD", "2021-05-18", "JPY 109.5");
    assert_string_equal(rates_fault(rates), "no rate of the euro");
    /* More euro for one of the base than any amount has room for. */
    assert_int_equal(
        rates_add(rates, span_of("EUR"), span_of("1000000000.00000001")),
        RATES_BAD_RATE);
    assert_int_equal(rates_add(rates, span_of("USD"), span_of("1.0")),
                     RATES_BASE);
    assert_int_equal(rates_add(rates, span_of("USD"), span_of("1.1")),
                     RATES_OTHER_BASE);
    assert_string_equal(rates_fault(rates), "no rate of the euro");
    assert_int_equal(rates_add(rates, span_of("EUR"), span_of("0.8")),
                     RATES_ADDED);
    assert_null(rates_fault(rates));
    rates_release(&rates);
}

static void days_as_they_are_asked_for(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int32_t number;
    } days[] = {
        {"latest", true, INT32_MAX},
        {"2021-05-18", true, 18765},
        {"1970-01-01", true, 0},
        {"Latest", false, 0},
        {"latest ", false, 0},
        {"", false, 0},
        {"2021-05-18T00:00:00Z", false, 0},
        {"2021-02-29", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(days); i++) {
        day found;
        char text[DAY_TEXT_SIZE];
        bool good = rates_day_parse(
            exact_copy(days[i].text, strlen(days[i].text)), &found);
        if (good != days[i].good)
            fail_msg("`%s`: %d", days[i].text, good);
        if (!good)
            continue;
        assert_int_equal(found.number, days[i].number);
        rates_day_print(found, text);
        assert_string_equal(text, days[i].text);
    }
}

static void the_json_form(void **state) {
    (void)state;
    struct rates *rates = filled();
    struct json_object *message = message_new(MESSAGE_RATES);
    rates_to_message(rates, message);
    struct span line = message_line(message);
    static const char wanted[] =
        "{\"op\":\"rates\",\"as_of\":\"2021-05-18\",\"base\":\"EUR\","
        "\"provider\":\"ecb\",\"fetched_at\":\"2021-05-18T21:32:42.000Z\","
        "\"rates\":{\"AAA\":\"1\",\"MAV\":\"9999999999.99999999\","
        "\"MAW\":\"10000000000\",\"MAX\":\"10000000000\","
        "\"MIM\":\"0.000000001\",\"MIN\":\"0.000000001\","
        "\"USD\":\"1.222385\",\"ZZZ\":\"1.50\"}}";
    if (!span_equals(line, wanted))
        fail_msg("%.*s", (int)line.len, line.data);
    const char *why = "none";
    struct json_object *again = message_parse(line);
    struct rates *read = rates_from_message(again, &why);
    if (read == NULL)
        fail_msg("refused: %s", why);
    check_filled(read);
    assert_int_equal(rates_fetched_ms(read), 1621373562000);
    rates_release(&read);
    rates_release(&rates);
    json_object_put(message);
    json_object_put(again);
}

#define HEAD "{\"as_of\":\"2021-05-18\",\"base\":\"EUR\",\"provider\":\"p\","
#define WHEN "\"fetched_at\":\"2021-05-18T21:32:42Z\","

#define DOLLARS                                                                \
    "{\"as_of\":\"2021-05-18\",\"base\":\"USD\",\"provider\":\"p\"," WHEN      \
    "\"rates\":"

static const char *const bad_messages[] = {
    "{}",
    HEAD "\"rates\":{\"USD\":\"1.2\"}}",
    HEAD WHEN "\"rates\":{}}",
    HEAD WHEN "\"rates\":[\"USD\"]}",
    HEAD WHEN "\"rates\":null}",
    HEAD WHEN "\"rats\":{\"USD\":\"1.2\"}}",
    HEAD "\"fetched_at\":\"yesterday\",\"rates\":{\"USD\":\"1.2\"}}",
    HEAD "\"fetched_at\":5,\"rates\":{\"USD\":\"1.2\"}}",
    "{\"as_of\":\"latest\",\"base\":\"EUR\",\"provider\":\"p\"," WHEN
    "\"rates\":{\"USD\":\"1.2\"}}",
    "{\"as_of\":\"2021-02-29\",\"base\":\"EUR\",\"provider\":\"p\"," WHEN
    "\"rates\":{\"USD\":\"1.2\"}}",
    "{\"as_of\":\"2021-05-18\",\"base\":\"EURO\",\"provider\":\"p\"," WHEN
    "\"rates\":{\"USD\":\"1.2\"}}",
    "{\"as_of\":\"2021-05-18\",\"base\":\"eur\",\"provider\":\"p\"," WHEN
    "\"rates\":{\"USD\":\"1.2\"}}",
    "{\"as_of\":\"2021-05-18\",\"base\":\"EUR\",\"provider\":1," WHEN
    "\"rates\":{\"USD\":\"1.2\"}}",
    "{\"as_of\":\"2021-05-18\",\"provider\":\"p\"," WHEN
    "\"rates\":{\"USD\":\"1.2\"}}",
    /* The only rate there is, and it is none. */
    HEAD WHEN "\"rates\":{\"USD\":1.2}}",
    HEAD WHEN "\"rates\":{\"USD\":\"0\"}}",
    HEAD WHEN "\"rates\":{\"USD\":\"-1\"}}",
    HEAD WHEN "\"rates\":{\"USD\":\"1e11\"}}",
    HEAD WHEN "\"rates\":{\"USD\":null}}",
    HEAD WHEN "\"rates\":{\"usd\":\"1\"}}",
    /* The base has another rate than 1, or the euro has none. */
    HEAD WHEN "\"rates\":{\"EUR\":\"0.8\",\"USD\":\"1\"}}",
    HEAD WHEN "\"rates\":{\"EUR\":1,\"USD\":\"1.2\"}}",
    DOLLARS "{\"JPY\":\"109.5\"}}",
    DOLLARS "{\"JPY\":\"109.5\",\"EUR\":\"0\"}}",
    DOLLARS "{\"JPY\":\"109.5\",\"EUR\":0.8}}",
    DOLLARS "{\"EUR\":\"0.8\",\"USD\":\"1.2\"}}",
    DOLLARS "{}}",
};

static void one_rate_is_a_table(void **state) {
    (void)state;
    const char *why = NULL;
    struct json_object *message =
        message_parse(span_of(HEAD WHEN "\"rates\":{\"USD\":\"1.2\"}}"));
    struct rates *rates = rates_from_message(message, &why);
    assert_non_null(rates);
    assert_null(why);
    assert_int_equal(rates_count(rates), 1);
    assert_string_equal(rates_provider(rates), "p");
    rates_release(&rates);
    json_object_put(message);
}

static void the_base_travels_along(void **state) {
    (void)state;
    const char *why = NULL;
    struct json_object *message = message_parse(
        span_of(DOLLARS "{\"EUR\":\"0.80\",\"JPY\":\"109.5\",\"USD\":\"1\"}}"));
    struct rates *rates = rates_from_message(message, &why);
    assert_non_null(rates);
    json_object_put(message);
    assert_string_equal(rates_base(rates), "USD");
    message = message_new(MESSAGE_RATES);
    rates_to_message(rates, message);
    static const char wanted[] =
        "{\"op\":\"rates\",\"as_of\":\"2021-05-18\",\"base\":\"USD\","
        "\"provider\":\"p\",\"fetched_at\":\"2021-05-18T21:32:42.000Z\","
        "\"rates\":{\"EUR\":\"0.80\",\"JPY\":\"109.5\"}}";
    struct span line = message_line(message);
    if (!span_equals(line, wanted))
        fail_msg("%.*s", (int)line.len, line.data);
    rates_release(&rates);
    json_object_put(message);
}

static void a_bad_rate_is_left_out(void **state) {
    (void)state;
    const char *why = NULL;
    struct json_object *message = message_parse(
        span_of(HEAD WHEN "\"rates\":{\"USD\":\"1.2\",\"GBP\":\"0\","
                          "\"JPY\":160,\"XX\":\"2\"}}"));
    struct rates *rates = rates_from_message(message, &why);
    assert_non_null(rates);
    assert_int_equal(rates_count(rates), 1);
    assert_non_null(rates_find(rates, span_of("USD")));
    rates_release(&rates);
    json_object_put(message);
}

static void bad_messages_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad_messages); i++) {
        const char *why = NULL;
        struct json_object *message = message_parse(span_of(bad_messages[i]));
        assert_non_null(message);
        struct rates *rates = rates_from_message(message, &why);
        if (rates != NULL || why == NULL || *why == '\0')
            fail_msg("%s: taken, or no reason is given", bad_messages[i]);
        json_object_put(message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_and_finding),
        cmocka_unit_test(the_published_text),
        cmocka_unit_test(copies_and_references),
        cmocka_unit_test(a_thousand_currencies),
        cmocka_unit_test(days_as_they_are_asked_for),
        cmocka_unit_test(the_json_form),
        cmocka_unit_test(one_rate_is_a_table),
        cmocka_unit_test(pairs_of_one_table),
        cmocka_unit_test(what_is_no_table),
        cmocka_unit_test(the_base_travels_along),
        cmocka_unit_test(a_bad_rate_is_left_out),
        cmocka_unit_test(bad_messages_are_refused),
    };
    return cmocka_run_group_tests_name("rates", tests, NULL, NULL);
}
