/*
 * The table of one's own at RATES_URL, in the ECB's CSV form, plain or in a
 * ZIP: what is read is read again from a text that is made of it, and from a
 * ZIP around it.
 */
#include <zip.h>

#include "tests/fuzz/tables.h"

enum { ZIPPED_TEXTS = 4096 };

/* An archive with this text in it, as libzip makes it; free() it. */
static struct span zip_of(struct span text) {
    zip_stat_t stat;
    zip_source_t *out = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_source_keep(out);
    zip_t *archive = zip_open_from_source(out, ZIP_TRUNCATE, NULL);
    zip_source_t *in = zip_source_buffer(archive, text.data, text.len, 0);
    HOLDS(zip_file_add(archive, "rates.csv", in, 0) == 0 &&
              zip_set_file_compression(
                  archive, 0, text.len % 2 > 0 ? ZIP_CM_STORE : ZIP_CM_DEFLATE,
                  0) == 0 &&
              zip_close(archive) == 0 && zip_source_open(out) == 0 &&
              zip_source_stat(out, &stat) == 0,
          "%.*s", SPAN(text));
    char *bytes = malloc(stat.size);
    HOLDS(zip_source_read(out, bytes, stat.size) == (zip_int64_t)stat.size,
          "%.*s", SPAN(text));
    zip_source_close(out);
    zip_source_free(out);
    return (struct span){bytes, stat.size};
}

/* One that begins like an archive would be taken for one if it stood alone. */
static void check_zipped(const struct web_text_reader *reader, struct span text,
                         const struct tables_reading *whole) {
    if (text.len == 0 || text.len > ZIPPED_TEXTS || text.data[0] == 'P')
        return;
    struct span archive = zip_of(text);
    for (size_t piece = 0; piece < 100; piece += 97) {
        struct tables_reading ours = tables_read(reader, archive, piece);
        char *tables = tables_text(ours.history);
        char *right = tables_text(whole->history);
        HOLDS((ours.why == NULL) == (whole->why == NULL) &&
                  (ours.why != NULL || strcmp(tables, right) == 0),
              "%s, not %s: %snot\n%s", ours.why, whole->why, tables, right);
        free(tables);
        free(right);
        history_free(&ours.history);
    }
    free((char *)archive.data);
}

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
    check_zipped(reader, text, &whole);
    TABLES_FOREACH(rates, whole.history) {
        tables_check(rates);
        tables_check_message(rates);
        if (rates_count(rates) < 200)
            check_again(reader, rates);
    }
    history_free(&whole.history);
    return 0;
}
