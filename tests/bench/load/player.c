#include "tests/bench/load/player.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAYER_FIRST_ID UINT64_C(1000000000)
#define PLAYER_BEAT_NS  UINT64_C(1000000000)
enum {
    PLAYER_UNSENT_MAX = 1 << 18, /* do not build more while this waits */
    PLAYER_COMPLAINTS = 5,
};
static const char PLAYER_BEAT[] = "{\"type\":\"heartbeat\"}";

void player_start(struct player *p, uint64_t now_ns) {
    for (p->slots = 4096; p->slots < 2 * p->window;)
        p->slots *= 2;
    p->slot = calloc(p->slots, sizeof *p->slot);
    if (!p->slot) {
        perror("load: questions");
        exit(2);
    }
    p->due_ns = p->heard_ns = p->beat_ns = now_ns;
}

static struct player_slot *player_slot(const struct player *p, uint64_t n) {
    return &p->slot[n & (p->slots - 1)];
}

static void player_digits(uint64_t n, char out[RING_DIGITS]) {
    uint64_t id = PLAYER_FIRST_ID + n;
    for (int i = RING_DIGITS; i-- > 0; id /= 10)
        out[i] = (char)('0' + id % 10);
}

static void player_ask_one(struct player *p, uint64_t due_ns) {
    /* One that is long unanswered keeps its slot; ids need not be dense. */
    while (player_slot(p, p->asked)->open)
        p->asked++;
    struct player_slot *slot = player_slot(p, p->asked);
    slot->number = p->asked++;
    slot->item = &p->ring->item[slot->number % p->ring->count];
    slot->due_ns = due_ns;
    slot->open = true;
    player_digits(slot->number, slot->digits);
    char *room = buf_room(&p->link.out, slot->item->ask_len);
    memcpy(room, slot->item->ask, slot->item->ask_len);
    memcpy(room + slot->item->ask_id_at, slot->digits, RING_DIGITS);
    buf_grow(&p->link.out, slot->item->ask_len);
    p->open++;
    p->tally->asked++;
}

void player_ask(struct player *p, uint64_t most, uint64_t now_ns) {
    if (now_ns >= p->beat_ns) {
        link_write(&p->link, WS_TEXT, PLAYER_BEAT, sizeof PLAYER_BEAT - 1);
        p->beat_ns += PLAYER_BEAT_NS;
    }
    while (most-- > 0 && p->open < p->window && p->due_ns <= now_ns &&
           buf_len(&p->link.out) < PLAYER_UNSENT_MAX) {
        /* What is late keeps the moment at which it was due. */
        player_ask_one(p, p->period_ns ? p->due_ns : now_ns);
        p->due_ns += p->period_ns;
    }
}

void player_gap(struct player *p, uint64_t now_ns) {
    uint64_t gap = now_ns - p->heard_ns;
    if (gap > PLAYER_BEAT_NS && gap - PLAYER_BEAT_NS > p->tally->late_ns)
        p->tally->late_ns = gap - PLAYER_BEAT_NS;
}

static void player_complain(const struct player *p, const char *word,
                            const char *text, size_t len) {
    if (p->tally->wrong + p->tally->unexpected <= PLAYER_COMPLAINTS)
        fprintf(stderr, "load: %s: %.*s\n", word, len < 500 ? (int)len : 500,
                text);
}

/* Finds the question by the id in the answer. */
static struct player_slot *player_find(struct player *p, const char *text,
                                       size_t len) {
    uint64_t id;
    if (!match_id(text, len, &id) || id < PLAYER_FIRST_ID)
        return NULL;
    struct player_slot *slot = player_slot(p, id - PLAYER_FIRST_ID);
    return slot->item && slot->number == id - PLAYER_FIRST_ID ? slot : NULL;
}

static void player_close(struct player *p, struct player_slot *slot,
                         uint64_t from_ns, uint64_t now_ns) {
    slot->open = false;
    p->open--;
    while (p->oldest < p->asked && !player_slot(p, p->oldest)->open)
        p->oldest++;
    if (slot->due_ns >= from_ns)
        delay_add(&p->tally->delay, now_ns - slot->due_ns);
}

static bool player_right(const struct player *p, const struct player_slot *slot,
                         const char *text, size_t len) {
    return slot && slot->open &&
           ring_fits(p->ring, slot->item, slot->digits, text, len);
}

/* An answer that is not right, to the question of `slot`, if there is one. */
static void player_fault(struct player *p, const struct player_slot *slot,
                         const char *text, size_t len) {
    struct tally *t = p->tally;
    if (!slot) {
        t->unexpected++;
        player_complain(p, "unexpected", text, len);
    } else if (!slot->open) {
        t->twice++;
    } else if (ring_refused(slot->digits, text, len)) {
        t->refused++;
    } else {
        t->wrong++;
        player_complain(p, "wrong", text, len);
    }
}

static void player_answer(struct player *p, const char *text, size_t len,
                          uint64_t from_ns, uint64_t now_ns) {
    /* Most come in the order of their questions. */
    struct player_slot *slot = player_slot(p, p->oldest);
    bool right = player_right(p, slot, text, len);
    if (!right) {
        slot = player_find(p, text, len);
        right = player_right(p, slot, text, len);
    }
    if (right)
        p->tally->right++;
    else
        player_fault(p, slot, text, len);
    if (slot && slot->open)
        player_close(p, slot, from_ns, now_ns);
}

void player_judge(struct player *p, uint64_t from_ns, uint64_t now_ns) {
    struct ws_frame frame;
    while (link_next(&p->link, &frame)) {
        if (frame.len == sizeof PLAYER_BEAT - 1 &&
            memcmp(frame.data, PLAYER_BEAT, frame.len) == 0) {
            player_gap(p, now_ns);
            p->heard_ns = now_ns;
            p->tally->beats++;
        } else {
            player_answer(p, frame.data, frame.len, from_ns, now_ns);
        }
    }
}

void player_free(struct player *p) {
    link_free(&p->link);
    free(p->slot);
}
