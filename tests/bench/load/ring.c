#include "tests/bench/load/ring.h"

#include "tests/upstream/day.h"
#include "tests/upstream/ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING_LAST_MINUTES = 600 };

static void *ring_room(size_t size) {
    void *room = malloc(size);
    if (!room) {
        perror("load: message");
        exit(2);
    }
    return room;
}

/* The text with room for an id; behind its first brace comes a field of `pad`
 * bytes, if there is to be one. *id_at and *at move along. */
static char *ring_text(const struct form_text *t, size_t pad, size_t *len,
                       size_t *id_at, size_t *at) {
    static const char open[] = "\"pad\":\"", shut[] = "\",";
    static const char letters[] = "the quick brown fox jumps over a lazy dog, ";
    size_t frame = sizeof open - 1 + sizeof shut - 1;
    pad = pad > frame ? pad : 0;
    *len = t->len + RING_DIGITS + pad;
    *id_at = t->id_at + pad;
    if (at && *at)
        *at += pad + (t->id_at <= *at ? RING_DIGITS : 0);
    char *text = ring_room(*len);
    char *p = text;
    *p++ = t->text[0];
    if (pad) {
        memcpy(p, open, sizeof open - 1);
        p += sizeof open - 1;
        for (size_t i = 0; i < pad - frame; i++)
            *p++ = letters[i % (sizeof letters - 1)];
        memcpy(p, shut, sizeof shut - 1);
        p += sizeof shut - 1;
    }
    memcpy(p, t->text + 1, t->id_at - 1);
    p += t->id_at - 1;
    memset(p, '0', RING_DIGITS);
    memcpy(p + RING_DIGITS, t->text + t->id_at, t->len - t->id_at);
    return text;
}

/* Cuts a text into frames; *id_at becomes its place in them. No cut goes
 * through the id. */
static char *ring_frames(const char *text, size_t len, size_t fragments,
                         size_t *frames_len, size_t *id_at) {
    char *frames = ring_room(len + fragments * WS_HEAD_MAX);
    size_t out = 0;
    size_t from = 0;
    size_t text_id_at = *id_at;
    for (size_t i = 1; i <= fragments; i++) {
        size_t to = len * i / fragments;
        if (to > text_id_at && to < text_id_at + RING_DIGITS)
            to = text_id_at;
        size_t head = ws_head(frames + out, WS_TEXT, to - from);
        /* The first has the kind, the last has the mark of the end. */
        frames[out] = (char)((i == fragments ? 0x80 : 0) | (i == 1 ? 1 : 0));
        out += head;
        memcpy(frames + out, text + from, to - from);
        if (text_id_at >= from && text_id_at < to)
            *id_at = out + text_id_at - from;
        out += to - from;
        from = to;
    }
    *frames_len = out;
    return frames;
}

static void ring_pieces(struct ring_item *item) {
    size_t hole[2] = {item->answer_id_at, item->date_at};
    size_t width[2] = {RING_DIGITS, item->date_at ? MATCH_DATE : 0};
    int first = !item->date_at || hole[0] < hole[1] ? 0 : 1;
    if (!item->date_at)
        hole[1] = item->answer_len;
    size_t from = 0;
    for (int i = 0; i < 2; i++) {
        int h = i == 0 ? first : !first;
        item->piece[i] = (struct ring_piece){from, hole[h] - from};
        from = hole[h] + width[h];
    }
    item->piece[2] = (struct ring_piece){from, item->answer_len - from};
}

static void ring_one(struct ring_item *item, const struct script_item *from,
                     const struct ring_how *how) {
    size_t bare = from->ask.len + RING_DIGITS;
    size_t pad = how->size > bare ? how->size - bare : 0;
    size_t len;
    char *text = ring_text(&from->ask, pad, &len, &item->ask_id_at, NULL);
    item->answer_id_at = item->ask_id_at;
    item->ask = ring_frames(text, len, how->fragments, &item->ask_len,
                            &item->ask_id_at);
    if (how->echo) {
        item->answer = text;
        item->answer_len = len;
    } else {
        free(text);
        item->error = from->error;
        item->date_at = from->error ? 0 : from->date_at;
        item->answer =
            ring_text(&from->answer, from->error ? 0 : pad, &item->answer_len,
                      &item->answer_id_at, &item->date_at);
    }
    ring_pieces(item);
}

void ring_make(struct ring *r, const struct script *s,
               const struct ring_how *how) {
    long today = day_today();
    /* A day to either side, as midnight may pass meanwhile; for the same reason
     * late at night nothing is asked that is dated today. */
    day_write(today - 1, r->span.first);
    day_write(today + 1, r->span.last);
    bool late = day_seconds() > 86400 - RING_LAST_MINUTES;
    r->count = 0;
    for (size_t i = 0; i < SCRIPT_ITEMS; i++)
        if (!(s->item[i].today && late))
            ring_one(&r->item[r->count++], &s->item[i], how);
}

void ring_free(struct ring *r) {
    for (size_t i = 0; i < r->count; i++) {
        free(r->item[i].ask);
        free(r->item[i].answer);
    }
}

/* Answers come in bursts of one and the same millisecond. */
static bool ring_dated(struct ring *r, const char *text) {
    if (memcmp(text, r->date, MATCH_DATE) == 0)
        return true;
    if (!match_date(text, &r->span))
        return false;
    memcpy(r->date, text, MATCH_DATE);
    return true;
}

bool ring_fits(struct ring *r, const struct ring_item *item, const char *digits,
               const char *text, size_t len) {
    if (item->error ? len <= item->answer_len : len != item->answer_len)
        return false;
    if (memcmp(text + item->answer_id_at, digits, RING_DIGITS) != 0)
        return false;
    for (int i = 0; i < RING_PIECES; i++) {
        const struct ring_piece *p = &item->piece[i];
        if (memcmp(text + p->at, item->answer + p->at, p->len) != 0)
            return false;
    }
    if (item->error)
        return match_reason(text + item->answer_len, text + len);
    return !item->date_at || ring_dated(r, text + item->date_at);
}

bool ring_refused(const char *digits, const char *text, size_t len) {
    static const char start[] = "{\"type\":\"error\",\"id\":";
    static const char more[] =
        ",\"message\":\"Unable to convert stake. Error: ";
    size_t id_at = sizeof start - 1;
    size_t more_at = id_at + RING_DIGITS;
    size_t reason_at = more_at + sizeof more - 1;
    return len > reason_at && memcmp(text, start, id_at) == 0 &&
           memcmp(text + id_at, digits, RING_DIGITS) == 0 &&
           memcmp(text + more_at, more, sizeof more - 1) == 0 &&
           match_reason(text + reason_at, text + len);
}
