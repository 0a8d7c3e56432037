#include "wsclient/request.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/json_scan.h"
#include "common/json_shape.h"
#include "common/memory.h"

enum {
    /* A moment of tomorrow so near is today, seen by a clock ahead of ours. */
    CLOCK_TOLERANCE_SECONDS = 300,
    /* After so many in a row of other shapes, one of these is the usual one. */
    OTHERS_TO_LEARN = 8,
};

static const struct decimal stake_limit = {1000000000000000, 0};

enum field { TYPE, ID, PAYLOAD, STAKE, CURRENCY, DATE, FIELDS };

static const struct json_field fields[FIELDS + 1] = {
    [TYPE] = JSON_FIELD(JSON_TOP, "type"),
    [ID] = JSON_FIELD(JSON_TOP, "id"),
    [PAYLOAD] = JSON_FIELD(JSON_TOP, "payload"),
    [STAKE] = JSON_FIELD(PAYLOAD, "stake"),
    [CURRENCY] = JSON_FIELD(PAYLOAD, "currency"),
    [DATE] = JSON_FIELD(PAYLOAD, "date"),
    [FIELDS] = JSON_FIELDS_END,
};

const char *refusal_text(enum refusal refusal) {
    static const char *const texts[REFUSALS] = {
        [REFUSAL_NONE] = "",
#define REFUSAL(id, word, text) [REFUSAL_##id] = (text),
#include "common/refusals.def"
#undef REFUSAL
    };
    return texts[refusal];
}

static enum request_kind read_type(const struct json_found *type) {
    static const char usual[] = "\"message\"";
    static const struct {
        const char *word;
        enum request_kind kind;
    } types[] = {
        {"message", REQUEST_CONVERT},
        {"heartbeat", REQUEST_HEARTBEAT},
        {"error", REQUEST_ERROR},
    };
    if (type->kind != JSON_STRING)
        return REQUEST_UNKNOWN;
    if (type->text.len == sizeof usual - 1 &&
        memcmp(type->text.data, usual, sizeof usual - 1) == 0)
        return REQUEST_CONVERT; /* nearly all of them */
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (json_string_equals(type->text, types[i].word))
            return types[i].kind;
    return REQUEST_UNKNOWN;
}

static enum refusal read_stake(const struct json_found *stake,
                               struct request *out) {
    if (stake->kind != JSON_NUMBER)
        return REFUSAL_STAKE;
    out->stake = stake->text;
    switch (decimal_parse(stake->text, &out->amount)) {
    case DECIMAL_OK:
        break;
    case DECIMAL_SYNTAX:
        return REFUSAL_STAKE;
    case DECIMAL_NEGATIVE:
        return REFUSAL_STAKE_NEGATIVE;
    case DECIMAL_TOO_LARGE:
        return REFUSAL_STAKE_TOO_LARGE;
    case DECIMAL_TOO_PRECISE:
        return REFUSAL_STAKE_TOO_PRECISE;
    }
    return out->amount.coefficient < stake_limit.coefficient ||
                   decimal_compare(out->amount, stake_limit) < 0
               ? REFUSAL_NONE
               : REFUSAL_STAKE_TOO_LARGE;
}

/* What stands between a string's quotes. */
static struct span inside_of(struct span string) {
    return (struct span){string.data + 1, string.len - 2};
}

static enum refusal read_currency(const struct json_found *currency,
                                  struct request *out) {
    if (currency->kind != JSON_STRING)
        return REFUSAL_CURRENCY;
    out->currency = currency->text;
    struct span code = inside_of(currency->text);
    if (rates_is_code(code)) {
        memcpy(out->code, code.data, RATES_CODE_LEN);
        return REFUSAL_NONE;
    }
    int len = json_string_copy(currency->text, out->code, sizeof out->code);
    code = (struct span){out->code, len > 0 ? (size_t)len : 0};
    return rates_is_code(code) ? REFUSAL_NONE : REFUSAL_CURRENCY;
}

/* With escapes, it is no moment before they are taken out. */
static enum day_error read_moment(struct span string, int64_t *seconds) {
    struct span inside = inside_of(string);
    enum day_error error = moment_parse(inside, seconds);
    if (error != DAY_SYNTAX || memchr(inside.data, '\\', inside.len) == NULL)
        return error;
    char *plain = memory_new(string.len);
    int len = json_string_copy(string, plain, string.len);
    if (len >= 0)
        error = moment_parse((struct span){plain, (size_t)len}, seconds);
    free(plain);
    return error;
}

/* A day until today, as it is written, and what it comes to until midnight. */
struct known_day {
    char text[sizeof "\"2021-05-18T" - 1];
    int64_t today_ms;
    day day;
};

static const size_t usual_len = MOMENT_TEXT_SIZE - 1 + 2;
static const uint64_t day_ms = DAY_SECONDS * MSEC_PER_SEC;

