#include "verdict.h"

#include "show.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    VERDICT_FIRST_ID = 456, /* so that the first message is the protocol's */
    VERDICT_COMPLAINTS = 10,
};

void verdict_init(struct verdict *v, bool show) {
    v->next_id = VERDICT_FIRST_ID;
    v->show = show;
    verdict_clock(v);
}

void verdict_clock(struct verdict *v) {
    /* A day to either side: midnight may pass between two clocks, but the date
     * of the question must not come back unchanged. */
    long today = day_today();
    if (today == v->today)
        return;
    v->today = today;
    day_write(today - 1, v->span.first);
    day_write(today + 1, v->span.last);
}

static struct verdict_slot *verdict_slot(struct verdict *v, uint64_t id) {
    return &v->slot[id % VERDICT_SLOTS];
}

uint64_t verdict_ask(struct verdict *v, const struct script_item *item,
                     uint64_t now_ns) {
    /* A question long unanswered keeps its place; ids need not be dense. */
    while (verdict_slot(v, v->next_id)->open)
        v->next_id++;
    uint64_t id = v->next_id++;
    *verdict_slot(v, id) = (struct verdict_slot){id, now_ns, item, true};
    if (v->asked++ == 0)
        v->first_ns = now_ns;
    v->open++;
    return id;
}

const struct verdict_slot *verdict_again(struct verdict *v, size_t *cursor,
                                         uint64_t now_ns) {
    while (*cursor < VERDICT_SLOTS) {
        struct verdict_slot *slot = verdict_slot(v, v->next_id + (*cursor)++);
        if (slot->open) {
            slot->asked_ns = now_ns;
            v->again++;
            return slot;
        }
    }
    return NULL;
}

/* Prints the answer with its judgement; `slot` is the question of a wrong
 * one, else NULL. */
static void verdict_show(FILE *out, const char *text, size_t len,
                         const char *word, const struct verdict_slot *slot) {
    char want[MATCH_TEXT_MAX];
    char digits[MATCH_DIGITS];
    show_text(out, "<- ", text, len);
    fputs(word, out);
    if (slot) {
        size_t n = match_digits(slot->id, digits);
        form_spell(&slot->item->answer, digits, n, want);
        show_text(out, ", expected ", want, slot->item->answer.len + n);
        if (slot->item->error)
            fputs("...\"}", out);
    }
    putc('\n', out);
}

/* As verdict_show(), for what is right or harmless. */
static void verdict_note(const struct verdict *v, const char *text, size_t len,
                         const char *word) {
    if (v->show)
        verdict_show(stdout, text, len, word, NULL);
}

/* As verdict_show(), for what is not: without --show a few of these suffice to
 * find the cause. */
static void verdict_complain(const struct verdict *v, const char *text,
                             size_t len, const char *word,
                             const struct verdict_slot *slot) {
    if (v->show)
        verdict_show(stdout, text, len, word, slot);
    else if (v->wrong + v->unexpected <= VERDICT_COMPLAINTS)
        verdict_show(stderr, text, len, word, slot);
}

void verdict_judge(struct verdict *v, const char *text, size_t len,
                   uint64_t now_ns) {
    uint64_t id;
    struct verdict_slot *slot = NULL;
    if (match_id(text, len, &id))
        slot = verdict_slot(v, id);
    if (!slot || !slot->item || slot->id != id) {
        v->unexpected++;
        verdict_complain(v, text, len, " UNEXPECTED", NULL);
        return;
    }
    if (!slot->open) {
        v->twice++;
        verdict_note(v, text, len, " TWICE");
        return;
    }
    slot->open = false;
    v->open--;
    v->last_ns = now_ns;
    delay_add(&v->delay, now_ns - slot->asked_ns);
    if (!match_answer(slot->item, id, &v->span, text, len)) {
        v->wrong++;
        verdict_complain(v, text, len, " WRONG", slot);
        return;
    }
    if (slot->item->error)
        v->error++;
    else
        v->right++;
    verdict_note(v, text, len, " right");
}

void verdict_report(const struct verdict *v) {
    printf("asked %" PRIu64 ", answered right %" PRIu64
           ", answered by error %" PRIu64 ", wrong %" PRIu64 ", twice %" PRIu64
           ", unanswered %" PRIu64 "\n",
           v->asked, v->right, v->error, v->wrong, v->twice, v->open);
    printf("asked again %" PRIu64 ", unexpected %" PRIu64 "\n", v->again,
           v->unexpected);
}

void verdict_report_delay(const struct verdict *v, bool speed) {
    if (speed) {
        double seconds = (double)(v->last_ns - v->first_ns) / 1e9;
        double answers = (double)v->delay.count;
        printf("%.0f answers a second\n",
               v->delay.count && seconds > 0 ? answers / seconds : 0.0);
    }
    printf("latency p50 %" PRIu64 " us, p99 %" PRIu64 " us, max %" PRIu64
           " us\n",
           delay_share(&v->delay, 0.50) / 1000,
           delay_share(&v->delay, 0.99) / 1000, v->delay.max / 1000);
}
