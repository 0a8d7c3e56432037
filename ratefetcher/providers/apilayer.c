#include "ratefetcher/providers/apilayer.h"

#include "common/lines/message.h"

/*
 * Errors by their code, and by a word in their type (or, if there is none, in
 * their text), as some codes mean several things. The first row that fits.
 */
static const struct {
    int code;
    const char *word;
    struct web_refusal refusal;
} refusals[] = {
    {101, "",
     WEB_REFUSAL(KEY_REFUSED, "error 101: the key is missing or wrong")},
    {102, "", WEB_REFUSAL(KEY_REFUSED, "error 102: the account is not active")},
    {103, "", WEB_REFUSAL(BAD_TABLE, "error 103: it does not know this call")},
    {104,
     "",
     {.result = PROVIDER_LIMITED,
      .detail = "error 104: the month's calls are used up",
      .wait = WEB_QUOTA_WAIT}},
    {105, "https",
     WEB_REFUSAL(KEY_REFUSED, "error 105: https is not in the key's plan")},
    {105, "base",
     WEB_REFUSAL(KEY_REFUSED, "error 105: the base is not in the key's plan")},
    {105, "source",
     WEB_REFUSAL(KEY_REFUSED, "error 105: the base is not in the key's plan")},
    {105,
     "",
     {.result = PROVIDER_KEY_REFUSED,
      .detail = "error 105: the call is not in the key's plan",
      .of_plan = true}},
    {106, "limit", WEB_REFUSAL(LIMITED, "error 106: too many calls")},
    {106, "", WEB_REFUSAL(NO_TABLE, "error 106: no rates")},
    {201, "", WEB_REFUSAL(BAD_TABLE, "error 201: it does not know the base")},
    {202, "", WEB_REFUSAL(BAD_TABLE, "error 202: it does not know a currency")},
    {301, "", WEB_REFUSAL(BAD_TABLE, "error 301: no date was given")},
    {302, "", WEB_REFUSAL(NO_TABLE, "error 302: it has no such date")},
};

/* At api.apilayer.com the code is a text. */
static const struct web_refusal no_https =
    WEB_REFUSAL(KEY_REFUSED, "https is not in the key's plan");

/* {"success":false,"error":{"code":104,"type":"...","info":"..."}} */
const struct web_refusal *apilayer_refusal(const struct json_object *body) {
    const struct json_object *error = json_tables_object(body, "error");
    double code = message_number(error, "code", 0);
    const char *text = message_text(error, "code");
    if (text != NULL)
        return strcmp(text, "https_access_restricted") == 0 ? &no_https : NULL;
    text = message_text(error, "type");
    if (text == NULL)
        text = message_text(error, "info");
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].code == code &&
            strcasestr(text != NULL ? text : "", refusals[i].word) != NULL)
            return &refusals[i].refusal;
    return NULL;
}

static bool is_success(const struct json_object *body) {
    struct json_object *success;
    return json_object_object_get_ex(body, "success", &success) &&
           json_object_is_type(success, json_type_boolean) &&
           json_object_get_boolean(success);
}

/* A past day has its own date, the latest table a moment. */
const char *apilayer_read_day(const struct web_answer *answer, day *as_of) {
    const struct json_object *body = answer->json;
    if (!is_success(body))
        return "it reports an error that is not known";
    if (rates_day_is_latest(answer->when))
        return json_tables_day(body, "timestamp", answer, as_of)
                   ? NULL
                   : "the timestamp is none";
    const char *date = message_text(body, "date");
    if (date == NULL || day_parse(span_of(date), as_of) != DAY_OK ||
        as_of->number != answer->when.number)
        return "no table of the day that was asked for";
    return NULL;
}
