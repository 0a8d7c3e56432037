/* ecb: its requests, and what is made of its answers. */
#include "tests/unit/provider_reading.h"

#define API   (provider_ecb.api)
#define HOST  "https://www.ecb.europa.eu/stats/eurofxref"
#define TODAY "2025-11-21"
#define DAY   "2025-06-13"

/* The file of ninety days is asked for 85 of them: 2025-08-28 is the last. */
static const struct request_case requests[] = {
    {HOST, NULL, "latest", TODAY, HOST "/eurofxref-daily.xml", ""},
    {HOST, NULL, TODAY, TODAY, HOST "/eurofxref-hist-90d.xml", ""},
    {HOST, NULL, "2025-11-20", TODAY, HOST "/eurofxref-hist-90d.xml", ""},
    {HOST, NULL, "2025-08-28", TODAY, HOST "/eurofxref-hist-90d.xml", ""},
    {HOST, NULL, "2025-08-27", TODAY, HOST "/eurofxref-hist.zip", ""},
    {HOST, NULL, "1999-01-04", TODAY, HOST "/eurofxref-hist.zip", ""},
    {"http://[::1]:8080/ecb", NULL, "latest", TODAY,
     "http://[::1]:8080/ecb/eurofxref-daily.xml", ""},
};

static void urls_and_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++)
        check_request(API, &requests[i]);
}

#define NOT_ECB  "refused: not the XML of the ECB"
#define NO_RATES "refused: no rates"

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define ENVELOPE                                                               \
    "<gesmes:Envelope xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\" "  \
    "xmlns=\"http://www.ecb.int/vocabulary/2002-08-01/eurofxref\">"
#define HEAD                                                                   \
    XML ENVELOPE "<gesmes:subject>Reference rates</gesmes:subject>"            \
                 "<gesmes:Sender><gesmes:name>European Central Bank"           \
                 "</gesmes:name></gesmes:Sender>"
#define END            "</gesmes:Envelope>"
#define CUBES(all)     HEAD "<Cube>" all "</Cube>" END
#define RATE(c, r)     "<Cube currency=\"" c "\" rate=\"" r "\"/>"
#define OF_DAY(d, all) "<Cube time=\"" d "\">" all "</Cube>"

static const char daily[] =
    XML "\n" ENVELOPE "\n\t<gesmes:subject>Reference rates</gesmes:subject>\n"
        "\t<Cube>\n\t\t<Cube time='2025-11-20'>\n"
        "\t\t\t<Cube currency='USD' rate='1.0690'/>\n"
        "\t\t\t<Cube currency='JPY' rate='184.87'/>\n"
        "\t\t</Cube>\n\t</Cube>\n" END "\n";

