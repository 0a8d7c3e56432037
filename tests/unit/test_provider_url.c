/* url: its request, and what is made of its answers. */
#include "tests/unit/provider_reading.h"

#define API   (provider_url.api)
#define PLACE "https://rates.example/eurofxref-hist.csv"
#define TODAY "2021-06-18"
#define DAY   "2021-05-18"

/* One resource, whatever day is asked about. */
static void one_request(void **state) {
    (void)state;
    static const char *const days[] = {"latest", DAY, "1999-01-04"};
    for (size_t i = 0; i < COUNT_OF(days); i++) {
        check_request(API, &(struct request_case){PLACE, NULL, days[i], TODAY,
                                                  PLACE, ""});
        assert_int_equal(API->resource(day_of(days[i]), day_of(TODAY)), 0);
    }
}

#define NOT_CSV "refused: not the CSV of the ECB, or no rates"

static const struct body_case bodies[] = {
    {"days", DAY, TODAY,
     "Date,USD,JPY,\n2021-05-18,1.2220,133.09,\n2021-05-17,1.21,N/A,\n",
     "2021-05-17 USD=1.21; 2021-05-18 JPY=133.09 USD=1.2220"},
    {"oldest first", "latest", TODAY,
     "Date,USD\n2021-05-17,1.21\n2021-05-18,1.22\n",
     "2021-05-17 USD=1.21; 2021-05-18 USD=1.22"},
    {"what is no rate", "latest", TODAY,
     "Date,USD,JPY\n2021-05-18,1.22,-1\nyesterday,1,1\n",
     "2021-05-18 USD=1.22; 2 bad, -1 first"},
    {"a row that is cut", "latest", TODAY,
     "Date,USD\n2021-05-17,1.21\n2021-05-18,1.2",
     "2021-05-17 USD=1.21; 1 bad, 2021-05-18 first"},
    {"a first line alone", "latest", TODAY, "Date,USD\n", NOT_CSV},
    {"another first line", "latest", TODAY, "Day,USD\n2021-05-18,1.22\n",
     NOT_CSV},
    {"JSON", "latest", TODAY, "{\"rates\":{\"USD\":1.22}}", NOT_CSV},
    {"HTML", "latest", TODAY, "<!DOCTYPE html>\n<html></html>\n",
     NOT_CSV "; 1 bad, <html></html> first"},
    {"empty", "latest", TODAY, "", NOT_CSV},
};

static void answers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        for (reading_piece = 0; reading_piece < 4; reading_piece++)
            check_body(API, &bodies[i]);
    reading_piece = 0;
}

static const struct fixture_case fixtures[] = {
    {"ecb/eurofxref-hist-2021-03-25_2021-06-18.csv", DAY, TODAY,
     "2021-03-25 AUD=", 60, 1920},
    {"ecb/eurofxref-hist-90d-2025.xml", DAY, TODAY, NOT_CSV, 0, 0},
};

static void captured(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fixtures); i++)
        check_fixture(API, &fixtures[i]);
}

static void settings_it_reads(void **state) {
    (void)state;
    assert_string_equal(API->name, "url");
    assert_string_equal(API->base, "EUR");
    assert_int_equal(API->address, SETTING_RATES_URL);
    assert_int_equal(API->key, SETTINGS);
    assert_int_equal(API->no_table_status, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request),
        cmocka_unit_test(answers),
        cmocka_unit_test(captured),
        cmocka_unit_test(settings_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
