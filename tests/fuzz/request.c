/*
 * Requests: lines of two messages. The shape of the first, once it is the usual
 * one, changes nothing of what the second is read as. A response is its
 * request but for three spans; an error is JSON and has the id.
 */
#include <json-c/json.h>

#include "common/json_scan.h"
#include "common/json_shape.h"
#include "tests/fuzz/fuzz.h"
#include "tests/request_fields.h"
#include "wsclient/response.h"

/* 2025-06-13T00:00:00Z */
#define NOW_MS INT64_C(1749772800000)

/* What matches is found as the scanner finds it. */
static void check_match(struct json_shape *shape, struct span text) {
    struct json_found ours[FIELDS], right[FIELDS];
    enum json_kind top;
    if (!json_shape_match(shape, text, ours))
        return;
    HOLDS(json_scan(text, fields, FIELDS, right, &top) == JSON_OK &&
              top == JSON_OBJECT,
          "%.*s", SPAN(text));
    for (int i = 0; i < FIELDS; i++)
        HOLDS(ours[i].kind == right[i].kind &&
                  ours[i].duplicate == right[i].duplicate &&
                  (ours[i].kind == JSON_ABSENT ||
                   (ours[i].text.data == right[i].text.data &&
                    ours[i].text.len == right[i].text.len)),
              "%s of %.*s", fields[i].name, SPAN(text));
}

/* The second may show that some values of the first can differ. */
static void check_shape(struct span first, struct span second) {
    struct json_shape shape;
    struct json_found known[FIELDS];
    enum json_kind top;
    if (json_scan(first, fields, FIELDS, known, &top) != JSON_OK ||
        top != JSON_OBJECT)
        return;
    json_shape_learn(&shape, first, known, FIELDS, known[TYPE].text.data);
    check_match(&shape, first);
    check_match(&shape, second);
    check_match(&shape, first);
    check_match(&shape, second);
}

/* So often that it is the usual one from then on, if it is an object. */
static void make_usual(struct span text) {
    struct request request;
    for (int i = 0; i < 9; i++)
        request_read(text, NOW_MS, &request);
}

static bool same_span(struct span one, struct span other) {
    return one.len == other.len && (one.len == 0 || one.data == other.data);
}

static bool is_same(const struct request *one, const struct request *other) {
    if (one->kind != other->kind || one->refusal != other->refusal ||
        !same_span(one->id, other->id))
        return false;
    return one->kind != REQUEST_CONVERT ||
           (same_span(one->stake, other->stake) &&
            same_span(one->currency, other->currency) &&
            same_span(one->date, other->date) &&
            decimal_compare(one->amount, other->amount) == 0 &&
            memcmp(one->code, other->code, sizeof one->code) == 0 &&
            one->day.number == other->day.number);
}

/* What stands in the place of the byte at `at`; NULL: that byte itself. */
static const char *in_place(const struct request *request, const char *at,
                            const char *amount, const char *date,
                            size_t *skipped) {
    const struct {
        struct span old;
        const char *new;
    } places[] = {{request->stake, amount},
                  {request->currency, "\"EUR\""},
                  {request->date, date}};
    for (size_t i = 0; i < 3; i++)
        if (places[i].old.data == at) {
            *skipped = places[i].old.len;
            return places[i].new;
        }
    return NULL;
}

static void check_bytes(const struct request *request, struct span text,
                        struct span response, const char *amount,
                        const char *date) {
    size_t out = 0;
    for (size_t at = 0; at < text.len;) {
        size_t skipped = 1, len = 1;
        const char *new =
            in_place(request, text.data + at, amount, date, &skipped);
        const char *bytes = new != NULL ? new : text.data + at;
        len = new != NULL ? strlen(new) : 1;
        HOLDS(response.len - out >= len &&
                  memcmp(response.data + out, bytes, len) == 0,
              "%.*s", SPAN(response));
        out += len;
        at += skipped;
    }
    HOLDS(out == response.len, "%.*s", SPAN(response));
}

