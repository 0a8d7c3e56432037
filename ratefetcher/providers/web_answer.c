/* What the answers to web's calls mean. */
#include <stdlib.h>
#include <string.h>

#include "common/lines/message.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/utf8.h"
#include "ratefetcher/providers/web_call.h"

/* After 429 without Retry-After, after a refused key, and at the most. */
#define LIMITED_WAIT SECONDS(60)
#define KEY_WAIT     SECONDS(600)

/* After a refusal of one that has no key to refuse: whoever stands before it,
 * not the provider, is wont to say so, and not for long. */
#define FORBIDDEN_WAIT SECONDS(10)

#define LONGEST_WAIT SECONDS(3600)

/* A plan that has no past days is not asked for one for so long. */
#define NO_HISTORY_WAIT SECONDS(3600)

day web_today(void) {
    return day_of_ms(clock_wall_ms());
}

/* Ends the reading of a text; what is wrong with it, or NULL. */
const char *web_end_text(struct web_call *call) {
    void *reader = call->reader;
    call->reader = NULL;
    return call->web->api->text->end(reader);
}

void web_begin_text(struct web_call *call) {
    const struct web_api *api = call->web->api;
    call->reader = api->text->begin(api->name, call->tables, clock_wall_ms(),
                                    &call->faults);
}

/* Whether it said not long ago that it has no past day for this key. */
bool web_lacks(const struct web *web, day when) {
    return !rates_day_is_latest(when) &&
           !monotime_reached(clock_monotonic(), web->history_from);
}

/* There is always a latest table. */
static void explain_no_latest(struct web *web, struct provider_answer *answer,
                              const struct history *tables) {
    bool ahead = history_is_ahead(tables, web_today(), web->why_ahead);
    answer->result = ahead ? PROVIDER_AHEAD : PROVIDER_BAD_TABLE;
    answer->detail = ahead ? web->why_ahead : "no latest table";
}

/* Puts the table that serves the day into the answer, or why there is none. */
void web_put_table(struct web *web, struct provider_answer *answer,
                   const struct history *tables, day when) {
    struct rates *found = history_find(tables, when, web_today());
    answer->result = found != NULL ? PROVIDER_OK : PROVIDER_NO_TABLE;
    answer->rates = found;
    answer->detail = "";
    if (found == NULL && rates_day_is_latest(when))
        explain_no_latest(web, answer, tables);
}

bool web_has_key(const struct web *web) {
    return web->api->key != SETTINGS;
}

static bool is_forbidden(long status) {
    return status == 401 || status == 403;
}

/* What an answer means whose status is not 200. */
static enum provider_result result_of_status(const struct web_call *call,
                                             long status) {
    if (status == 0)
        return PROVIDER_UNREACHED;
    if (is_forbidden(status))
        return web_has_key(call->web) ? PROVIDER_KEY_REFUSED
                                      : PROVIDER_BAD_STATUS;
    if (status == 429)
        return PROVIDER_LIMITED;
    if (status == 304 && call->conditional)
        return PROVIDER_OK;
    /* There is always a latest table: without one the address is wrong. */
    return status == call->web->api->no_table_status &&
                   !rates_day_is_latest(call->when)
               ? PROVIDER_NO_TABLE
               : PROVIDER_BAD_STATUS;
}

/*
 * What the body said in the place of tables. A key without past days is good
 * for the latest table: so it is not refused, there is no table of that day.
 */
static enum provider_result result_of_refusal(const struct web_call *call,
                                              const struct web_refusal *said) {
    struct web *web = call->web;
    bool latest = rates_day_is_latest(call->when);
    if (latest && said->result == PROVIDER_NO_TABLE)
        return PROVIDER_BAD_TABLE; /* there is always a latest one */
    if (latest || !said->of_plan)
        return said->result;
    if (!web_lacks(web, call->when)) /* else it was told */
        log_warn(EVENT_PROVIDER_WITHOUT_HISTORY,
                 LOG_FIELDS(log_text("provider", web->api->name),
                            log_text("why", said->detail)));
    web->history_from = monotime_add(clock_monotonic(), NO_HISTORY_WAIT);
    return PROVIDER_NO_TABLE;
}

