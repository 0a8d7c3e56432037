/*
 * The bodies of the rate APIs that answer in JSON: a line with the provider's
 * name, the day that was asked for (or `latest`) and perhaps a key, then the
 * body.
 */
#include "tests/fuzz/tables.h"

static const struct provider_class *const classes[] = {
    &provider_freecurrencyapi, &provider_exchangeratehost,
    &provider_exchangerateapi, &provider_openexchangerates,
    &provider_fixer,           &provider_currencyapi,
    &provider_frankfurter,
};

enum { CLASSES = sizeof classes / sizeof *classes, MAX_KEY_BYTES = 1000 };

/* Another word is one of them too, so that no input is for nothing. */
static const struct web_api *find_api(struct span word) {
    for (size_t i = 0; i < CLASSES; i++)
        if (span_equals(word, classes[i]->name))
            return classes[i]->api;
    return classes[word.len % CLASSES]->api;
}

static bool has_exponents(struct span body) {
    for (size_t i = 1; i < body.len; i++)
        if ((body.data[i] == 'e' || body.data[i] == 'E') &&
            body.data[i - 1] >= '0' && body.data[i - 1] <= '9')
            return true;
    return false;
}

/* With the digits that were sent. */
static void check_digits(const struct rates *rates, struct span body) {
    for (size_t i = 0; i < rates_count(rates); i++) {
        char code[RATES_CODE_LEN + 1], text[RATE_TEXT_SIZE];
        rates_code(rates, i, code);
        rates_print(rates, span_of(code), text);
        HOLDS(fuzz_has(body, text), "%s=%s", code, text);
    }
}

/* One provider has a second version, at another address. */
static void check_version(const struct web_api *api, day when) {
    struct web_request request = {.url = ""};
    api->request("https://example.org/v2", "k", when, FUZZ_TODAY, &request);
    bool has_base = strstr(request.url, "/v2/rates?base=EUR") != NULL;
    HOLDS(has_base == (api == provider_frankfurter.api), "%s", request.url);
}

static void check_refusal(const struct web_api *api,
                          const struct json_object *json) {
    const struct web_refusal *refusal =
        api->refusal != NULL ? api->refusal(json) : NULL;
    HOLDS(refusal == NULL ||
              (refusal->detail[0] != '\0' && refusal->result != PROVIDER_OK),
          "%s", refusal->detail);
}

static void check_tables(const struct web_api *api,
                         const struct web_answer *answer, struct span body) {
    struct web_faults faults = {0};
    struct history *history = history_new();
    const char *why = api->read(answer, history, &faults);
    HOLDS(why == NULL || history_count(history) == 0, "%s", why);
    HOLDS(history_count(history) <= 1, "%zu", history_count(history));
    TABLES_FOREACH(rates, history) {
        tables_check(rates);
        tables_check_message(rates);
        HOLDS(strcmp(rates_base(rates), api->base) == 0, "%s", api->name);
        HOLDS(strcmp(rates_provider(rates), api->name) == 0, "%s", api->name);
        /* For a day without rates one of them has an earlier one. */
        HOLDS(rates_day_is_latest(answer->when) ||
                  api == provider_frankfurter.api ||
                  rates_as_of(rates).number == answer->when.number,
              "%s", api->name);
        if (!has_exponents(body))
            check_digits(rates, body);
    }
    history_free(&history);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span body = fuzz_text(data, size);
    struct span line = fuzz_take(&body, '\n');
    const struct web_api *api = find_api(fuzz_take(&line, ' '));
    struct span when = fuzz_take(&line, ' ');
    struct web_answer answer = {.today = FUZZ_TODAY, .fetched_ms = FUZZ_NOW_MS};
    if (!rates_day_parse(when, &answer.when))
        answer.when = FUZZ_TODAY;
    line.len = line.len < MAX_KEY_BYTES ? line.len : MAX_KEY_BYTES;
    char *key = fuzz_string(line);
    tables_check_request(api, answer.when, key);
    free(key);
    check_version(api, answer.when);
    answer.json = web_parse(api, body);
    if (answer.json != NULL) {
        check_refusal(api, answer.json);
        check_tables(api, &answer, body);
    }
    json_object_put(answer.json);
    return 0;
}
