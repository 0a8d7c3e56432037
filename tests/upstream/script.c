#include "script.h"

#include "day.h"
#include "dice.h"
#include "euro.h"
#include "fixed.h"
#include "stake.h"

#include <stdio.h>
#include <string.h>

enum {
    SCRIPT_DATE = 25, /* "YYYY-MM-DDTHH:MM:SS.mmmZ" and its end mark */
    SCRIPT_TRIES = 256,
    SCRIPT_LOOK_BACK = 7,
};

/* Stands in the expected answer where the moment of conversion belongs. */
static const char SCRIPT_NOW[] = "YYYY-MM-DDTHH:MM:SS.mmmZ";

/* A message in the making. `rate` is NULL where an error is due. */
struct script_draft {
    const struct ecb *ecb;
    struct dice dice;
    long today;
    long day;
    int form;
    const char *currency;
    const char *rate;
    char stake[EURO_TEXT];
    char date[SCRIPT_DATE];
    char odds[16];
};

static size_t script_pick(struct script_draft *s, size_t count) {
    return (size_t)dice_below(&s->dice, count);
}

/* Sets the date to a random moment of a day, at times its first or last. */
static void script_moment(struct script_draft *s, long day) {
    char text[DAY_TEXT];
    unsigned ms = (unsigned)dice_below(&s->dice, 86400000);
    size_t edge = script_pick(s, 16);
    if (edge < 2)
        ms = edge ? 86399999 : 0;
    /* Today, ask for the past only. */
    if (day == s->today)
        ms = (unsigned)dice_below(&s->dice, (uint64_t)day_seconds() + 1) * 1000;
    s->day = day;
    day_write(day, text);
    snprintf(s->date, sizeof s->date, "%.10sT%02u:%02u:%02u.%03uZ", text,
             ms / 3600000 % 24, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

/* Picks a currency which has (or, if not `published`, has not) a rate in this
 * very row. */
static bool script_column(struct script_draft *s, const struct ecb_row *row,
                          bool published, size_t *column) {
    for (int i = 0; i < SCRIPT_TRIES; i++) {
        *column = script_pick(s, s->ecb->columns);
        if ((row->rate[*column] != NULL) == published)
            return true;
    }
    return false;
}

static bool script_dated(struct script_draft *s, const struct ecb_row *row,
                         long day) {
    size_t column;
    if (!script_column(s, row, true, &column))
        return false;
    const char *fixed = fixed_rate(s->ecb->code[column], day);
    s->currency = s->ecb->code[column];
    s->rate = fixed ? fixed : row->rate[column];
    script_moment(s, day);
    return true;
}

/* Dated today: the newest row counts, whatever its age. */
static bool script_today(struct script_draft *s) {
    return script_dated(s, &s->ecb->row[0], s->today);
}

/* Dated on a day that has a row. */
static bool script_row(struct script_draft *s) {
    for (int i = 0; i < SCRIPT_TRIES; i++) {
        const struct ecb_row *row = &s->ecb->row[script_pick(s, s->ecb->rows)];
        if (row->day < s->today)
            return script_dated(s, row, row->day);
    }
    return false;
}

/* Finds a row followed by `gap` or more days without one, all of them over. */
static const struct ecb_row *script_gap(struct script_draft *s, long gap) {
    for (int i = 0; i < SCRIPT_TRIES; i++) {
        size_t at = script_pick(s, s->ecb->rows);
        const struct ecb_row *row = &s->ecb->row[at];
        long next = at > 0 ? row[-1].day : s->today;
        if (next > s->today)
            next = s->today;
        if (next - row->day > gap)
            return row;
    }
    return NULL;
}

/* Dated on a day without a row, a weekend mostly: the row before counts. */
static bool script_look_back(struct script_draft *s) {
    long back = 1 + (long)script_pick(s, 2);
    if (script_pick(s, 8) == 0)
        back = SCRIPT_LOOK_BACK;
    const struct ecb_row *row = script_gap(s, back);
    return row && script_dated(s, row, row->day + back);
}

/* Dated longer after the last row than rates stay good. */
static bool script_too_old(struct script_draft *s) {
    const struct ecb_row *row = script_gap(s, SCRIPT_LOOK_BACK + 1);
    if (!row || !script_dated(s, row, row->day + SCRIPT_LOOK_BACK + 1))
        return false;
    s->rate = fixed_rate(s->currency, s->day);
    return true;
}

/* In a currency of the table which had no rate at the time, and gets one only
 * if it was euros by then. */
static bool script_not_listed(struct script_draft *s) {
    size_t column;
    const struct ecb_row *row = &s->ecb->row[script_pick(s, s->ecb->rows)];
    if (row->day >= s->today || !script_column(s, row, false, &column) ||
        ecb_rate(s->ecb, column, row->day))
        return false;
    s->currency = s->ecb->code[column];
    s->rate = fixed_rate(s->currency, row->day);
    script_moment(s, row->day);
    return true;
}

/* Euros need no rate, so it may be any day since there are euros. */
static void script_euro(struct script_draft *s) {
    s->currency = "EUR";
    s->rate = "1";
    script_moment(s, s->today - 1 - (long)script_pick(s, 9000));
}

/* The example which the protocol itself gives. */
static void script_example(struct script_draft *s) {
    static const char date[] = "2021-05-18T21:32:42.324Z";
    long column = ecb_column(s->ecb, "USD");
    s->form = FORM_PLAIN;
    s->currency = "USD";
    s->day = day_read(date);
    s->rate = column < 0 ? NULL : ecb_rate(s->ecb, (size_t)column, s->day);
    snprintf(s->stake, sizeof s->stake, "253.67");
    snprintf(s->odds, sizeof s->odds, "2.2");
    memcpy(s->date, date, sizeof date);
}

/* Spoils a good draft in the way of that number. */
static void script_spoil(struct script_draft *s, size_t way) {
    static const char *const stakes[] = {"-12.5", "-0", "\"12.5\"", "null"};
    s->rate = NULL;
    switch (way) {
    case 0:
        s->currency = "XXX";
        break;
    case 1:
        s->currency = "usd";
        break;
    case 2:
    case 3:
    case 4:
    case 5:
        snprintf(s->stake, sizeof s->stake, "%s", stakes[way - 2]);
        break;
    case 6:
        memcpy(s->date, "2021-02-30", 10);
        break;
    case 7:
        s->form = FORM_NO_STAKE;
        break;
    case 8:
        s->currency = s->ecb->code[0];
        memcpy(s->date, "1990-01-02", 10);
        break;
    case 9:
        if (!script_too_old(s))
            s->currency = "XXX";
        break;
    default:
        if (!script_not_listed(s))
            s->currency = "XXX";
        break;
    }
}

/* The kinds come in turn, so that a slow run shows all of them early. */
static void script_compose(struct script_draft *s, size_t n) {
    size_t turn = n % 12;
    bool done = false;
    stake_roll(&s->dice, s->stake);
    snprintf(s->odds, sizeof s->odds, "%u.%02u",
             1 + (unsigned)script_pick(s, 30), (unsigned)script_pick(s, 100));
    s->form = FORM_PLAIN;
    if (turn == 2 || turn == 7 || turn == 9)
        s->form = FORM_DRESSED + (int)script_pick(s, FORM_DRESSES);
    if (turn == 4 || turn == 9)
        done = script_look_back(s);
    else if (turn == 6)
        done = script_today(s);
    if (!done && !script_row(s) && !script_today(s))
        script_euro(s);
    if (turn == 5)
        script_euro(s);
    if (turn == 8 || n % 60 == 5)
        euro_tie(s->rate, (unsigned long)script_pick(s, 100000), s->stake);
    if (turn == 3)
        script_spoil(s, n / 12 % 11);
    if (n % 480 == 0)
        script_example(s);
}

static void script_finish(struct script_draft *s, struct script_item *item) {
    char euro[EURO_TEXT];
    struct form_fill fill = {.stake = s->stake,
                             .currency = s->currency,
                             .date = s->date,
                             .odds = s->odds,
                             .market = 123456};
    form_write(&item->ask, s->form, &fill, NULL);
    item->today = s->day == s->today;
    item->error = !s->rate;
    if (item->error) {
        form_error(&item->answer);
        return;
    }
    euro_from(s->stake, s->rate, euro);
    fill.stake = euro;
    fill.currency = "EUR";
    fill.date = SCRIPT_NOW;
    form_write(&item->answer, s->form, &fill, &item->date_at);
}

void script_make(struct script *s, const struct ecb *ecb, uint64_t seed) {
    struct script_draft draft = {
        .ecb = ecb, .dice = {seed}, .today = day_today()};
    s->next = 0;
    s->day = draft.today;
    for (size_t i = 0; i < SCRIPT_ITEMS; i++) {
        script_compose(&draft, i);
        script_finish(&draft, &s->item[i]);
    }
}

/* Sets day, currency and rate to those of the k-th rate in the file that is of
 * a day now over. */
static bool script_pair(struct script_draft *s, size_t k) {
    for (size_t i = 0; i < s->ecb->rows; i++) {
        const struct ecb_row *row = &s->ecb->row[i];
        for (size_t c = 0; row->day < s->today && c < s->ecb->columns; c++)
            if (row->rate[c] && k-- == 0) {
                s->currency = s->ecb->code[c];
                s->rate = row->rate[c];
                script_moment(s, row->day);
                return true;
            }
    }
    return false;
}

bool script_make_pairs(struct script *s, const struct ecb *ecb, uint64_t seed,
                       size_t pairs) {
    struct script_draft draft = {.ecb = ecb,
                                 .dice = {seed},
                                 .today = day_today(),
                                 .form = FORM_PLAIN,
                                 .odds = "2.2"};
    *s = (struct script){.day = draft.today};
    for (size_t i = 0; i < SCRIPT_ITEMS; i++) {
        if (!script_pair(&draft, i % pairs))
            return false;
        snprintf(draft.stake, sizeof draft.stake, "%u.%02u",
                 100 + (unsigned)script_pick(&draft, 900),
                 (unsigned)script_pick(&draft, 100));
        script_finish(&draft, &s->item[i]);
    }
    return true;
}

void script_free(struct script *s) {
    for (size_t i = 0; i < SCRIPT_ITEMS; i++) {
        form_free(&s->item[i].ask);
        form_free(&s->item[i].answer);
    }
}

const struct script_item *script_next(struct script *s) {
    bool today = day_today() == s->day && day_seconds() < 86400 - 60;
    const struct script_item *item;
    do
        item = &s->item[s->next++ % SCRIPT_ITEMS];
    while (item->today && !today);
    return item;
}
