/* Tables as texts, for the targets that read rates. */
#ifndef FXWIRE_TESTS_FUZZ_TABLES_H
#define FXWIRE_TESTS_FUZZ_TABLES_H

#include "common/lines/message.h"
#include "ratefetcher/providers/web.h"
#include "tests/fuzz/fuzz.h"

/* 2025-06-13T12:00:00Z, a Friday */
#define FUZZ_NOW_MS INT64_C(1749816000000)
#define FUZZ_TODAY  day_of_ms(FUZZ_NOW_MS)

/* Whether all of it is as it must be after any reading. */
static inline void tables_check(const struct rates *rates) {
    static const struct decimal least = {1, 9}, most = {10000000000, 0};
    char code[RATES_CODE_LEN + 1], last[RATES_CODE_LEN + 1] = "";
    HOLDS(rates_fault(rates) == NULL, "%s", rates_fault(rates));
    HOLDS(rates_count(rates) <= RATES_MAX_CURRENCIES, "%zu",
          rates_count(rates));
    for (size_t i = 0; i < rates_count(rates); i++) {
        rates_code(rates, i, code);
        const struct decimal *rate = rates_find(rates, span_of(code));
        HOLDS(rates_is_code(span_of(code)) && strcmp(last, code) < 0, "%s",
              code);
        HOLDS(decimal_compare(*rate, least) >= 0 &&
                  decimal_compare(*rate, most) <= 0,
              "%s", code);
        HOLDS(strcmp(code, rates_base(rates)) != 0, "%s", code);
        struct rate_pair pair;
        HOLDS(rates_find_pair(rates, span_of(code), &pair) &&
                  decimal_compare(pair.currency, *rate) == 0 &&
                  decimal_compare(pair.euro, (struct decimal){0, 0}) > 0,
              "%s", code);
        strcpy(last, code);
    }
}

/* The base has the rate 1, and what is no currency none. */
static inline void tables_check_base(const struct rates *rates) {
    char text[RATE_TEXT_SIZE];
    struct rate_pair pair;
    struct span base = span_of(rates_base(rates));
    HOLDS(rates_print(rates, base, text) && strcmp(text, "1") == 0, "%s", text);
    HOLDS(decimal_compare(*rates_find(rates, base), (struct decimal){1, 0}) ==
              0,
          "%s", base.data);
    HOLDS(!rates_find_pair(rates, span_of("xyz"), &pair), "%s", base.data);
    HOLDS(!rates_print(rates, span_of("xyz"), text), "%s", text);
}

/* Its rates, put into a table at once, are the same table. */
static inline void tables_check_filled(struct rates *rates) {
    struct rate sorted[RATES_MAX_CURRENCIES];
    char text[RATE_TEXT_SIZE], again[RATE_TEXT_SIZE];
    size_t count = rates_count(rates);
    for (size_t i = 0; i < count; i++) {
        rates_code(rates, i, text);
        memcpy(sorted[i].code, text, RATES_CODE_LEN);
        rates_print(rates, (struct span){sorted[i].code, RATES_CODE_LEN}, text);
        HOLDS(rates_read(rates_base(rates), sorted[i].code, span_of(text),
                         &sorted[i]) == RATES_ADDED,
              "%s", text);
    }
    struct rates *one = rates_new("ecb", rates_base(rates), FUZZ_TODAY, 0);
    struct rates *same = rates_hold(one);
    rates_fill(one, sorted, count);
    rates_release(&one);
    HOLDS(rates_fault(same) == NULL && rates_count(same) == count, "%zu",
          count);
    for (size_t i = 0; i < count; i++) {
        struct span code = {sorted[i].code, RATES_CODE_LEN};
        rates_print(rates, code, text);
        HOLDS(rates_print(same, code, again) && strcmp(text, again) == 0, "%s",
              again);
    }
    rates_release(&same);
}

/* Its message's text is read as a table that has the same text. */
static inline void tables_check_message(struct rates *rates) {
    const char *why;
    tables_check_filled(rates);
    struct json_object *message =
        rates_message_new(rates_as_of(rates), rates, "memory", FUZZ_NOW_MS);
    struct json_object *read = message_parse(message_line(message));
    HOLDS(message_op(read) == MESSAGE_RATES, "%.*s",
          SPAN(message_line(message)));
    struct rates *again = rates_from_message(read, &why);
    HOLDS(again != NULL, "%s: %.*s", why, SPAN(message_line(message)));
    struct rates *copy = rates_copy(again, rates_fetched_ms(again));
    struct json_object *second =
        rates_message_new(rates_as_of(copy), copy, "memory", FUZZ_NOW_MS);
    tables_check_base(copy);
    rates_release(&copy);
    HOLDS(fuzz_same(message_line(message), message_line(second)), "%.*s",
          SPAN(message_line(second)));
    rates_release(&again);
    json_object_put(message);
    json_object_put(read);
    json_object_put(second);
}

