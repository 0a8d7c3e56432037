/* The European Central Bank's XML. */
#include "tests/fuzz/tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    const struct web_text_reader *reader = provider_ecb.api->text;
    for (int days = 0; days < 3; days++)
        tables_check_request(provider_ecb.api, day_add(FUZZ_TODAY, -80 * days),
                             "");
    tables_check_request(provider_ecb.api, RATES_LATEST, "");
    struct tables_reading whole = tables_read(reader, text, 0);
    tables_check_pieces(reader, text, &whole);
    TABLES_FOREACH(rates, whole.history) {
        tables_check(rates);
        tables_check_message(rates);
    }
    history_free(&whole.history);
    return 0;
}
