#include "expect.h"

#include "buf.h"
#include "euro.h"
#include "fixed.h"
#include "moment.h"

#include <stdlib.h>
#include <string.h>

enum {
    EXPECT_DIGITS = 18,   /* a stake's, and its decimals */
    EXPECT_WHOLE = 15,    /* digits before its point */
    EXPECT_DECIMALS = 5,  /* of an answer */
    EXPECT_EXPONENT = 999 /* beyond that the size is the same */
};

static const char EXPECT_NOW[] = "YYYY-MM-DDTHH:MM:SS.mmmZ";

/* The parts of a request that matter; those that are missing are empty, but
 * for an id that is none: it is null. */
struct expect_parts {
    struct json_part type, id, stake, currency, date;
};

static void expect_find(struct expect_parts *p, struct json_part ask) {
    static const struct json_part null = {"null", 4}, none = {"", 0};
    struct json_part payload = none;
    *p = (struct expect_parts){none, null, none, none, none};
    json_member(ask, "type", &p->type);
    if (!json_member(ask, "id", &p->id) ||
        (!json_is_string(p->id) && !json_is_number(p->id)))
        p->id = null;
    json_member(ask, "payload", &payload);
    json_member(payload, "stake", &p->stake);
    json_member(payload, "currency", &p->currency);
    json_member(payload, "date", &p->date);
}

static void expect_keep(struct expect *e, struct buf *b) {
    e->text = buf_room(b, 1);
    e->len = buf_len(b);
    e->text = buf_head(b); /* `start` is 0: nothing was dropped */
}

static void expect_error(struct expect *e) {
    static const char head[] = "{\"type\":\"error\",\"id\":";
    static const char tail[] =
        ",\"message\":\"Unable to convert stake. Error: ";
    struct buf b = {0};
    buf_add(&b, head, sizeof head - 1);
    buf_add(&b, e->id.text, e->id.len);
    buf_add(&b, tail, sizeof tail - 1);
    e->kind = EXPECT_ERROR;
    expect_keep(e, &b);
}

/* Adds what stands before `part` and, in its place, `text`. */
static const char *expect_replace(struct buf *b, const char *from,
                                  struct json_part part, const char *text) {
    buf_add(b, from, (size_t)(part.text - from));
    buf_add(b, text, strlen(text));
    return part.text + part.len;
}

static int expect_order(const void *a, const void *b) {
    const struct json_part *const *x = a, *const *y = b;
    return ((*x)->text > (*y)->text) - ((*x)->text < (*y)->text);
}

static void expect_stake(struct expect *e, struct json_part ask,
                         const struct expect_parts *p, const char *stake) {
    const struct json_part *part[] = {&p->stake, &p->currency, &p->date};
    const char *from = ask.text;
    struct buf b = {0};
    qsort(part, 3, sizeof *part, expect_order);
    for (int i = 0; i < 3; i++) {
        if (part[i] == &p->stake) {
            from = expect_replace(&b, from, p->stake, stake);
        } else if (part[i] == &p->currency) {
            from = expect_replace(&b, from, p->currency, "\"EUR\"");
        } else {
            from = expect_replace(&b, from, p->date, "\"");
            e->date_at = buf_len(&b);
            buf_add(&b, EXPECT_NOW, sizeof EXPECT_NOW);
            b.end--;
            buf_add(&b, "\"", 1);
        }
    }
    buf_add(&b, from, (size_t)(ask.text + ask.len - from));
    e->kind = EXPECT_STAKE;
    e->date = (struct json_part){p->date.text + 1, p->date.len - 2};
    expect_keep(e, &b);
}

/* As fxwire writes it: no exponent, no needless zero, five decimals at most. */
static bool expect_is_plain(const char *text) {
    size_t whole = strspn(text, "0123456789");
    size_t decimals =
        text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
    size_t len = whole + (decimals > 0 ? decimals + 1 : 0);
    return whole > 0 && text[len] == '\0' && decimals <= EXPECT_DECIMALS &&
           (whole == 1 || *text != '0') &&
           (decimals == 0 || text[len - 1] != '0');
}