/* The newest table of a day before `before`; NULL: there is none. */
static inline struct rates *tables_before(const struct history *history,
                                          day before) {
    struct rates *found =
        history_find(history, RATES_LATEST, day_add(before, -1));
    return found != NULL && rates_as_of(found).number < before.number ? found
                                                                      : NULL;
}

/* Each table, beginning with the newest. */
#define TABLES_FOREACH(rates, history)                                         \
    for (struct rates *rates = tables_before(history, RATES_LATEST);           \
         rates != NULL; rates = tables_before(history, rates_as_of(rates)))

/* All of them as one text; free() it. */
static inline char *tables_text(const struct history *history) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    TABLES_FOREACH(rates, history) {
        struct json_object *message =
            rates_message_new(rates_as_of(rates), rates, "memory", FUZZ_NOW_MS);
        fprintf(out, "%.*s\n", SPAN(message_line(message)));
        json_object_put(message);
    }
    fclose(out);
    return text;
}

/*
 * Asks for the table of a day, with a key that somebody chose: it is of
 * characters that an address may have, and the key is in one place alone.
 */
static inline void tables_check_request(const struct web_api *api, day when,
                                        const char *key) {
    static const char *const addresses[] = {"https://example.org",
                                            "http://[::1]:8080/fixer"};
    for (size_t i = 0; i < 2; i++) {
        struct web_request request = {.url = ""};
        api->request(addresses[i], key, when, FUZZ_TODAY, &request);
        HOLDS(strncmp(request.url, addresses[i], strlen(addresses[i])) == 0,
              "%s", request.url);
        for (const char *c = request.url; *c != '\0'; c++)
            HOLDS(*c > ' ' && *c <= '~', "%s", request.url);
        HOLDS(strlen(key) < 40 || request.header[0] == '\0' ||
                  (strstr(request.header, key) != NULL &&
                   strstr(request.url, key) == NULL),
              "%s", request.url);
    }
    if (api->resource != NULL)
        HOLDS(api->resource(when, FUZZ_TODAY) ==
                  api->resource(when, FUZZ_TODAY),
              "%s", api->name);
}

/* What a reading of a text ends in. */
struct tables_reading {
    const char *why; /* NULL: it is good */
    struct web_faults faults;
    struct history *history;
};

/* Reads a text in pieces of so many bytes; 0: as a whole. */
static inline struct tables_reading
tables_read(const struct web_text_reader *reader, struct span text,
            size_t piece) {
    struct tables_reading reading = {.history = history_new()};
    void *state =
        reader->begin("ecb", reading.history, FUZZ_NOW_MS, &reading.faults);
    while (text.len > 0) {
        size_t len = piece > 0 && piece < text.len ? piece : text.len;
        struct span copy = fuzz_copy((struct span){text.data, len});
        reader->feed(state, copy);
        free((char *)copy.data);
        text = span_from(text, len);
    }
    while (reader->more != NULL && reader->more(state))
        continue;
    reading.why = reader->end(state);
    return reading;
}

/*
 * However the text is cut into pieces, the same comes of it. By bytes no
 * shortcut is taken that needs more than one in hand.
 */
static inline void tables_check_pieces(const struct web_text_reader *reader,
                                       struct span text,
                                       const struct tables_reading *whole) {
    char *right = tables_text(whole->history);
    for (size_t piece = 1; piece <= 64; piece *= 4) {
        struct tables_reading ours = tables_read(reader, text, piece);
        char *tables = tables_text(ours.history);
        HOLDS((ours.why == NULL) == (whole->why == NULL), "%s", ours.why);
        HOLDS(ours.why != NULL || strcmp(tables, right) == 0,
              "by %zu:\n%snot\n%s", piece, tables, right);
        HOLDS(ours.why != NULL || ours.faults.count == whole->faults.count,
              "%zu, not %zu", ours.faults.count, whole->faults.count);
        HOLDS(strcmp(ours.faults.example, whole->faults.example) == 0 ||
                  ours.why != NULL,
              "%s, not %s", ours.faults.example, whole->faults.example);
        free(tables);
        history_free(&ours.history);
    }
    free(right);
}

#endif
