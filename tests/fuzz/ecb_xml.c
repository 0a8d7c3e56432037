/* The European Central Bank's XML, or the ZIP of all days. */
#include "tests/fuzz/tables.h"

/* Where a ZIP is asked for there is something else in its place. */
static void check_fall_back(const struct web_api *api, day when) {
    struct web_request other = {.url = ""};
    bool is_other =
        api->fall_back("https://example.org", when, FUZZ_TODAY, &other);
    HOLDS(is_other == (when.number < FUZZ_TODAY.number - 90), "%d",
          when.number);
    HOLDS(!is_other || strcmp(other.url, "https://example.org/"
                                         "eurofxref-hist.xml") == 0,
          "%s", other.url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    const struct web_text_reader *reader = provider_ecb.api->text;
    for (int days = 0; days < 3; days++) {
        tables_check_request(provider_ecb.api, day_add(FUZZ_TODAY, -80 * days),
                             "");
        check_fall_back(provider_ecb.api, day_add(FUZZ_TODAY, -80 * days));
    }
    tables_check_request(provider_ecb.api, RATES_LATEST, "");
    check_fall_back(provider_ecb.api, RATES_LATEST);
    struct tables_reading whole = tables_read(reader, text, 0);
    tables_check_pieces(reader, text, &whole);
    TABLES_FOREACH(rates, whole.history) {
        tables_check(rates);
        tables_check_message(rates);
    }
    history_free(&whole.history);
    return 0;
}
