/*
 * What a provider's file makes of a day and of a body, as one line of text, so
 * that a table of cases says all that is expected of it.
 */
#ifndef FXWIRE_TESTS_UNIT_PROVIDER_READING_H
#define FXWIRE_TESTS_UNIT_PROVIDER_READING_H

#include <stdio.h>

#include "common/lines/message.h"
#include "common/memory.h"
#include "ratefetcher/providers/web.h"
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

struct refusal_case {
    const char *body;
    const char *reading; /* as describe_refusal() puts it */
};

struct fixture_case {
    const char *file;
    const char *when, *today;
    const char *reading; /* begins so, after the tables' number */
    size_t tables;
    size_t rates; /* in all tables */
};

static inline const char *result_name(enum provider_result result) {
    switch (result) {
    case PROVIDER_KEY_REFUSED:
        return "key_refused";
    case PROVIDER_LIMITED:
        return "limited";
    case PROVIDER_BAD_TABLE:
        return "bad_table";
    case PROVIDER_NO_TABLE:
        return "no_table";
    default:
        return "another result";
    }
}

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
    if (c->header[0] != '\0' && strstr(request.url, c->key) != NULL)
        fail_msg("the key is in the URL %s", request.url);
}

static inline size_t describe_table(const struct web_api *api,
                                    const struct rates *table, char *out,
                                    size_t size) {
    assert_string_equal(rates_provider(table), api->name);
    assert_string_equal(rates_base(table), api->base);
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

/* Texts are read in pieces of so many bytes; 0: as a whole. */
static size_t reading_piece;

static inline const char *read_text(const struct web_text_reader *reader,
                                    const char *provider, struct span rest,
                                    struct history *history,
                                    struct web_faults *faults) {
    void *text = reader->begin(provider, history, FETCHED_MS, faults);
    while (rest.len > 0) {
        size_t len = reading_piece > 0 && reading_piece < rest.len
                         ? reading_piece
                         : rest.len;
        reader->feed(text, exact_copy(rest.data, len));
        rest = span_from(rest, len);
    }
    while (reader->more != NULL && reader->more(text))
        continue;
    return reader->end(text);
}

/* The same of a JSON object. */
static inline const char *read_json(const struct web_api *api,
                                    const struct web_answer *answer,
                                    struct history *history,
                                    struct web_faults *faults) {
    return answer->json != NULL ? api->read(answer, history, faults)
                                : "no JSON object";
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
    bool in_text = api->text != NULL;
    struct json_object *json =
        in_text ? NULL : web_parse(api, exact_copy(body, body_len));
    struct web_answer answer = {.json = json,
                                .when = day_of(when),
                                .today = day_of(today),
                                .fetched_ms = FETCHED_MS};
    struct web_faults faults = {0};
    struct history *history = history_new();
    const char *why =
        in_text ? read_text(api->text, api->name, (struct span){body, body_len},
                            history, &faults)
                : read_json(api, &answer, history, &faults);
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
    json_object_put(json);
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

/* "limited, wait 3600: DETAIL", "key_refused, of the plan: ...", or "". */
static inline const char *describe_refusal(const struct web_api *api,
                                           const char *body, size_t len) {
    static char text[READING_BYTES];
    char wait[32] = "";
    struct json_object *json = message_parse(exact_copy(body, len));
    const struct web_refusal *refusal =
        json != NULL ? api->refusal(json) : NULL;
    json_object_put(json);
    if (refusal == NULL)
        return "";
    if (refusal->wait.usec > 0)
        snprintf(wait, sizeof wait, ", wait %d",
                 (int)(refusal->wait.usec / USEC_PER_SEC));
    snprintf(text, sizeof text, "%s%s%s: %s", result_name(refusal->result),
             refusal->of_plan ? ", of the plan" : "", wait, refusal->detail);
    return text;
}

/* What is refused is never read as a table besides, and no part refuses. */
static inline void check_refusal(const struct web_api *api, const char *when,
                                 const char *today,
                                 const struct refusal_case *c) {
    size_t tables, rates, len = strlen(c->body);
    const char *reading = describe_refusal(api, c->body, len);
    if (strcmp(reading, c->reading) != 0)
        fail_msg("%s:\n  %s\nnot\n  %s", c->body, reading, c->reading);
    reading = describe(api, when, today, c->body, len, &tables, &rates);
    if (strncmp(reading, "refused: ", 9) != 0)
        fail_msg("%s is read as %s", c->body, reading);
    for (size_t part = 0; part < len; part++)
        assert_string_equal(describe_refusal(api, c->body, part), "");
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
 * An answer that was captured once, in the folder that FXWIRE_FIXTURES names;
 * without it these cases are left out, and this gives NULL. The caller frees.
 */
static inline char *read_fixture(const char *name, size_t *len) {
    char path[512];
    const char *folder = getenv("FXWIRE_FIXTURES");
    if (folder == NULL)
        return NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s: cannot be read", path);
    char *body = memory_new(EXACT_COPY_MAX_BYTES);
    *len = fread(body, 1, EXACT_COPY_MAX_BYTES, file);
    fclose(file);
    return body;
}

/* EUR for USD and USD for EUR: a captured answer as if of another base. */
static inline void swap_euro_and_dollar(char *body, size_t len) {
    for (size_t i = 0; i + 3 <= len; i++) {
        bool of_euro = memcmp(body + i, "EUR", 3) == 0;
        if (of_euro || memcmp(body + i, "USD", 3) == 0) {
            memcpy(body + i, of_euro ? "USD" : "EUR", 3);
            i += 2;
        }
    }
}

static inline void check_captured(const struct web_api *api,
                                  const struct fixture_case *c, char *body,
                                  size_t len) {
    size_t tables, rates;
    const char *reading =
        describe(api, c->when, c->today, body, len, &tables, &rates);
    if (strncmp(reading, c->reading, strlen(c->reading)) != 0)
        fail_msg("%s:\n  %s\nnot\n  %s", c->file, reading, c->reading);
    if (tables != c->tables || rates != c->rates)
        fail_msg("%s: %zu tables with %zu rates, not %zu with %zu", c->file,
                 tables, rates, c->tables, c->rates);
}

static inline void check_fixture(const struct web_api *api,
                                 const struct fixture_case *c) {
    size_t len;
    char *body = read_fixture(c->file, &len);
    if (body != NULL)
        check_captured(api, c, body, len);
    free(body);
}

static inline void check_swapped_fixture(const struct web_api *api,
                                         const struct fixture_case *c) {
    size_t len;
    char *body = read_fixture(c->file, &len);
    if (body != NULL) {
        swap_euro_and_dollar(body, len);
        check_captured(api, c, body, len);
    }
    free(body);
}

#endif
