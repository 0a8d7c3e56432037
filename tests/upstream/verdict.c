#include "verdict.h"

enum {
    VERDICT_FIRST_ID = 456, /* so that the first message is the protocol's */
};

void verdict_init(struct verdict *v, struct tally *tally) {
    v->next_id = VERDICT_FIRST_ID;
    v->tally = tally;
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
    *verdict_slot(v, id) =
        (struct verdict_slot){.id = id,
                              .number = tally_ask(v->tally, now_ns),
                              .asked_ns = now_ns,
                              .item = item,
                              .open = true};
    v->asked++;
    v->open++;
    return id;
}

const struct verdict_slot *verdict_again(struct verdict *v, size_t *cursor,
                                         uint64_t now_ns) {
    while (*cursor < VERDICT_SLOTS) {
        struct verdict_slot *slot = verdict_slot(v, v->next_id + (*cursor)++);
        if (slot->open && slot->number > v->tally->taken) {
            slot->asked_ns = now_ns;
            slot->again = true;
            v->tally->again++;
            return slot;
        }
    }
    return NULL;
}

static void verdict_complain(const struct verdict *v, const char *text,
                             size_t len, const struct verdict_slot *slot) {
    char want[MATCH_TEXT_MAX];
    char digits[MATCH_DIGITS];
    size_t n = match_digits(slot->id, digits);
    form_spell(&slot->item->answer, digits, n, want);
    tally_show(v->tally, TALLY_WRONG, text, len, want,
               slot->item->answer.len + n);
}

/* FNV-1a: a repeated answer is told from a new one by its bytes. */
static uint64_t verdict_sum(const char *text, size_t len) {
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return sum;
}

/* An answer may come again on a later link, and then with the same bytes. */
static enum tally_word verdict_repeated(const struct verdict *v,
                                        const struct verdict_slot *slot,
                                        uint64_t sum) {
    if (slot->again)
        return TALLY_TWICE;
    return slot->link == v->link || slot->sum != sum ? TALLY_DOUBLED
                                                     : TALLY_TWICE;
}

bool verdict_judge(struct verdict *v, const char *text, size_t len,
                   uint64_t now_ns) {
    uint64_t id;
    struct tally *t = v->tally;
    struct verdict_slot *slot = NULL;
    if (match_id(text, len, &id))
        slot = verdict_slot(v, id);
    if (!slot || !slot->item || slot->id != id)
        return false;
    char digits[MATCH_DIGITS];
    size_t n = match_digits(id, digits);
    enum tally_word word = tally_wrong(t, digits, n, text, len);
    uint64_t sum = verdict_sum(text, len);
    if (!slot->open)
        word = verdict_repeated(v, slot, sum);
    else if (match_answer(slot->item, id, &t->span, text, len))
        word = slot->item->error ? TALLY_ERROR : TALLY_RIGHT;
    v->open -= slot->open;
    slot->open = false;
    slot->link = v->link;
    slot->sum = sum;
    tally_answer(t, word, slot->asked_ns, now_ns);
    if (word == TALLY_WRONG)
        verdict_complain(v, text, len, slot);
    else
        tally_show(t, word, text, len, NULL, 0);
    return true;
}
