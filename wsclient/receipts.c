#include "wsclient/receipts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const char *receipts_name(enum receipts_kind kind) {
    return kind == RECEIPTS_BY_PONG ? "pong" : "tcp";
}

void receipts_begin(struct receipts *receipts, unsigned connection) {
    *receipts = (struct receipts){.kind = receipts->kind,
                                  .ever_ponged = receipts->ever_ponged,
                                  .connection = connection};
}

void receipts_sent(struct receipts *receipts, uint64_t position, monotime now) {
    if (!receipts_open(receipts))
        receipts->progress = receipts->acknowledged_at = now;
    receipts->sent = position;
    if (receipts->ping_planned)
        return;
    receipts->ping_planned = true;
    receipts->next_ping = monotime_add(now, (duration){RECEIPTS_PING_USEC});
}

bool receipts_ping_due(const struct receipts *receipts, monotime now,
                       bool hurry) {
    if (!receipts->ping_planned)
        return false;
    return monotime_reached(now, receipts->next_ping) ||
           (hurry && receipts->unanswered == 0);
}

static size_t print_payload(unsigned connection, uint64_t position,
                            char payload[RECEIPTS_PAYLOAD_SIZE]) {
    return (size_t)snprintf(payload, RECEIPTS_PAYLOAD_SIZE, "%u %" PRIu64,
                            connection, position);
}

size_t receipts_write_ping(struct receipts *receipts, monotime now,
                           char payload[RECEIPTS_PAYLOAD_SIZE]) {
    if (receipts->unanswered++ == 0) {
        receipts->first_unanswered = now;
        receipts->ping_bytes = 0;
    }
    receipts->pinged = receipts->sent;
    receipts->next_ping = monotime_add(now, (duration){RECEIPTS_PING_USEC});
    return print_payload(receipts->connection, receipts->sent, payload);
}

void receipts_pinged(struct receipts *receipts, uint64_t written) {
    if (receipts->unanswered == 1)
        receipts->ping_bytes = written;
}

static void confirm(struct receipts *receipts, uint64_t position,
                    monotime now) {
    if (position <= receipts->confirmed)
        return;
    receipts->confirmed = position;
    receipts->progress = now;
    receipts->ping_planned = receipts_open(receipts);
}

/* The position that one of our Pings had in it; 0: this is not its payload. */
static uint64_t read_payload(const struct receipts *receipts,
                             struct span payload) {
    char text[RECEIPTS_PAYLOAD_SIZE], again[RECEIPTS_PAYLOAD_SIZE];
    if (payload.len >= sizeof text)
        return 0;
    memcpy(text, payload.data, payload.len);
    text[payload.len] = '\0';
    const char *blank = strchr(text, ' ');
    uint64_t position = blank != NULL ? strtoull(blank + 1, NULL, 10) : 0;
    /* Only what would be written again in just that way. */
    size_t len = print_payload(receipts->connection, position, again);
    bool same = len == payload.len && memcmp(again, payload.data, len) == 0;
    return same && position <= receipts->pinged ? position : 0;
}

void receipts_pong(struct receipts *receipts, struct span payload,
                   monotime now) {
    uint64_t position = read_payload(receipts, payload);
    if (position == 0)
        return;
    receipts->kind = RECEIPTS_BY_PONG;
    receipts->ever_ponged = true;
    receipts->unanswered = 0;
    confirm(receipts, position, now);
}

/* What is acknowledged of heartbeats behind the Ping tells nothing of it. */
static void note_movement(struct receipts *receipts, uint64_t acknowledged,
                          monotime now) {
    if (acknowledged <= receipts->acked_bytes)
        return;
    if (receipts->unanswered == 0 || receipts->kind == RECEIPTS_BY_TCP ||
        receipts->acked_bytes < receipts->ping_bytes)
        receipts->moved = now;
    receipts->acked_bytes = acknowledged;
}

void receipts_tcp(struct receipts *receipts, struct tcp_bytes bytes,
                  uint64_t given, monotime now) {
    note_movement(receipts, bytes.acknowledged, now);
    if (receipts->ever_ponged)
        return;
    if (receipts->marked != 0 && bytes.acknowledged >= receipts->mark_bytes) {
        receipts->acknowledged = receipts->marked;
        receipts->acknowledged_at = now;
        receipts->marked = 0;
    }
    if (receipts->marked == 0 && given > receipts->acknowledged) {
        receipts->marked = given;
        receipts->mark_bytes = bytes.written;
    }
    if (receipts->kind == RECEIPTS_BY_TCP)
        confirm(receipts, receipts->acknowledged, now);
}

/* Whether TCP may stand in for Pongs, as the peer lives and never sent one. */
static bool pongs_are_in_vain(const struct receipts *receipts, monotime beat,
                              monotime now) {
    return receipts->kind == RECEIPTS_BY_PONG && !receipts->ever_ponged &&
           receipts->unanswered >= RECEIPTS_PINGS_FOR_TCP &&
           receipts->acked_bytes >= receipts->ping_bytes &&
           monotime_between(receipts->first_unanswered, now).usec >=
               RECEIPTS_STALLED_USEC &&
           monotime_between(receipts->first_unanswered, beat).usec > 0;
}

/* Since when nothing has come that confirms. */
static monotime unconfirmed_since(const struct receipts *receipts) {
    if (receipts->kind == RECEIPTS_BY_TCP)
        return receipts->acknowledged_at;
    /* One that never ponged has its time from the first Ping on. */
    if (!receipts->ever_ponged && receipts->unanswered > 0)
        return receipts->first_unanswered;
    return receipts->progress;
}

/* Nor anything that shows that the peer reads on. */
static monotime quiet_since(const struct receipts *receipts) {
    monotime since = unconfirmed_since(receipts);
    return since.usec > receipts->moved.usec ? since : receipts->moved;
}

bool receipts_stalled(struct receipts *receipts, monotime beat, monotime now) {
    if (pongs_are_in_vain(receipts, beat, now)) {
        receipts->kind = RECEIPTS_BY_TCP;
        confirm(receipts, receipts->acknowledged, now);
    }
    return receipts_open(receipts) &&
           monotime_between(quiet_since(receipts), now).usec >=
               RECEIPTS_STALLED_USEC;
}