static inline bool is_known(const struct known_day *known, struct span date,
                            int64_t now_ms) {
    return date.len == usual_len &&
           (uint64_t)(now_ms - known->today_ms) < day_ms &&
           memcmp(date.data, known->text, sizeof known->text) == 0 &&
           moment_is_at_usual_time(date.data + 1);
}

static NOINLINE enum refusal find_day(struct known_day *known, struct span date,
                                      int64_t now_ms, day *out) {
    int64_t seconds;
    switch (read_moment(date, &seconds)) {
    case DAY_OK:
        break;
    case DAY_SYNTAX:
        return REFUSAL_DATE;
    case DAY_IMPOSSIBLE:
        return REFUSAL_DATE_IMPOSSIBLE;
    }
    day today = day_of_ms(now_ms), its_day = day_of_seconds(seconds);
    if (its_day.number < DAY_FIRST_RATES.number)
        return REFUSAL_DATE_TOO_EARLY;
    if (its_day.number > today.number &&
        seconds - now_ms / MSEC_PER_SEC > CLOCK_TOLERANCE_SECONDS)
        return REFUSAL_DATE_FUTURE;
    *out = its_day.number >= today.number ? RATES_LATEST : its_day;
    if (date.len == usual_len && its_day.number <= today.number) {
        memcpy(known->text, date.data, sizeof known->text);
        known->today_ms = day_start_seconds(today) * MSEC_PER_SEC;
        known->day = *out;
    }
    return REFUSAL_NONE;
}

/* Most messages are of the day of the one before, at a time that is plain. */
static enum refusal read_date(const struct json_found *date, int64_t now_ms,
                              struct request *out) {
    static struct known_day last;
    if (date->kind != JSON_STRING)
        return REFUSAL_DATE;
    out->date = date->text;
    if (!is_known(&last, date->text, now_ms))
        return find_day(&last, date->text, now_ms, &out->day);
    out->day = last.day;
    return REFUSAL_NONE;
}

static enum refusal read_convert(const struct json_found *found, int64_t now_ms,
                                 struct request *out) {
    if (found[ID].duplicate || found[PAYLOAD].duplicate ||
        found[STAKE].duplicate || found[CURRENCY].duplicate ||
        found[DATE].duplicate)
        return REFUSAL_DUPLICATE;
    if (out->id.len == 0)
        return REFUSAL_ID;
    if (found[PAYLOAD].kind != JSON_OBJECT)
        return REFUSAL_PAYLOAD;
    enum refusal refusal = read_stake(&found[STAKE], out);
    if (refusal == REFUSAL_NONE)
        refusal = read_currency(&found[CURRENCY], out);
    if (refusal == REFUSAL_NONE)
        refusal = read_date(&found[DATE], now_ms, out);
    return refusal;
}

static enum refusal read_json(enum json_error error, enum json_kind top) {
    if (error == JSON_TOO_DEEP)
        return REFUSAL_TOO_DEEP;
    if (error != JSON_OK)
        return REFUSAL_NOT_JSON;
    return top == JSON_OBJECT ? REFUSAL_NONE : REFUSAL_NOT_OBJECT;
}

/*
 * Scans a message. The shape of usual ones is remembered, only for speed: what
 * is found is the same.
 */
static enum json_error scan(struct span text, struct json_found *found,
                            enum json_kind *top) {
    static struct json_shape usual;
    static unsigned others;
    *top = JSON_OBJECT;
    if (json_shape_match(&usual, text, found)) {
        others = 0;
        return JSON_OK;
    }
    enum json_error error = json_scan_padded(text, fields, FIELDS, found, top);
    bool learn = usual.usual.count == 0 || ++others >= OTHERS_TO_LEARN;
    if (learn && error == JSON_OK && *top == JSON_OBJECT) {
        const struct json_found *type = &found[TYPE];
        json_shape_learn(&usual, text, found, FIELDS,
                         type->kind != JSON_ABSENT ? type->text.data : NULL);
        others = 0;
    }
    return error;
}

void request_read(struct span text, int64_t now_ms, struct request *out) {
    struct json_found found[FIELDS];
    enum json_kind top;
    out->kind = REQUEST_REFUSED;
    out->id = (struct span){NULL, 0};
    enum json_error error = scan(text, found, &top);
    out->refusal = read_json(error, top);
    if ((found[ID].kind == JSON_STRING || found[ID].kind == JSON_NUMBER) &&
        !found[ID].duplicate)
        out->id = found[ID].text;
    if (out->refusal != REFUSAL_NONE)
        return;
    if (found[TYPE].duplicate) {
        out->refusal = REFUSAL_DUPLICATE;
        return;
    }
    out->kind = read_type(&found[TYPE]);
    if (out->kind != REQUEST_CONVERT)
        return;
    out->refusal = read_convert(found, now_ms, out);
    if (out->refusal != REFUSAL_NONE)
        out->kind = REQUEST_REFUSED;
}
