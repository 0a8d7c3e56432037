/*
 * The European Central Bank's own files: the last day and ninety days in XML,
 * all days in a ZIP with their CSV in it, a tenth of the XML's size. They need
 * no key.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/memory.h"
#include "ratefetcher/providers/texts.h"

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
        [ALL_DAYS] = "eurofxref-hist.zip",
    };
    (void)key;
    snprintf(out->url, sizeof out->url, "%s/%s", address,
             files[resource(when, today)]);
}

/* A mirror may have no ZIP: all of it is in the XML, too. */
static bool fall_back(const char *address, day when, day today,
                      struct web_request *out) {
    if (resource(when, today) != ALL_DAYS)
        return false;
    snprintf(out->url, sizeof out->url, "%s/eurofxref-hist.xml", address);
    return true;
}

/* Reads one form or the other, as the first piece shows. */
struct ecb_reader {
    const char *provider;
    struct history *tables;
    int64_t fetched_ms;
    struct web_faults *faults;
    const struct web_text_reader *text; /* NULL: nothing has come */
    void *reader;
};

static void *reader_begin(const char *provider, struct history *tables,
                          int64_t fetched_ms, struct web_faults *faults) {
    struct ecb_reader *r = memory_new(sizeof *r);
    r->provider = provider;
    r->tables = tables;
    r->fetched_ms = fetched_ms;
    r->faults = faults;
    return r;
}

static void choose(struct ecb_reader *r, const struct web_text_reader *text) {
    r->text = text;
    r->reader = text->begin(r->provider, r->tables, r->fetched_ms, r->faults);
}

static void reader_feed(void *reader, struct span piece) {
    struct ecb_reader *r = reader;
    if (piece.len > 0 && r->text == NULL)
        choose(r, piece.data[0] == 'P' ? &csv_text : &xml_text);
    if (r->text != NULL)
        r->text->feed(r->reader, piece);
}

static bool reader_more(void *reader) {
    struct ecb_reader *r = reader;
    return r->text != NULL && r->text->more != NULL && r->text->more(r->reader);
}

static const char *reader_end(void *reader) {
    struct ecb_reader *r = reader;
    if (r->text == NULL)
        choose(r, &xml_text);
    const char *why = r->text->end(r->reader);
    free(r);
    return why;
}

static const struct web_text_reader reader = {.begin = reader_begin,
                                              .feed = reader_feed,
                                              .more = reader_more,
                                              .end = reader_end};

static const struct web_api api = {
    .name = "ecb",
    .base = "EUR",
    .address = SETTING_ECB_URL,
    .key = SETTINGS,
    .text = &reader,
    .resource = resource,
    .first_kept = NINETY_DAYS,
    .request = request,
    .fall_back = fall_back,
};

const struct provider_class provider_ecb = WEB_CLASS(ecb, ECB, &api);