static const struct body_case bodies[] = {
    {"the daily file: single quotes, indented", "latest", TODAY, daily,
     "2025-11-20 JPY=184.87 USD=1.0690"},
    {"many days in one line: double quotes, newest first", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13", RATE("USD", "1.1512") RATE("JPY", "165.94"))
               OF_DAY("2025-06-12", RATE("USD", "1.1605"))),
     "2025-06-12 USD=1.1605; 2025-06-13 JPY=165.94 USD=1.1512"},
    {"oldest first", DAY, TODAY,
     CUBES(OF_DAY("2025-06-12", RATE("USD", "1.1605"))
               OF_DAY("2025-06-13", RATE("USD", "1.1512"))),
     "2025-06-12 USD=1.1605; 2025-06-13 USD=1.1512"},
    {"no declaration, no head", DAY, TODAY,
     "<gesmes:Envelope><Cube><Cube time=\"2025-06-13\"><Cube rate='1.1512' "
     "x='y' currency=\"USD\" ></Cube></Cube></Cube></gesmes:Envelope>",
     "2025-06-13 USD=1.1512"},
    {"comments, CDATA, an instruction", DAY, TODAY,
     "<gesmes:Envelope><!-- <Cube time='2025-06-11'/> --><?x <Cube>?>"
     "<Cube><Cube time='2025-06-13'><![CDATA[<Cube currency='JPY' "
     "rate='1'/>]]><Cube currency='USD' rate='1.1512'/></Cube></Cube>" END,
     "2025-06-13 USD=1.1512"},
    {"escapes", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13", RATE("&#85;S&#x44;", "1&#46;1512"))),
     "2025-06-13 USD=1.1512"},
    {"digits", "latest", TODAY,
     CUBES(OF_DAY("1999-01-04", RATE("ROL", "41429") RATE("TRL", "1912400")
                                    RATE("USD", "1.17890"))),
     "1999-01-04 ROL=41429 TRL=1912400 USD=1.17890"},
    {"no rates", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13",
                  RATE("BGN", "0") RATE("CAD", "-1") RATE("CHF", "1e12")
                      RATE("CNY", "NaN") RATE("CZK", "N/A") RATE("DKK", "")
                          RATE("GBP", " 0.85") RATE("HKD", "9,0362")
                              RATE("HUF", "0x10") RATE("USD", "1.1512"))),
     "2025-06-13 USD=1.1512; 9 bad, BGN first"},
    {"codes that are none", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13", RATE("USDT", "1") RATE("usd", "1") RATE("", "1")
                                    RATE("USD", "1.1512"))),
     "2025-06-13 USD=1.1512"},
    {"a currency twice: the first", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13", RATE("USD", "1.1512") RATE("USD", "9"))),
     "2025-06-13 USD=1.1512"},
    {"a day with another base", DAY, TODAY,
     CUBES(OF_DAY("2025-06-12", RATE("USD", "1.1605") RATE("EUR", "1.0"))
               OF_DAY("2025-06-13",
                      RATE("JPY", "144") RATE("EUR", "0.86") RATE("USD", "1"))),
     "2025-06-12 USD=1.1605"},
    {"a day twice: the last", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13", RATE("USD", "1.1"))
               OF_DAY("2025-06-13", RATE("USD", "1.2"))),
     "2025-06-13 USD=1.2"},
    {"a cube without a day", DAY, TODAY,
     CUBES(RATE("JPY", "1") OF_DAY("2025-06-13", RATE("USD", "1.1512"))),
     "2025-06-13 USD=1.1512"},
    {"a day that is none", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13", RATE("USD", "1.1512"))
               OF_DAY("2025-02-30", RATE("JPY", "1"))
                   OF_DAY("13 June 2025", RATE("CHF", "1"))
                       OF_DAY("", RATE("SEK", "1"))),
     "2025-06-13 USD=1.1512"},
    {"days without rates", DAY, TODAY,
     CUBES(OF_DAY("2025-06-12", "") OF_DAY("2025-06-13", RATE("USD", "1.1512"))
               OF_DAY("2025-06-11", RATE("USD", "0"))),
     "2025-06-13 USD=1.1512; 1 bad, USD first"},
    {"half a rate", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13", "<Cube currency='JPY'/><Cube rate='2'/>" RATE(
                                    "USD", "1.1512"))),
     "2025-06-13 USD=1.1512"},
    {"no cubes", DAY, TODAY, HEAD END, NO_RATES},
    {"empty cubes", DAY, TODAY, CUBES(""), NO_RATES},
    {"nothing but bad rates", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13", RATE("USD", "0"))),
     NO_RATES "; 1 bad, USD first"},
    {"another root", DAY, TODAY,
     "<Envelope><Cube><Cube time='2025-06-13'><Cube currency='USD' "
     "rate='1.1512'/></Cube></Cube></Envelope>",
     NOT_ECB},
    {"the envelope inside another root", DAY, TODAY,
     "<x>" ENVELOPE "<Cube><Cube time='2025-06-13'><Cube currency='USD' "
     "rate='1.1512'/></Cube></Cube>" END "</x>",
     NOT_ECB},
    {"XHTML", "latest", TODAY,
     "<html><body><Cube time='2025-06-13'><Cube currency='USD' "
     "rate='1'/></Cube></body></html>",
     NOT_ECB},
    {"HTML", "latest", TODAY,
     "<!DOCTYPE html>\n<html><head><meta charset=utf-8><title>503</title>"
     "</head><body><br></body></html>",
     NOT_ECB},
    {"JSON", "latest", TODAY, "{\"data\":{\"USD\":1.1}}", NOT_ECB},
    {"empty", "latest", TODAY, "", NOT_ECB},
    {"blanks", "latest", TODAY, "\n ", NOT_ECB},
    {"no UTF-8", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13", RATE("\xff", "1") RATE("USD", "1.1512"))),
     NOT_ECB},
    {"an attribute twice", DAY, TODAY,
     CUBES(
         OF_DAY("2025-06-13", "<Cube currency='USD' rate='1.1' rate='1.2'/>")),
     NOT_ECB},
    {"crossed tags", DAY, TODAY,
     HEAD "<Cube><Cube time='2025-06-13'><Cube currency='USD' rate='1.1'>"
          "</Cube></Cube>" END "</Cube>",
     NOT_ECB},
    {"something behind it", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13", RATE("USD", "1.1512"))) "<x/>", NOT_ECB},
    {"an unknown entity", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13", RATE("USD", "&one;"))), NOT_ECB},
    {"an external entity is not fetched", DAY, TODAY,
     "<!DOCTYPE gesmes:Envelope [<!ENTITY f SYSTEM \"file:///etc/hostname\">]>"
     "<gesmes:Envelope>&f;<Cube><Cube time='2025-06-13'><Cube currency='USD' "
     "rate='1.1512'/></Cube></Cube>" END,
     "2025-06-13 USD=1.1512"},
    {"an external entity in a rate", DAY, TODAY,
     "<!DOCTYPE gesmes:Envelope [<!ENTITY f SYSTEM \"file:///etc/hostname\">]>"
     "<gesmes:Envelope><Cube><Cube time='2025-06-13'><Cube currency='USD' "
     "rate='&f;'/></Cube></Cube>" END,
     NOT_ECB},
};

/* Whole, and cut into pieces of many lengths. */
static void check_pieces(const struct body_case *c) {
    size_t len = strlen(c->body);
    for (reading_piece = 0; reading_piece < len;
         reading_piece += reading_piece < 50 ? 1 : 29)
        check_body(API, c);
    reading_piece = 0;
}

static void answers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        check_body(API, &bodies[i]);
        check_pieces(&bodies[i]);
    }
}

