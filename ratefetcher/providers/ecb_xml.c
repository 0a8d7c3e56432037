/* The ECB's XML of one day or of many, as a text that comes piece by piece. */
#include <expat.h>
#include <stdlib.h>

#include "common/memory.h"
#include "ratefetcher/providers/day_rows.h"
#include "ratefetcher/providers/texts.h"

struct xml_reader {
    XML_Parser parser;
    struct history *tables;
    struct day_rows *rows;
    struct web_faults *faults;
    int depth, table_depth;
    bool envelope, bad;
    int64_t given; /* bytes that expat has got */
    int64_t place; /* of these, those up to the last tag that it told of */
};

static const char *attribute(const char **attributes, const char *name) {
    for (; *attributes != NULL; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

static void note_bad_rate(struct xml_reader *r, const char *code) {
    char text[RATES_CODE_LEN + 1] = {0};
    memcpy(text, code, RATES_CODE_LEN);
    web_note_fault(r->faults, text);
}

/* `code`: of three letters. */
static void add_rate(struct xml_reader *r, const char *code, struct span rate) {
    size_t column;
    if (!day_rows_column(r->rows, code, &column))
        return;
    enum rates_add added = day_rows_add(r->rows, column, rate);
    if (added == RATES_BAD_RATE)
        note_bad_rate(r, code);
    if (added == RATES_OTHER_BASE)
        day_rows_drop(r->rows);
}

/* The end of the tag that expat tells of now. */
static int64_t place_behind(const struct xml_reader *r) {
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 9
    return XML_GetCurrentByteIndex64(r->parser) +
           (int64_t)XML_GetCurrentByteCount64(r->parser);
#else /* which has no other ones yet */
    return XML_GetCurrentByteIndex(r->parser) +
           XML_GetCurrentByteCount(r->parser);
#endif
}

/* <Cube time="..."> begins a day, <Cube currency="..." rate="..."/> is one. */
static void on_start(void *arg, const char *name, const char **attributes) {
    struct xml_reader *r = arg;
    r->place = place_behind(r);
    if (r->depth++ == 0)
        r->envelope = strcmp(name, "gesmes:Envelope") == 0;
    if (strcmp(name, "Cube") != 0)
        return;
    const char *time = attribute(attributes, "time");
    const char *currency = attribute(attributes, "currency");
    const char *rate = attribute(attributes, "rate");
    day as_of;
    if (time != NULL) {
        day_rows_end(r->rows);
        r->table_depth = r->depth;
        if (day_parse(span_of(time), &as_of) == DAY_OK)
            day_rows_begin(r->rows, as_of);
    } else if (currency != NULL && rate != NULL &&
               rates_is_code(span_of(currency)) && /* no metal, no coin */
               day_rows_is_begun(r->rows)) {
        add_rate(r, currency, span_of(rate));
    }
}

static void on_end(void *arg, const char *name) {
    (void)name;
    struct xml_reader *r = arg;
    if (r->depth == r->table_depth)
        day_rows_end(r->rows);
    r->depth--;
    r->place = place_behind(r);
}

static void *reader_begin(const char *provider, struct history *tables,
                          int64_t fetched_ms, struct web_faults *faults) {
    struct xml_reader *r = memory_new(sizeof *r);
    r->tables = tables;
    r->rows = day_rows_new(tables, provider, "EUR", fetched_ms);
    r->faults = faults;
    r->parser = XML_ParserCreate(NULL);
    r->bad = r->parser == NULL;
    if (r->bad)
        return r;
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    return r;
}

/* Takes `<Cube currency="USD" rate="1.1512"/>` off the front of the text, if
 * that is what it begins with. */
static bool take_plain_rate(struct span *text, struct span *code,
                            struct span *rate) {
    static const char head[] = "<Cube currency=\"", middle[] = "\" rate=\"",
                      tail[] = "\"/>";
    enum {
        CODE = sizeof head - 1,
        MIDDLE = CODE + RATES_CODE_LEN,
        RATE = MIDDLE + sizeof middle - 1
    };
    const char *data = text->data;
    if (text->len < RATE || memcmp(data, head, sizeof head - 1) != 0 ||
        memcmp(data + MIDDLE, middle, sizeof middle - 1) != 0)
        return false;
    size_t end = RATE;
    while (end < text->len &&
           ((data[end] >= '0' && data[end] <= '9') || data[end] == '.'))
        end++;
    if (text->len - end < sizeof tail - 1 ||
        memcmp(data + end, tail, sizeof tail - 1) != 0)
        return false;
    *code = (struct span){data + CODE, RATES_CODE_LEN};
    *rate = (struct span){data + RATE, end - RATE};
    *text = span_from(*text, end + sizeof tail - 1);
    return rates_is_code(*code);
}

/*
 * Nine tenths of the text are rates in one and the same form. Right behind a
 * tag of a day an element may stand: those in that form are read without expat,
 * much faster. What they leave is as well-formed as it was, without them.
 */
static void read_plain_rates(struct xml_reader *r, struct span *text) {
    struct span rest = *text, code, rate;
    while (day_rows_is_begun(r->rows) && take_plain_rate(&rest, &code, &rate)) {
        add_rate(r, code.data, rate);
        *text = rest;
    }
}

/* Gives expat the text up to the next end of a tag. */
static void parse_a_tag(struct xml_reader *r, struct span *text) {
    const char *end = memchr(text->data, '>', text->len);
    size_t len = end != NULL ? (size_t)(end - text->data) + 1 : text->len;
    r->bad =
        XML_Parse(r->parser, text->data, (int)len, XML_FALSE) != XML_STATUS_OK;
    r->given += (int64_t)len;
    *text = span_from(*text, len);
}

static void reader_feed(void *reader, struct span text) {
    struct xml_reader *r = reader;
    while (text.len > 0 && !r->bad) {
        if (r->place == r->given)
            read_plain_rates(r, &text);
        if (text.len > 0)
            parse_a_tag(r, &text);
    }
}

static const char *reader_end(void *reader) {
    struct xml_reader *r = reader;
    bool good =
        !r->bad && XML_Parse(r->parser, "", 0, XML_TRUE) == XML_STATUS_OK;
    day_rows_end(r->rows);
    const char *why = !good || !r->envelope          ? "not the XML of the ECB"
                      : history_count(r->tables) > 0 ? NULL
                                                     : "no rates";
    day_rows_free(&r->rows);
    XML_ParserFree(r->parser);
    free(r);
    return why;
}

const struct web_text_reader xml_text = {
    .begin = reader_begin, .feed = reader_feed, .end = reader_end};
