#include "asker.h"

#include "show.h"
#include "ws.h"

#include <stdio.h>

enum {
    ASKER_UNSENT_MAX = 1 << 20, /* do not build more while this waits */
    ASKER_ARREARS_NS = 200000000,
};

static void asker_frame(const struct asker *a, struct buf *out,
                        const struct script_item *item, uint64_t id) {
    char digits[MATCH_DIGITS];
    size_t digits_len = match_digits(id, digits);
    size_t len = item->ask.len + digits_len;
    char *p = buf_room(out, WS_HEAD_MAX + len);
    size_t head = ws_head(p, WS_TEXT, len);
    form_spell(&item->ask, digits, digits_len, p + head);
    buf_grow(out, head + len);
    if (a->verdict->tally->show) {
        show_text(stdout, "-> ", p + head, len);
        putchar('\n');
    }
}

static bool asker_may(const struct asker *a) {
    const struct verdict *v = a->verdict;
    return v->open < a->window && (a->count == 0 || v->asked < a->count);
}

void asker_run(struct asker *a, struct buf *out, uint64_t now_ns) {
    double now = (double)now_ns;
    /* What could not be asked in time is not made up for by a flood. */
    if (a->due_ns < now - ASKER_ARREARS_NS)
        a->due_ns = now;
    while (asker_may(a) && buf_len(out) < ASKER_UNSENT_MAX) {
        if (a->due_ns > now)
            return;
        const struct script_item *item = script_next(a->script);
        asker_frame(a, out, item, verdict_ask(a->verdict, item, now_ns));
        a->due_ns += a->period_ns;
    }
}

void asker_again(struct asker *a, struct buf *out, uint64_t now_ns) {
    const struct verdict_slot *slot;
    size_t cursor = 0;
    while ((slot = verdict_again(a->verdict, &cursor, now_ns)))
        asker_frame(a, out, slot->item, slot->id);
}

uint64_t asker_wake(const struct asker *a) {
    if (!asker_may(a) || a->period_ns == 0)
        return UINT64_MAX;
    return (uint64_t)a->due_ns;
}

bool asker_done(const struct asker *a) {
    return a->count > 0 && a->verdict->asked >= a->count;
}