/* Of what stands where, as most of it is read without the XML parser. */
static const struct body_case places[] = {
    {"plain rates where no element can be", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13",
                  RATE("USD", "1.1512") "<!-- " RATE(
                      "JPY", "1") " -->"
                                  "<![CDATA[" RATE("CHF", "2") "]]><?x " RATE(
                                      "CZK", "3") "?>" RATE("SEK", "4"))),
     "2025-06-13 SEK=4 USD=1.1512"},
    {"a comment, CDATA or an instruction at the day's beginning", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13",
                  "<!-- > " RATE("JPY", "1") "-->" RATE("USD", "1.1512"))
               OF_DAY("2025-06-12",
                      "<![CDATA[>" RATE("JPY", "1") "]]>" RATE("USD", "2"))),
     "2025-06-12 USD=2; 2025-06-13 USD=1.1512"},
    {"before a day, between days, behind the last", DAY, TODAY,
     HEAD "<Cube>" RATE("JPY", "1") OF_DAY("2025-06-13", RATE("USD", "1.1512"))
         RATE("JPY", "2") OF_DAY("2025-06-12", RATE("USD", "2")) "</Cube>" RATE(
             "JPY", "3") END,
     "2025-06-12 USD=2; 2025-06-13 USD=1.1512"},
    {"in an element of the day", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13",
                  "<x>" RATE("JPY", "1") "</x>" RATE("USD", "1.1512"))),
     "2025-06-13 JPY=1 USD=1.1512"},
    {"a > in an attribute", DAY, TODAY,
     CUBES("<Cube x='>' time='2025-06-13' y='>'>" RATE(
         "USD",
         "1.1512") "<Cube currency='JPY' x='>' rate='1'/>" RATE("SEK",
                                                                "4") "</Cube>"),
     "2025-06-13 JPY=1 SEK=4 USD=1.1512"},
    {"text, and rates that are nearly plain", DAY, TODAY,
     CUBES(OF_DAY(
         "2025-06-13",
         "a > b" RATE("USD",
                      "1.1512") " "
                                "<Cube  currency=\"JPY\" rate=\"1\"/>"
                                "<Cube currency=\"CHF\" rate=\"2\" />"
                                "<Cube currency=\"SEK\"  rate=\"3\"/>"
                                "<Cube currency=\"CZK\" rate=\"4\"></Cube>"
                                "<Cube currency=\"DKK\" rate='5'/>" RATE("GBP",
                                                                         "6"))),
     "2025-06-13 CHF=2 CZK=4 DKK=5 GBP=6 JPY=1 SEK=3 USD=1.1512"},
    {"days whose currencies differ", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13",
                  RATE("USD", "1") RATE("JPY", "2") RATE("AUD", "3"))
               OF_DAY("2025-06-12",
                      RATE("JPY", "4") RATE("CHF", "5") RATE("USD", "6"))),
     "2025-06-12 CHF=5 JPY=4 USD=6; 2025-06-13 AUD=3 JPY=2 USD=1"},
    {"an entity that is a rate, or a day", DAY, TODAY,
     "<!DOCTYPE x [<!ENTITY r \"<Cube currency='JPY' rate='1'/>\">"
     "<!ENTITY d \"<Cube time='2025-06-12'><Cube currency='CHF' rate='2'/>"
     "</Cube>\">]><gesmes:Envelope><Cube><Cube time='2025-06-13'>&r;" RATE(
         "USD", "1.1512") "</Cube>&d;" RATE("SEK", "3") "</Cube>" END,
     "2025-06-12 CHF=2; 2025-06-13 JPY=1 USD=1.1512"},
    {"a plain rate, and then no XML", DAY, TODAY,
     CUBES(OF_DAY("2025-06-13", RATE("USD", "1.1512") "<<")), NOT_ECB},
    {"a plain rate, and then another end", DAY, TODAY,
     HEAD
     "<Cube><Cube time=\"2025-06-13\">" RATE("USD", "1.1512") "</x></Cube>" END,
     NOT_ECB},
};

