#include "forms.h"

#include "tests/upstream/day.h"

#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FORM_LOOK_BACK = 7, /* days */
    FORM_RECENT = 90,
    FORM_NOON = 43200,
    FORM_DAY_SECONDS = 86400
};

/* The newest row of a day or of one of the seven before it; NULL: none. */
static const struct ecb_row *form_row(const struct form_call *c, long day) {
    for (size_t i = 0; i < c->ecb->rows; i++) {
        const struct ecb_row *row = &c->ecb->row[i];
        if (row->day <= day)
            return row->day >= day - FORM_LOOK_BACK ? row : NULL;
    }
    return NULL;
}

/* The row that a text like 2021-05-18 means. */
static const struct ecb_row *form_dated(const struct form_call *c,
                                        const char *text) {
    if (!text || strlen(text) != DAY_TEXT - 1)
        return NULL;
    long day = day_read(text);
    return day == DAY_NONE ? NULL : form_row(c, day);
}

static void form_rate(const struct form_call *c, struct evbuffer *out,
                      const char *rate) {
    if (c->factor == 1)
        evbuffer_add_printf(out, "%s", rate);
    else
        evbuffer_add_printf(out, "%.8f", strtod(rate, NULL) * c->factor);
}

/* "USD":1.2222,... ; `around` are the texts around each rate. */
static void form_rates(const struct form_call *c, struct evbuffer *out,
                       const struct ecb_row *row, bool objects) {
    for (size_t i = 0; i < c->ecb->columns; i++) {
        const char *code = c->ecb->code[i];
        if (!row->rate[i])
            continue;
        evbuffer_add_printf(out, ",\"%s\":", code);
        if (objects)
            evbuffer_add_printf(out, "{\"code\":\"%s\",\"value\":", code);
        form_rate(c, out, row->rate[i]);
        if (objects)
            evbuffer_add_printf(out, "}");
    }
}

static bool form_key_is_wrong(const struct form_call *c, const char *given) {
    return c->key && (!given || strcmp(given, c->key) != 0);
}

static int form_say(struct evbuffer *out, int status, const char *text) {
    evbuffer_add_printf(out, "%s", text);
    return status;
}

static int form_frankfurter(const struct form_call *c, struct evbuffer *out) {
    const struct ecb_row *row = &c->ecb->row[0];
    char day[DAY_TEXT];
    if (strcmp(c->path, "/latest") != 0)
        row = *c->path ? form_dated(c, c->path + 1) : NULL;
    if (!row)
        return form_say(out, 404, "{\"message\":\"not found\"}");
    day_write(row->day, day);
    evbuffer_add_printf(out,
                        "{\"amount\":1.0,\"base\":\"%s\",\"date\":\"%s\","
                        "\"rates\":{",
                        c->base, day);
    struct evbuffer *rates = evbuffer_new();
    form_rates(c, rates, row, false);
    evbuffer_drain(rates, 1); /* its first comma */
    evbuffer_add_buffer(out, rates);
    evbuffer_free(rates);
    return form_say(out, 200, "}}");
}

static void form_cubes(const struct form_call *c, struct evbuffer *out,
                       const struct ecb_row *row) {
    char day[DAY_TEXT];
    day_write(row->day, day);
    evbuffer_add_printf(out, "<Cube time=\"%s\">\n", day);
    for (size_t i = 0; i < c->ecb->columns; i++)
        if (row->rate[i]) {
            evbuffer_add_printf(out, "<Cube currency=\"%s\" rate=\"",
                                c->ecb->code[i]);
            form_rate(c, out, row->rate[i]);
            evbuffer_add_printf(out, "\"/>\n");
        }
    evbuffer_add_printf(out, "</Cube>\n");
}

static int form_ecb(const struct form_call *c, struct evbuffer *out) {
    size_t rows = c->ecb->rows;
    long first = -FORM_DAY_SECONDS;
    if (strcmp(c->path, "/eurofxref-daily.xml") == 0)
        rows = 1;
    else if (strcmp(c->path, "/eurofxref-hist-90d.xml") == 0)
        first = day_today() - FORM_RECENT;
    else if (strcmp(c->path, "/eurofxref-hist.xml") != 0)
        return form_say(out, 404, "<html>not found</html>");
    evbuffer_add_printf(
        out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gesmes:Envelope "
             "xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\" "
             "xmlns=\"http://www.ecb.int/vocabulary/2002-08-01/eurofxref\">\n"
             "<Cube>\n");
    for (size_t i = 0; i < rows && c->ecb->row[i].day >= first; i++)
        form_cubes(c, out, &c->ecb->row[i]);
    return form_say(out, 200, "</Cube>\n</gesmes:Envelope>\n");
}

static int form_url(const struct form_call *c, struct evbuffer *out) {
    char day[DAY_TEXT];
    evbuffer_add_printf(out, "Date");
    for (size_t i = 0; i < c->ecb->columns; i++)
        evbuffer_add_printf(out, ",%s", c->ecb->code[i]);
    for (size_t n = 0; n < c->ecb->rows; n++) {
        day_write(c->ecb->row[n].day, day);
        evbuffer_add_printf(out, "\n%s", day);
        for (size_t i = 0; i < c->ecb->columns; i++) {
            const char *rate = c->ecb->row[n].rate[i];
            evbuffer_add_printf(out, ",");
            if (rate)
                form_rate(c, out, rate);
        }
    }
    return form_say(out, 200, "\n");
}

/* Those of the euro that have all days: /latest, or /historical?date=. */
static const struct ecb_row *form_asked(const struct form_call *c,
                                        const char **day) {
    *day = NULL;
    if (strcmp(c->path, "/latest") == 0)
        return &c->ecb->row[0];
    if (strcmp(c->path, "/historical") != 0)
        return NULL;
    *day = evhttp_find_header(c->query, "date");
    return form_dated(c, *day);
}