/* A response is a request too, for the same in euro, unless that has more
 * digits than a stake may have. */
static void check_again(const struct request *request, struct span response,
                        const char *amount) {
    struct request again;
    struct decimal stake;
    if (decimal_parse(span_of(amount), &stake) == DECIMAL_TOO_PRECISE)
        return;
    response = fuzz_padded(response);
    request_read(response, NOW_MS, &again);
    HOLDS(again.kind == REQUEST_CONVERT, "%.*s", SPAN(response));
    HOLDS(fuzz_same(again.id, request->id), "%.*s", SPAN(response));
    HOLDS(span_equals(again.stake, amount), "%.*s", SPAN(response));
    HOLDS(memcmp(again.code, "EUR", 3) == 0, "%.*s", SPAN(response));
    free((char *)response.data);
}

static void check_response(const struct request *request, struct span text) {
    static const struct rate_pair pair = {{818073, 6}, {12, 1}};
    euro euros = decimal_convert(request->amount, pair);
    char amount[EURO_TEXT_SIZE], *date = fuzz_string(request->date);
    char *out = malloc(text.len + RESPONSE_GROWTH_BYTES);
    euro_print(euros, amount);
    struct span response = {out, 0};
    response.len = response_write(request, text, euros, NOW_MS, out);
    check_bytes(request, text, response, amount,
                "\"2025-06-13T00:00:00.000Z\"");
    check_again(request, response, amount);
    response.len = response_write(request, text, euros, -1, out);
    check_bytes(request, text, response, amount, date);
    free(date);
    free(out);
}

static void check_error(struct span id, enum refusal refusal) {
    char *out = malloc(id.len + RESPONSE_GROWTH_BYTES);
    struct json_found found[FIELDS];
    enum json_kind top;
    struct span text = {out, response_write_error(id, refusal, out)};
    HOLDS(json_scan(text, fields, FIELDS, found, &top) == JSON_OK &&
              top == JSON_OBJECT &&
              span_equals(found[TYPE].text, "\"error\"") &&
              !found[ID].duplicate,
          "%.*s", SPAN(text));
    HOLDS(id.len == 0 ? span_equals(found[ID].text, "null")
                      : fuzz_same(found[ID].text, id),
          "%.*s", SPAN(text));
    free(out);
}

/* As json-c reads it. */
static void check_meaning(const struct request *request, struct span text) {
    char *copy = fuzz_string(text);
    struct json_object *top = json_tokener_parse(copy), *payload, *value;
    json_object_object_get_ex(top, "payload", &payload);
    json_object_object_get_ex(payload, "currency", &value);
    HOLDS(strncmp(json_object_get_string(value), request->code, 3) == 0, "%s",
          copy);
    json_object_object_get_ex(top, "type", &value);
    HOLDS(strcmp(json_object_get_string(value), "message") == 0, "%s", copy);
    json_object_put(top);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    struct span first = fuzz_padded(fuzz_take(&text, '\n'));
    struct span second = fuzz_padded(text);
    static const char none[32] = "{\"none\":0}"; /* padded */
    struct request with, without;
    if (fuzz_is_utf8(first) && fuzz_is_utf8(second)) {
        check_shape(first, second);
        make_usual((struct span){none, strlen(none)});
        request_read(second, NOW_MS, &without);
        make_usual(first);
        request_read(second, NOW_MS, &with);
        HOLDS(is_same(&with, &without), "%.*s", SPAN(second));
        if (with.kind == REQUEST_CONVERT) {
            check_response(&with, second);
            /* A NUL ends a name for json-c. */
            if (!fuzz_has(second, "\\u0000"))
                check_meaning(&with, second);
        }
        if (with.kind == REQUEST_REFUSED)
            check_error(with.id, with.refusal);
    }
    free((char *)first.data);
    free((char *)second.data);
    return 0;
}
