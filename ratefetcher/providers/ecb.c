/*
 * The European Central Bank's own files: the last day, ninety days, all days,
 * in XML. They need no key.
 */
#include <expat.h>
#include <stdio.h>

#include "ratefetcher/providers/web.h"

static const struct web_api api;

/* The file of ninety days has those up to some days ago for certain. */
enum { NINETY_DAYS_SURELY = 85 };

/* Its files: one number each, as one call brings all that is in one. */
enum { LAST_DAY, NINETY_DAYS, ALL_DAYS };

static int32_t resource(day when, day today) {
    if (rates_day_is_latest(when))
        return LAST_DAY;
    return when.number >= today.number - NINETY_DAYS_SURELY ? NINETY_DAYS
                                                            : ALL_DAYS;
}

static void request(const char *address, const char *key, day when, day today,
                    struct web_request *out) {
    static const char *const files[] = {
        [LAST_DAY] = "eurofxref-daily.xml",
        [NINETY_DAYS] = "eurofxref-hist-90d.xml",
        [ALL_DAYS] = "eurofxref-hist.xml",
    };
    (void)key;
    snprintf(out->url, sizeof out->url, "%s/%s", address,
             files[resource(when, today)]);
}

struct ecb_reader {
    const struct web_answer *answer;
    struct history *tables;
    struct web_faults *faults;
    struct rates *table; /* of the day being read, or NULL */
    int depth, table_depth;
    bool envelope;
};

static const char *attribute(const char **attributes, const char *name) {
    for (; *attributes != NULL; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

static void end_table(struct ecb_reader *r) {
    if (r->table == NULL)
        return;
    if (rates_count(r->table) > 0)
        history_add(r->tables, r->table);
    else
        rates_release(&r->table);
    r->table = NULL;
}

/* <Cube time="..."> begins a day, <Cube currency="..." rate="..."/> is one. */
static void on_start(void *arg, const char *name, const char **attributes) {
    struct ecb_reader *r = arg;
    if (r->depth++ == 0)
        r->envelope = strcmp(name, "gesmes:Envelope") == 0;
    if (strcmp(name, "Cube") != 0)
        return;
    const char *time = attribute(attributes, "time");
    const char *currency = attribute(attributes, "currency");
    const char *rate = attribute(attributes, "rate");
    day as_of;
    if (time != NULL) {
        end_table(r);
        r->table_depth = r->depth;
        if (day_parse(span_of(time), &as_of) == DAY_OK)
            r->table =
                rates_new(api.name, api.base, as_of, r->answer->fetched_ms);
    } else if (currency != NULL && rate != NULL && r->table != NULL &&
               !web_add_rate(r->table, currency, span_of(rate), r->faults)) {
        rates_release(&r->table);
    }
}

static void on_end(void *arg, const char *name) {
    (void)name;
    struct ecb_reader *r = arg;
    if (r->depth == r->table_depth)
        end_table(r);
    r->depth--;
}

static const char *read_body(const struct web_answer *answer,
                             struct history *tables,
                             struct web_faults *faults) {
    struct ecb_reader r = {
        .answer = answer, .tables = tables, .faults = faults};
    XML_Parser parser = XML_ParserCreate(NULL);
    if (parser == NULL)
        return "no memory";
    XML_SetUserData(parser, &r);
    XML_SetElementHandler(parser, on_start, on_end);
    bool good = XML_Parse(parser, answer->text.data, (int)answer->text.len,
                          XML_TRUE) == XML_STATUS_OK;
    XML_ParserFree(parser);
    end_table(&r);
    if (!good || !r.envelope)
        return "not the XML of the ECB";
    return history_count(tables) > 0 ? NULL : "no rates";
}

static const struct web_api api = {
    .name = "ecb",
    .base = "EUR",
    .address = SETTING_ECB_URL,
    .key = SETTINGS,
    .in_text = true,
    .resource = resource,
    .request = request,
    .read = read_body,
};

const struct provider_class provider_ecb = WEB_CLASS(ecb, ECB, &api);