static int form_freecurrencyapi(const struct form_call *c,
                                struct evbuffer *out) {
    const char *day;
    const struct ecb_row *row = form_asked(c, &day);
    if (form_key_is_wrong(c, evhttp_find_header(c->headers, "apikey")))
        return form_say(out, 401,
                        "{\"message\":\"Invalid authentication credentials\"}");
    if (!row)
        return form_say(out, 422,
                        "{\"message\":\"Validation error\",\"errors\":{}}");
    evbuffer_add_printf(out, "{\"data\":{");
    if (day)
        evbuffer_add_printf(out, "\"%s\":{", day);
    evbuffer_add_printf(out, "\"%s\":1", c->base);
    form_rates(c, out, row, false);
    return form_say(out, 200, day ? "}}}" : "}}");
}

static int form_currencyapi(const struct form_call *c, struct evbuffer *out) {
    const char *day;
    char text[DAY_TEXT];
    const struct ecb_row *row = form_asked(c, &day);
    if (form_key_is_wrong(c, evhttp_find_header(c->headers, "apikey")))
        return form_say(out, 401,
                        "{\"message\":\"Invalid authentication credentials\"}");
    if (!row)
        return form_say(out, 422,
                        "{\"message\":\"Validation error\",\"errors\":{}}");
    day_write(row->day, text);
    evbuffer_add_printf(out,
                        "{\"meta\":{\"last_updated_at\":\"%sT23:59:59Z\"},"
                        "\"data\":{\"%s\":{\"code\":\"%s\",\"value\":1}",
                        day ? day : text, c->base, c->base);
    form_rates(c, out, row, true);
    return form_say(out, 200, "}}");
}

static int form_fixer(const struct form_call *c, struct evbuffer *out) {
    bool latest = strcmp(c->path, "/latest") == 0;
    const char *key = evhttp_find_header(c->query, "access_key");
    const struct ecb_row *row = &c->ecb->row[0];
    if (!latest)
        row = *c->path ? form_dated(c, c->path + 1) : NULL;
    if (form_key_is_wrong(c,
                          key ? key : evhttp_find_header(c->headers, "apikey")))
        return form_say(out, 200,
                        "{\"success\":false,\"error\":{\"code\":101,"
                        "\"type\":\"invalid_access_key\"}}");
    if (!row)
        return form_say(out, 400,
                        "{\"success\":false,\"error\":{\"code\":106,"
                        "\"type\":\"no_rates_available\"}}");
    evbuffer_add_printf(out, "{\"success\":true,");
    if (latest)
        evbuffer_add_printf(out, "\"timestamp\":%ld,",
                            row->day * FORM_DAY_SECONDS + FORM_NOON);
    else
        evbuffer_add_printf(out, "\"historical\":true,\"date\":\"%s\",",
                            c->path + 1);
    evbuffer_add_printf(out, "\"base\":\"%s\",\"rates\":{\"%s\":1", c->base,
                        c->base);
    form_rates(c, out, row, false);
    return form_say(out, 200, "}}");
}

static int form_exchangerateapi(const struct form_call *c,
                                struct evbuffer *out) {
    char key[128] = "", what[16] = "";
    int year = 0, month = 0, day = 0;
    char text[DAY_TEXT + 32] = "";
    const struct ecb_row *row = NULL;
    sscanf(c->path, "/%127[^/]/%15[a-z]/EUR/%d/%d/%d", key, what, &year, &month,
           &day);
    if (form_key_is_wrong(c, key))
        return form_say(
            out, 403, "{\"result\":\"error\",\"error-type\":\"invalid-key\"}");
    snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
    if (strcmp(what, "latest") == 0)
        row = &c->ecb->row[0];
    else if (strcmp(what, "history") == 0)
        row = form_dated(c, text);
    if (!row)
        return form_say(out, 404,
                        "{\"result\":\"error\",\"error-type\":"
                        "\"malformed-request\"}");
    evbuffer_add_printf(out, "{\"result\":\"success\",");
    if (year > 0)
        evbuffer_add_printf(out, "\"year\":%d,\"month\":%d,\"day\":%d,", year,
                            month, day);
    else
        evbuffer_add_printf(out, "\"time_last_update_unix\":%ld,",
                            row->day * FORM_DAY_SECONDS + FORM_NOON);
    evbuffer_add_printf(out,
                        "\"base_code\":\"%s\",\"conversion_rates\":{\"%s\":1",
                        c->base, c->base);
    form_rates(c, out, row, false);
    return form_say(out, 200, "}}");
}

static const struct {
    const char *name, *setting, *type;
    int (*answer)(const struct form_call *call, struct evbuffer *out);
} forms[FORMS] = {
    {"freecurrencyapi", "FREECURRENCYAPI_URL", "application/json",
     form_freecurrencyapi},
    {"exchangerateapi", "EXCHANGERATEAPI_URL", "application/json",
     form_exchangerateapi},
    {"fixer", "FIXER_URL", "application/json", form_fixer},
    {"currencyapi", "CURRENCYAPI_URL", "application/json", form_currencyapi},
    {"frankfurter", "FRANKFURTER_URL", "application/json", form_frankfurter},
    {"ecb", "ECB_URL", "text/xml", form_ecb},
    {"url", "RATES_URL", "text/csv", form_url},
};

const char *form_name(int form) {
    return forms[form].name;
}

const char *form_setting(int form) {
    return forms[form].setting;
}

const char *form_content_type(int form) {
    return forms[form].type;
}

int form_answer(int form, const struct form_call *call, struct evbuffer *out) {
    return forms[form].answer(call, out);
}