static void where_rates_stand(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++)
        check_pieces(&places[i]);
}

/* A rate is of the day that it stands in, not of the one before it. */
static void a_rate_behind_its_day(void **state) {
    (void)state;
    static const struct body_case c = {
        "a cube behind its day", DAY, TODAY,
        CUBES(OF_DAY("2025-06-13", RATE("USD", "1.1512")) RATE("JPY", "1")),
        "2025-06-13 USD=1.1512"};
    check_body(API, &c);
}

/* Entities that grow tenfold nine times: a gigabyte, if they are resolved. */
static void entities_that_grow(void **state) {
    (void)state;
    static char body[4096];
    size_t len = (size_t)sprintf(body, "<!DOCTYPE x [<!ENTITY e0 \"1\">");
    for (int i = 1; i <= 9; i++) {
        len += (size_t)sprintf(body + len, "<!ENTITY e%d \"", i);
        for (int n = 0; n < 10; n++)
            len += (size_t)sprintf(body + len, "&e%d;", i - 1);
        len += (size_t)sprintf(body + len, "\">");
    }
    strcpy(body + len, "]><gesmes:Envelope><Cube><Cube time='2025-06-13'><Cube "
                       "currency='USD' rate='&e9;'/></Cube></Cube>" END);
    size_t tables, rates;
    assert_string_equal(
        describe(API, DAY, TODAY, body, strlen(body), &tables, &rates),
        NOT_ECB);
}

/* Elements in one another, a hundred thousand deep. */
static void deep(void **state) {
    (void)state;
    enum { DEPTH = 100000 };
    char *body = memory_new(DEPTH * 6 + 64);
    size_t len = (size_t)sprintf(body, "<gesmes:Envelope>"), tables, rates;
    for (int i = 0; i < DEPTH; i++)
        len += (size_t)sprintf(body + len, "<Cube>");
    assert_string_equal(describe(API, DAY, TODAY, body, len, &tables, &rates),
                        NOT_ECB);
    free(body);
}

static void cut_and_damaged(void **state) {
    (void)state;
    static const char many[] =
        CUBES(OF_DAY("2025-06-13", RATE("USD", "1.1512"))
                  OF_DAY("2025-06-12", RATE("USD", "1.1605")));
    char *trimmed = memory_copy(daily, sizeof daily - 2); /* no last newline */
    check_truncated(API, "latest", TODAY, trimmed, "not the XML of the ECB");
    check_truncated(API, DAY, TODAY, many, "not the XML of the ECB");
    check_damaged(API, "latest", TODAY, trimmed);
    check_damaged(API, DAY, TODAY, many);
    free(trimmed);
}

static const struct fixture_case fixtures[] = {
    {"ecb/eurofxref-daily-pulled-2026-08-19-morning.xml", "latest",
     "2026-08-19", "2026-08-18 AUD=1.6278 BRL=6.0281 CAD=1.6060 CHF=0.9406", 1,
     29},
    {"ecb/eurofxref-hist-90d-2025.xml", DAY, "2025-06-18",
     "2025-03-21 AUD=1.724 BGN=1.9558", 61, 1830},
    {"ecb/eurofxref-hist-1999-2002.csv", DAY, TODAY, NOT_ECB, 0, 0},
    {"frankfurter/v1-2025-06-13-EUR.json", DAY, TODAY, NOT_ECB, 0, 0},
};

static void captured(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fixtures); i++)
        check_fixture(API, &fixtures[i]);
}

/* Its files have all days: no status means that there is no table. */
static void statuses(void **state) {
    (void)state;
    assert_int_equal(provider_ecb.api->no_table_status, 0);
}

static void settings_it_reads(void **state) {
    (void)state;
    assert_string_equal(provider_ecb.api->name, "ecb");
    assert_int_equal(provider_ecb.api->address, SETTING_ECB_URL);
    assert_int_equal(provider_ecb.api->key, SETTINGS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_and_headers),
        cmocka_unit_test(answers),
        cmocka_unit_test(where_rates_stand),
        cmocka_unit_test(a_rate_behind_its_day),
        cmocka_unit_test(entities_that_grow),
        cmocka_unit_test(deep),
        cmocka_unit_test(cut_and_damaged),
        cmocka_unit_test(captured),
        cmocka_unit_test(statuses),
        cmocka_unit_test(settings_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
