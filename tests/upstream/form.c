#include "form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In these, # is the id, $ the stake, & the currency, ^ the date, % a market
 * number and ~ the odds. Extra fields with the names or the look of real ones
 * must come back untouched; they are here to mislead a careless reader. */
static const char *const FORMS[] = {
    [FORM_PLAIN] = "{\"type\":\"message\",\"id\":#,\"payload\":{\"marketId\":%,"
                   "\"selectionId\":987654,\"odds\":~,\"stake\":$,"
                   "\"currency\":\"&\",\"date\":\"^\"}}",
    /* white space */
    "{ \"type\" : \"message\", \"id\" : #, \"payload\" : { \"marketId\" : %, "
    "\"selectionId\" : 987654, \"odds\" : ~, \"stake\" : $ , "
    "\"currency\" : \"&\", \"date\" : \"^\" } }",
    "{\n\t\"type\":\t\"message\",\n\t\"id\":\t#,\n\t\"payload\":\t{\r\n"
    "\t\t\"stake\":\t$,\r\n\t\t\"currency\":\t\"&\",\r\n"
    "\t\t\"date\":\t\"^\",\r\n\t\t\"marketId\":\t%\r\n\t}\n}",
    /* another order */
    "{\"id\":#,\"type\":\"message\",\"payload\":{\"date\":\"^\","
    "\"currency\":\"&\",\"stake\":$,\"odds\":~,\"selectionId\":987654,"
    "\"marketId\":%}}",
    "{\"payload\":{\"currency\":\"&\",\"marketId\":%,\"date\":\"^\","
    "\"odds\":~,\"stake\":$},\"id\":#,\"type\":\"message\"}",
    /* unknown fields */
    "{\"type\":\"message\",\"id\":#,\"traceId\":\"%\",\"payload\":{"
    "\"marketId\":%,\"selectionId\":987654,\"odds\":~,\"stake\":$,"
    "\"currency\":\"&\",\"date\":\"^\",\"inPlay\":true,\"note\":null,"
    "\"tags\":[1,-2.5e-3,\"b\",[],{}]}}",
    /* fields of the right name in the wrong place */
    "{\"type\":\"message\",\"stake\":1,\"currency\":\"XXX\",\"id\":#,"
    "\"date\":\"never\",\"payload\":{\"id\":%,\"leg\":{\"stake\":2,"
    "\"currency\":\"XXX\",\"date\":\"\",\"id\":3},\"odds\":~,\"stake\":$,"
    "\"currency\":\"&\",\"date\":\"^\",\"type\":\"error\"}}",
    /* strings that look like fields */
    "{\"type\":\"message\",\"note\":\"\\\"id\\\":1,{[\",\"id\":#,\"payload\":{"
    "\"name\":\"\\\\\\\"stake\\\":9}\",\"marketId\":%,\"stake\":$,"
    "\"currency\":\"&\",\"odds\":~,\"date\":\"^\",\"end\":\"\\\\\"}}",
    /* letters beyond ASCII, as bytes and as an escape */
    "{\"type\":\"message\",\"id\":#,\"payload\":{"
    "\"event\":\"K\xc3\xb6ln \xe2\x80\x93 \xe6\x9d\xb1\xe4\xba\xac \\u20ac\","
    "\"marketId\":%,\"odds\":~,\"stake\":$,\"currency\":\"&\","
    "\"date\":\"^\"}}",
    [FORM_NO_STAKE] =
        "{\"type\":\"message\",\"id\":#,\"payload\":{\"marketId\":%,"
        "\"selectionId\":987654,\"odds\":~,\"currency\":\"&\","
        "\"date\":\"^\"}}",
};

_Static_assert(sizeof FORMS / sizeof FORMS[0] == FORM_NO_STAKE + 1 &&
                   FORM_DRESSED + FORM_DRESSES == FORM_NO_STAKE,
               "the table and the enum name the same forms");

static void form_keep(struct form_text *t, const char *text, size_t len) {
    t->len = len;
    t->text = malloc(len + 1);
    if (!t->text) {
        perror("mock-upstream: message");
        exit(2);
    }
    memcpy(t->text, text, len + 1);
}

static const char *form_value(char mark, const struct form_fill *fill,
                              const char *market) {
    switch (mark) {
    case '#':
        return "";
    case '$':
        return fill->stake;
    case '&':
        return fill->currency;
    case '^':
        return fill->date;
    case '%':
        return market;
    case '~':
        return fill->odds;
    default:
        return NULL;
    }
}

void form_write(struct form_text *t, int form, const struct form_fill *fill,
                size_t *date_at) {
    char text[FORM_TEXT_MAX + 1];
    char market[16];
    size_t len = 0;
    snprintf(market, sizeof market, "%u", fill->market);
    for (const char *p = FORMS[form]; *p; p++) {
        if (*p == '#')
            t->id_at = len;
        if (*p == '^' && date_at)
            *date_at = len;
        const char *value = form_value(*p, fill, market);
        size_t size = value ? strlen(value) : 1;
        if (len + size > FORM_TEXT_MAX) {
            fputs("mock-upstream: message too long\n", stderr);
            exit(2);
        }
        memcpy(text + len, value ? value : p, size);
        len += size;
    }
    text[len] = '\0';
    form_keep(t, text, len);
}

void form_error(struct form_text *t) {
    static const char start[] = "{\"type\":\"error\",\"id\":";
    static const char whole[] = "{\"type\":\"error\",\"id\":,\"message\":"
                                "\"Unable to convert stake. Error: ";
    form_keep(t, whole, sizeof whole - 1);
    t->id_at = sizeof start - 1;
}

void form_free(struct form_text *t) {
    free(t->text);
    *t = (struct form_text){0};
}

void form_spell(const struct form_text *t, const char *digits,
                size_t digits_len, char *out) {
    memcpy(out, t->text, t->id_at);
    memcpy(out + t->id_at, digits, digits_len);
    memcpy(out + t->id_at + digits_len, t->text + t->id_at, t->len - t->id_at);
}