/* An answer without a body has no piece. */
static const char *read_text(struct web_call *call) {
    if (call->reader == NULL)
        web_begin_text(call);
    return web_end_text(call);
}

static const char *read_json(struct web_call *call, struct json_object *json) {
    int64_t now_ms = clock_wall_ms();
    const struct web_answer answer = {.json = json,
                                      .when = call->when,
                                      .today = day_of_ms(now_ms),
                                      .fetched_ms = now_ms};
    return json == NULL
               ? "no JSON object"
               : call->web->api->read(&answer, call->tables, &call->faults);
}

/* Reads the tables of a body; what is wrong with it, or NULL. */
static const char *read_tables(struct web_call *call,
                               struct json_object *json) {
    const struct web_api *api = call->web->api;
    const char *why =
        api->text != NULL ? read_text(call) : read_json(call, json);
    if (call->faults.count > 0)
        log_warn(EVENT_RATES_LEFT_OUT,
                 LOG_FIELDS(log_text("provider", api->name),
                            log_int("bad_rates", (int64_t)call->faults.count),
                            log_text("currency", call->faults.example)));
    return why;
}

/* How long a provider that said so is left alone. */
static duration wait_of(enum provider_result result, long status,
                        duration asked) {
    if (asked.usec == 0 && result == PROVIDER_LIMITED)
        asked = LIMITED_WAIT;
    if (asked.usec == 0 && result == PROVIDER_BAD_STATUS &&
        is_forbidden(status))
        asked = FORBIDDEN_WAIT;
    if (result == PROVIDER_KEY_REFUSED)
        asked = KEY_WAIT;
    return duration_min(asked, LONGEST_WAIT);
}

/* Whether the text is one value, and nothing behind it. */
static bool is_one_value(struct span text) {
    struct json_tokener *tokener = json_tokener_new();
    if (tokener == NULL)
        return false;
    struct json_object *value =
        json_tokener_parse_ex(tokener, text.data, (int)text.len);
    size_t end = value != NULL ? json_tokener_get_parse_end(tokener) : 0;
    json_object_put(value);
    json_tokener_free(tokener);
    while (end > 0 && end < text.len && strchr(" \t\r\n", text.data[end]))
        end++;
    return end == text.len;
}

struct json_object *web_parse(const struct web_api *api, struct span body) {
    if (api->array_name == NULL || body.len == 0 || body.data[0] != '[')
        return message_parse(body);
    if (!is_one_value(body))
        return NULL;
    char *text = memory_print("{\"%s\":%.*s}", api->array_name, (int)body.len,
                              body.data);
    struct json_object *json = message_parse(span_of(text));
    free(text);
    return json;
}

/*
 * What an answer means: the tables, with the result OK, or a failure. The body
 * is parsed once; what it refuses counts more than the status.
 */
struct provider_answer web_judge(struct web_call *call,
                                 const struct http_answer *http) {
    const struct web_api *api = call->web->api;
    struct json_object *json =
        http->status != 0 && api->text == NULL
            ? web_parse(api, utf8_without_mark(http->body))
            : NULL;
    const struct web_refusal *refusal =
        json != NULL && api->refusal != NULL ? api->refusal(json) : NULL;
    struct provider_answer answer = {.without_call = http->unsent,
                                     .has_clock = http->has_clock,
                                     .clock_ahead_ms = http->clock_ahead_ms};
    memcpy(answer.calls_left, http->calls_left, sizeof answer.calls_left);
    duration asked = http->retry_after;
    if (refusal != NULL) {
        answer.result = result_of_refusal(call, refusal);
        answer.detail = refusal->detail;
        asked = duration_max(asked, refusal->wait);
    } else if (http->status == 200) {
        answer.detail = read_tables(call, json);
        answer.result =
            answer.detail == NULL ? PROVIDER_OK : PROVIDER_BAD_TABLE;
    } else {
        answer.result = result_of_status(call, http->status);
        const struct web_place from = {api, call->web->context->settings,
                                       call->web->address};
        web_detail_write(&from, http, call->detail);
        answer.detail = call->detail;
    }
    answer.wait = wait_of(answer.result, http->status, asked);
    json_object_put(json);
    return answer;
}
