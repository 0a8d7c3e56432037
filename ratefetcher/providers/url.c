/*
 * A table of one's own at an address, in the ECB's CSV form: all days in one
 * body.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/memory.h"
#include "ratefetcher/providers/ecb_csv.h"
#include "ratefetcher/providers/web.h"

static const struct web_api api;

struct url_reader {
    struct ecb_csv *csv;
    struct ecb_csv_faults left_out;
    struct history *tables;
    struct web_faults *faults;
};

static int32_t resource(day when, day today) {
    (void)when, (void)today;
    return 0;
}

static void request(const char *address, const char *key, day when, day today,
                    struct web_request *out) {
    (void)key, (void)when, (void)today;
    snprintf(out->url, sizeof out->url, "%s", address);
}

static void *reader_begin(struct history *tables, int64_t fetched_ms,
                          struct web_faults *faults) {
    struct url_reader *r = memory_new(sizeof *r);
    r->csv = ecb_csv_begin(api.name, fetched_ms, &r->left_out);
    r->tables = tables;
    r->faults = faults;
    return r;
}

static void reader_feed(void *reader, struct span piece) {
    struct url_reader *r = reader;
    ecb_csv_feed(r->csv, piece);
}

/* Of what is left out, the first one's text is told. */
static const char *reader_end(void *reader) {
    struct url_reader *r = reader;
    struct history *read = ecb_csv_end(&r->csv);
    size_t left_out = r->left_out.rows + r->left_out.rates;
    const char *why =
        read != NULL ? NULL : "not the CSV of the ECB, or no rates";
    for (size_t i = 0; i < left_out; i++)
        web_note_fault(r->faults, r->left_out.example);
    if (read != NULL)
        history_swap(r->tables, read);
    history_free(&read);
    free(r);
    return why;
}

static const struct web_text_reader reader = {
    .begin = reader_begin, .feed = reader_feed, .end = reader_end};

static const struct web_api api = {
    .name = "url",
    .base = "EUR",
    .address = SETTING_RATES_URL,
    .key = SETTINGS,
    .text = &reader,
    .resource = resource,
    .request = request,
};

const struct provider_class provider_url = WEB_CLASS(url, URL, &api);
