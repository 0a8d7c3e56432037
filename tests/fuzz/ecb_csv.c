/*
 * The table of one's own at RATES_URL, in the ECB's CSV form: what is read is
 * read again from a text that is made of it.
 */
#include "tests/fuzz/tables.h"

/* A text of one day. free() it. */
static char *csv_of(const struct rates *rates) {
    char *text = NULL, date[DAY_TEXT_SIZE], code[RATES_CODE_LEN + 1];
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    fputs("Date", out);
    for (size_t i = 0; i < rates_count(rates); i++) {
        rates_code(rates, i, code);
        fprintf(out, ",%s", code);
    }
    day_print(rates_as_of(rates), date);
    fprintf(out, ",\n%s", date);
    for (size_t i = 0; i < rates_count(rates); i++) {
        char rate[RATE_TEXT_SIZE];
        rates_code(rates, i, code);
        rates_print(rates, span_of(code), rate);
        fprintf(out, ",%s", rate);
    }
    fputs(",", out);
    fclose(out);
    return text;
}

static void check_again(const struct web_text_reader *reader,
                        struct rates *rates) {
    char *text = csv_of(rates);
    struct tables_reading again = tables_read(reader, span_of(text), 0);
    struct history *one = history_new();
    history_add(one, rates_hold(rates));
    char *ours = tables_text(again.history), *right = tables_text(one);
    HOLDS(again.why == NULL && again.faults.count == 0, "%s", text);
    HOLDS(strcmp(ours, right) == 0, "%snot\n%s", ours, right);
    free(ours);
    free(right);
    history_free(&one);
    history_free(&again.history);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    const struct web_text_reader *reader = provider_url.api->text;
    tables_check_request(provider_url.api, FUZZ_TODAY, "");
    struct tables_reading whole = tables_read(reader, text, 0);
    tables_check_pieces(reader, text, &whole);
    TABLES_FOREACH(rates, whole.history) {
        tables_check(rates);
        tables_check_message(rates);
        if (rates_count(rates) < 200)
            check_again(reader, rates);
    }
    history_free(&whole.history);
    return 0;
}
