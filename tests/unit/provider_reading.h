/*
 * What a provider's file makes of a day and of a body, as one line of text, so
 * that a table of cases says all that is expected of it.
 */
#ifndef FXWIRE_TESTS_UNIT_PROVIDER_READING_H
#define FXWIRE_TESTS_UNIT_PROVIDER_READING_H

#include <stdio.h>

#include "common/memory.h"
#include "ratefetcher/web_provider.h"
#include "tests/unit/unit.h"

enum { READING_BYTES = 8192 };

#define FETCHED_MS INT64_C(1763755200000)

struct request_case {
    const char *address, *key, *when, *today;
    const char *url, *header;
};

struct body_case {
    const char *name;
    const char *when, *today;
    const char *body;
    const char *reading; /* as describe() puts it */
};

struct fixture_case {
    const char *file;
    const char *when, *today;
    const char *reading; /* begins so, after the tables' number */
    size_t tables;
    size_t rates; /* in all tables */
};

static inline day day_of(const char *text) {
    day d = {0};
    if (!rates_day_parse(span_of(text), &d))
        fail_msg("%s is no day", text);
    return d;
}

static inline void check_request(const struct web_api *api,
                                 const struct request_case *c) {
    struct web_request request = {.url = ""};
    api->request(c->address, c->key, day_of(c->when), day_of(c->today),
                 &request);
    if (strcmp(request.url, c->url) != 0)
        fail_msg("%s: the URL is %s, not %s", c->when, request.url, c->url);
    if (strcmp(request.header, c->header) != 0)
        fail_msg("%s: the header is `%s`, not `%s`", c->when, request.header,
                 c->header);
    if (c->key != NULL && strstr(request.url, c->key) != NULL)
        fail_msg("the key is in the URL %s", request.url);
}

static inline size_t describe_table(const struct web_api *api,
                                    const struct rates *table, char *out,
                                    size_t size) {
    assert_string_equal(rates_provider(table), api->name);
    assert_string_equal(rates_base(table), "EUR");
    assert_true(rates_fetched_ms(table) == FETCHED_MS);
    char date[DAY_TEXT_SIZE];
    day_print(rates_as_of(table), date);
    size_t len = (size_t)snprintf(out, size, "%s", date);
    struct json_object *message = json_object_new_object(), *rates;
    rates_to_message(table, message);
    json_object_object_get_ex(message, "rates", &rates);
    json_object_object_foreach (rates, code, value)
        len += (size_t)snprintf(out + len, size - len, " %s=%s", code,
                                json_object_get_string(value));
    json_object_put(message);
    assert_true(len < size - 64);
    return len;
}

/*
 * "refused: WHY", or the tables, oldest first, like "2025-06-13 JPY=166.47
 * USD=1.15; 2025-06-16 ...". In either case, "; 2 bad, JPY first" if rates
 * were left out. Counts the tables and all their rates.
 */
static inline const char *describe(const struct web_api *api, const char *when,
                                   const char *today, const char *body,
                                   size_t body_len, size_t *tables,
                                   size_t *rates) {
    static char text[READING_BYTES];
    struct web_answer answer = {.body = exact_copy(body, body_len),
                                .when = day_of(when),
                                .today = day_of(today),
                                .fetched_ms = FETCHED_MS};
    struct web_faults faults = {0};
    struct history *history = history_new();
    const char *why = api->read(&answer, history, &faults);
    size_t len = 0;
    *tables = *rates = 0;
    text[0] = '\0';
    if (why != NULL)
        len = (size_t)snprintf(text, sizeof text, "refused: %s", why);
    for (day d = day_of("1998-01-01"); why == NULL && d.number < 40000;
         d.number++) {
        const struct rates *table = history_find(history, d, d);
        if (table == NULL || rates_as_of(table).number != d.number)
            continue;
        *rates += rates_count(table);
        if ((*tables)++ > 1)
            continue; /* two are enough to see what comes of them */
        len += (size_t)snprintf(text + len, sizeof text - len, "%s",
                                len > 0 ? "; " : "");
        len += describe_table(api, table, text + len, sizeof text - len);
    }
    if (faults.count > 0)
        snprintf(text + len, sizeof text - len, "; %zu bad, %s first",
                 faults.count, faults.example);
    history_free(&history);
    return text;
}

static inline void check_body(const struct web_api *api,
                              const struct body_case *c) {
    size_t tables, rates;
    const char *reading = describe(api, c->when, c->today, c->body,
                                   strlen(c->body), &tables, &rates);
    if (strcmp(reading, c->reading) != 0)
        fail_msg("%s:\n  %s\nnot\n  %s", c->name, reading, c->reading);
}

/* Of a good body no beginning is good. */
static inline void check_truncated(const struct web_api *api, const char *when,
                                   const char *today, const char *body,
                                   const char *why) {
    size_t tables, rates;
    for (size_t len = 0; len < strlen(body); len++) {
        const char *reading =
            describe(api, when, today, body, len, &tables, &rates);
        /* What was read so far may have been bad besides. */
        if (strncmp(reading, "refused: ", 9) != 0 ||
            strncmp(reading + 9, why, strlen(why)) != 0)
            fail_msg("cut after %zu bytes: %s", len, reading);
    }
}

/* Each byte in turn is another one: whatever comes of it, nothing breaks. */
static inline void check_damaged(const struct web_api *api, const char *when,
                                 const char *today, const char *body) {
    static const char others[] = {'\0', '"', '{', '<', '9', '\xff'};
    size_t tables, rates, len = strlen(body);
    char *damaged = memory_copy(body, len);
    for (size_t i = 0; i < len; i++)
        for (size_t o = 0; o < sizeof others; o++) {
            damaged[i] = others[o];
            describe(api, when, today, damaged, len, &tables, &rates);
            damaged[i] = body[i];
        }
    free(damaged);
}

/*
 * Answers that were captured once, in the folder that FXWIRE_FIXTURES names;
 * without it these cases are left out.
 */
static inline void check_fixture(const struct web_api *api,
                                 const struct fixture_case *c) {
    char path[512];
    const char *folder = getenv("FXWIRE_FIXTURES");
    if (folder == NULL)
        return;
    snprintf(path, sizeof path, "%s/%s", folder, c->file);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s: cannot be read", path);
    char *body = memory_new(EXACT_COPY_MAX_BYTES);
    size_t len = fread(body, 1, EXACT_COPY_MAX_BYTES, file), tables, rates;
    fclose(file);
    const char *reading =
        describe(api, c->when, c->today, body, len, &tables, &rates);
    free(body);
    if (strncmp(reading, c->reading, strlen(c->reading)) != 0)
        fail_msg("%s:\n  %s\nnot\n  %s", c->file, reading, c->reading);
    if (tables != c->tables || rates != c->rates)
        fail_msg("%s: %zu tables with %zu rates, not %zu with %zu", c->file,
                 tables, rates, c->tables, c->rates);
}

#endif
