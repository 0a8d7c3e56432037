#include "wsclient/receipts.h"

#include <inttypes.h>
#include <stdio.h>

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
    receipts->next_ping = monotime_add(now, RECEIPTS_PING_USEC);
}

bool receipts_ping_due(const struct receipts *receipts, monotime now,
                       bool hurry) {
    if (!receipts->ping_planned)
        return false;
    return monotime_reached(now, receipts->next_ping) ||
           (hurry && receipts->unanswered == 0);
}

size_t receipts_write_ping(struct receipts *receipts, monotime now,
                           char payload[RECEIPTS_PAYLOAD_SIZE]) {
    if (receipts->unanswered++ == 0)
        receipts->first_unanswered = now;
    receipts->pinged = receipts->sent;
    receipts->next_ping = monotime_add(now, RECEIPTS_PING_USEC);
    return (size_t)snprintf(payload, RECEIPTS_PAYLOAD_SIZE, "%u %" PRIu64,
                            receipts->connection, receipts->sent);
}

static void confirm(struct receipts *receipts, uint64_t position,
                    monotime now) {
    if (position <= receipts->confirmed)
        return;
    receipts->confirmed = position;
    receipts->progress = now;
    receipts->ping_planned = receipts_open(receipts);
}

void receipts_pong(struct receipts *receipts, struct span payload,
                   monotime now) {
    char text[RECEIPTS_PAYLOAD_SIZE], end;
    unsigned connection;
    uint64_t position;
    if (payload.len >= sizeof text)
        return;
    memcpy(text, payload.data, payload.len);
    text[payload.len] = '\0';
    if (sscanf(text, "%u %" SCNu64 "%c", &connection, &position, &end) != 2 ||
        connection != receipts->connection || position > receipts->pinged)
        return;
    receipts->kind = RECEIPTS_BY_PONG;
    receipts->ever_ponged = true;
    receipts->unanswered = 0;
    confirm(receipts, position, now);
}

void receipts_tcp(struct receipts *receipts, struct tcp_bytes bytes,
                  monotime now) {
    if (receipts->ever_ponged)
        return;
    if (receipts->marked != 0 && bytes.acknowledged >= receipts->mark_bytes) {
        receipts->acknowledged = receipts->marked;
        receipts->acknowledged_at = now;
        receipts->marked = 0;
    }
    if (receipts->marked == 0 && receipts->sent > receipts->acknowledged) {
        receipts->marked = receipts->sent;
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
           monotime_between(receipts->first_unanswered, now) >=
               RECEIPTS_STALLED_USEC &&
           monotime_between(receipts->first_unanswered, beat) > 0;
}

/* Since when nothing has come that confirms. */
static monotime quiet_since(const struct receipts *receipts) {
    if (receipts->kind == RECEIPTS_BY_TCP)
        return receipts->acknowledged_at;
    /* One that never ponged has its time from the first Ping on. */
    if (!receipts->ever_ponged && receipts->unanswered > 0)
        return receipts->first_unanswered;
    return receipts->progress;
}

bool receipts_stalled(struct receipts *receipts, monotime beat, monotime now) {
    if (pongs_are_in_vain(receipts, beat, now)) {
        receipts->kind = RECEIPTS_BY_TCP;
        confirm(receipts, receipts->acknowledged, now);
    }
    return receipts_open(receipts) &&
           monotime_between(quiet_since(receipts), now) >=
               RECEIPTS_STALLED_USEC;
}