const char *expect_given(struct expect *e, struct json_part ask,
                         struct json_part given) {
    struct expect_parts p;
    char text[EURO_TEXT] = "";
    expect_find(&p, ask);
    *e = (struct expect){.kind = EXPECT_NOTHING, .id = p.id};
    if (json_equals(given, "nothing"))
        return NULL;
    if (json_equals(given, "error")) {
        expect_error(e);
        return NULL;
    }
    if (given.len >= sizeof text)
        return "\"expect\" is too long";
    if (json_is_string(given))
        json_unescape(given, text);
    else
        memcpy(text, given.text, given.len);
    if (!expect_is_plain(text))
        return "\"expect\" is neither a plain decimal (\"207.5\"; at most five "
               "decimals, none of them a zero at the end) nor \"error\" nor "
               "\"nothing\"";
    if (p.stake.len == 0 || p.currency.len == 0 || !json_is_string(p.date))
        return "its payload has no stake, currency and date that could be "
               "replaced";
    expect_stake(e, ask, &p, text);
    return NULL;
}

/* Of a valid JSON number: whether it is one that fxwire takes. */
static bool expect_takes(struct json_part stake, char out[EURO_TEXT]) {
    long decimals = 0, first = -1, last = 0, n = 0, point = 0, exponent = 0;
    if (!json_is_number(stake) || *stake.text == '-' || stake.len >= EURO_TEXT)
        return false;
    memcpy(out, stake.text, stake.len);
    out[stake.len] = '\0';
    const char *p = out;
    for (; *p && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            point = 1;
            continue;
        }
        decimals += point;
        n++;
        if (*p != '0') {
            first = first < 0 ? n : first;
            last = n;
        }
    }
    if (first < 0) {
        memcpy(out, "0", 2);
        return true;
    }
    if (*p)
        exponent = strtol(p + 1, NULL, 10);
    if (labs(exponent) > EXPECT_EXPONENT)
        return false;
    long whole = n - decimals - first + 1 + exponent;
    return last - first + 1 <= EXPECT_DIGITS && whole <= EXPECT_WHOLE &&
           decimals - (n - last) - exponent <= EXPECT_DIGITS;
}

static bool expect_code(struct json_part currency, char code[4]) {
    if (!json_is_string(currency) || currency.len != 5)
        return false;
    memcpy(code, currency.text + 1, 3);
    code[3] = '\0';
    return strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

/* NULL: there is none. */
static const char *expect_rate(const struct ecb *ecb, const char *code,
                               long day) {
    long today = day_today();
    if (day < day_read("1999-01-04") || day > today)
        return NULL;
    if (strcmp(code, "EUR") == 0)
        return "1";
    const char *fixed = fixed_rate(code, day);
    long column = ecb_column(ecb, code);
    if (fixed || column < 0)
        return fixed;
    if (day == today)
        return ecb->row[0].rate[column];
    return ecb_rate(ecb, (size_t)column, day);
}

void expect_computed(struct expect *e, struct json_part ask,
                     const struct ecb *ecb) {
    struct expect_parts p;
    char stake[EURO_TEXT], code[4], euro[EURO_TEXT];
    const char *rate = NULL;
    expect_find(&p, ask);
    *e = (struct expect){.kind = EXPECT_NOTHING, .id = p.id};
    /* An object of another type is for nobody; what is no object is refused. */
    if (json_is_valid(ask) && json_is_object(ask) &&
        !json_equals(p.type, "message"))
        return;
    if (*p.id.text != 'n' && expect_takes(p.stake, stake) &&
        expect_code(p.currency, code) && json_is_string(p.date)) {
        long day = moment_day(p.date);
        rate = day == DAY_NONE ? NULL : expect_rate(ecb, code, day);
    }
    if (!rate) {
        expect_error(e);
        return;
    }
    euro_from(stake, rate, euro);
    expect_stake(e, ask, &p, euro);
}

static bool expect_error_matches(const struct expect *e, const char *text,
                                 size_t len) {
    return len > e->len && memcmp(text, e->text, e->len) == 0 &&
           match_reason(text + e->len, text + len);
}

bool expect_matches(const struct expect *e, const struct match_span *span,
                    bool same_date, const char *text, size_t len) {
    struct json_part date = e->date;
    size_t rest = e->len - e->date_at - MATCH_DATE;
    if (e->kind == EXPECT_ERROR)
        return expect_error_matches(e, text, len);
    if (!same_date)
        date.len = MATCH_DATE;
    if (len != e->len - MATCH_DATE + date.len ||
        memcmp(text, e->text, e->date_at) != 0 ||
        memcmp(text + len - rest, e->text + e->len - rest, rest) != 0)
        return false;
    return same_date ? memcmp(text + e->date_at, date.text, date.len) == 0
                     : match_date(text + e->date_at, span);
}

void expect_free(struct expect *e) {
    free(e->text);
    *e = (struct expect){0};
}
