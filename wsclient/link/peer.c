#include "wsclient/link/peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* While the socket takes nothing, not even a Ping, it is looked at so often. */
#define CHOKED_LOOK MILLISECONDS(50)
/* As often TCP is asked while answers are waited for. */
#define HURRIED_LOOK MILLISECONDS(10)
/* For so long a first Pong is waited for before TCP counts for anything. */
#define PONG_LIMIT SECONDS(1)
/*
 * One that refuses what TCP has acknowledged closes within this time; if that
 * is not enough, within twice of it, and so on.
 */
#define FIRST_PATIENCE MILLISECONDS(20)
#define LAST_PATIENCE  MILLISECONDS(80)
/* So long a Pong is waited for that shows that the link works. */
#define PROOF_LIMIT SECONDS(1)
/* So soon the kernel's input has been read by the loop. */
#define UNDECIDED_LOOK MILLISECONDS(1)

/* Where the last connection has confirmed nothing, it may be too short. */
static duration more_patience(const struct peer *peer) {
    if (peer->patience.usec == 0 || peer->confirmed > 0)
        return FIRST_PATIENCE;
    return duration_min((duration){2 * peer->patience.usec}, LAST_PATIENCE);
}

void peer_connected(struct peer *peer, unsigned connection, monotime now) {
    *peer = (struct peer){
        .beat_interval = peer->beat_interval,
        .beat_timeout = peer->beat_timeout,
        .receipts = peer->receipts,
        .ever_ponged = peer->ever_ponged,
        .seems_mute = peer->seems_mute,
        .patience = more_patience(peer),
        .connection = connection,
        .beat_received = now,
        .next_beat = now,
    };
}

void peer_beat(struct peer *peer, monotime now) {
    peer->beat_received = now;
    peer->silence.open = false;
}

bool peer_take_beat(struct peer *peer, monotime now) {
    if (!monotime_reached(now, peer->next_beat))
        return false;
    peer->next_beat = monotime_add(peer->next_beat, peer->beat_interval);
    if (monotime_reached(now, peer->next_beat))
        peer->next_beat = monotime_add(now, peer->beat_interval);
    return true;
}

void peer_sent(struct peer *peer, uint64_t position, monotime now) {
    if (!peer_owes_receipts(peer))
        peer->progress = peer->acknowledged_at = now;
    peer->sent = position;
    if (peer->ping_planned)
        return;
    peer->ping_planned = true;
    peer->next_ping = monotime_add(now, PEER_PING_WAIT);
}

bool peer_ping_due(const struct peer *peer, monotime now, bool hurry) {
    if (!peer->ping_planned)
        return false;
    return monotime_reached(now, peer->next_ping) ||
           (hurry && peer->unanswered == 0);
}

bool peer_ping_pays(const struct peer *peer) {
    return peer->ponged && peer->unanswered == 0 &&
           peer->sent - peer->confirmed >= PEER_PING_ANSWERS;
}

static size_t print_payload(unsigned connection, uint64_t position,
                            char payload[PEER_PING_PAYLOAD_SIZE]) {
    return (size_t)snprintf(payload, PEER_PING_PAYLOAD_SIZE, "%u %" PRIu64,
                            connection, position);
}

size_t peer_write_ping(struct peer *peer, monotime now,
                       char payload[PEER_PING_PAYLOAD_SIZE]) {
    if (peer->unanswered++ == 0) {
        peer->first_unanswered = now;
        peer->ping_bytes = 0;
    }
    peer->pinged = peer->sent;
    peer->proof_pinged |= peer->sent == 0;
    peer->next_ping = monotime_add(now, PEER_PING_WAIT);
    return print_payload(peer->connection, peer->sent, payload);
}

void peer_pinged(struct peer *peer, uint64_t written) {
    if (peer->unanswered == 1)
        peer->ping_bytes = written;
}

static void confirm(struct peer *peer, uint64_t position, monotime now) {
    if (position <= peer->confirmed)
        return;
    peer->confirmed = position;
    peer->progress = now;
    peer->ping_planned = peer_owes_receipts(peer);
}

/* The position that one of our Pings had in it; false: this is none. */
static bool read_payload(const struct peer *peer, struct span payload,
                         uint64_t *position) {
    char text[PEER_PING_PAYLOAD_SIZE], again[PEER_PING_PAYLOAD_SIZE];
    if (payload.len >= sizeof text)
        return false;
    memcpy(text, payload.data, payload.len);
    text[payload.len] = '\0';
    const char *blank = strchr(text, ' ');
    *position = blank != NULL ? strtoull(blank + 1, NULL, 10) : 0;
    /* Only what would be written again in just that way. */
    size_t len = print_payload(peer->connection, *position, again);
    bool same = len == payload.len && memcmp(again, payload.data, len) == 0;
    return same &&
           (*position == 0 ? peer->proof_pinged : *position <= peer->pinged);
}

void peer_ponged(struct peer *peer, struct span payload, monotime now) {
    uint64_t position;
    if (!read_payload(peer, payload, &position))
        return;
    peer->receipts = PEER_RECEIPTS_BY_PONG;
    peer->ever_ponged = peer->ponged = true;
    peer->seems_mute = false;
    peer->unanswered = 0;
    peer->ping_planned = peer_owes_receipts(peer);
    confirm(peer, position, now);
}

bool peer_has_proved(struct peer *peer, monotime now) {
    if (peer_is_proved(peer))
        return true;
    if (peer->unanswered > 0)
        return monotime_between(peer->first_unanswered, now).usec >=
               PROOF_LIMIT.usec;
    peer->ping_planned = true;
    peer->next_ping = now;
    return false;
}

/* To be asked before more is acknowledged, too. */
static void settle(struct peer *peer, monotime now) {
    if (peer->ponged || peer->unanswered == 0)
        return;
    if (monotime_between(peer->first_unanswered, now).usec >= PONG_LIMIT.usec)
        peer->seems_mute = true;
    if (peer->seems_mute && monotime_between(peer->acknowledged_at, now).usec >=
                                peer->patience.usec)
        peer->settled = peer->acknowledged;
}

uint64_t peer_settled(struct peer *peer, monotime now) {
    settle(peer, now);
    return peer->settled;
}

void peer_confirm_settled(struct peer *peer, monotime now) {
    if (peer->receipts == PEER_RECEIPTS_BY_TCP)
        confirm(peer, peer->settled, now);
}

/* What is acknowledged of heartbeats behind the Ping tells nothing of it. */
static void note_movement(struct peer *peer, uint64_t acknowledged,
                          monotime now) {
    if (acknowledged <= peer->acked_bytes)
        return;
    if (peer->unanswered == 0 || peer->receipts == PEER_RECEIPTS_BY_TCP ||
        peer->acked_bytes < peer->ping_bytes)
        peer->moved = now;
    peer->acked_bytes = acknowledged;
}

void peer_tcp(struct peer *peer, struct tcp_bytes bytes, uint64_t given,
              bool confirms, monotime now) {
    note_movement(peer, bytes.acknowledged, now);
    if (peer->ponged)
        return;
    settle(peer, now);
    if (peer->marked != 0 && bytes.acknowledged >= peer->mark_bytes) {
        peer->acknowledged = peer->marked;
        peer->acknowledged_at = now;
        peer->marked = 0;
    }
    if (peer->marked == 0 && given > peer->acknowledged) {
        peer->marked = given;
        peer->mark_bytes = bytes.written;
    }
    if (peer->receipts == PEER_RECEIPTS_BY_TCP && confirms)
        confirm(peer, peer->acknowledged, now);
}

/* Whether TCP may stand in for Pongs, as the peer lives and never sent one. */
static bool pongs_are_in_vain(const struct peer *peer, monotime now) {
    return peer->receipts == PEER_RECEIPTS_BY_PONG && !peer->ever_ponged &&
           peer->unanswered >= PEER_PINGS_FOR_TCP &&
           peer->acked_bytes >= peer->ping_bytes &&
           monotime_between(peer->first_unanswered, now).usec >=
               PEER_STALLED.usec &&
           monotime_between(peer->first_unanswered, peer->beat_received).usec >
               0;
}

/* Since when nothing has come that confirms. */
static monotime unconfirmed_since(const struct peer *peer) {
    if (peer->receipts == PEER_RECEIPTS_BY_TCP)
        return peer->acknowledged_at;
    /* One that never ponged has its time from the first Ping on. */
    if (!peer->ever_ponged && peer->unanswered > 0)
        return peer->first_unanswered;
    return peer->progress;
}

/* Nor anything that shows that the peer reads on. */
static monotime quiet_since(const struct peer *peer) {
    monotime since = unconfirmed_since(peer);
    return since.usec > peer->moved.usec ? since : peer->moved;
}

/* Whether the judgement is put off: what waited first is not yet read. */
static bool is_in_doubt(struct peer_doubt *doubt, monotime now,
                        struct tcp_input input) {
    if (input.waiting == 0)
        return false;
    if (!doubt->open)
        *doubt = (struct peer_doubt){true, now, input.read + input.waiting};
    return input.read < doubt->read_end &&
           monotime_between(doubt->since, now).usec < PEER_MAX_DOUBT.usec;
}

static bool is_silent(const struct peer *peer, monotime now) {
    return monotime_between(peer->beat_received, now).usec >
           peer->beat_timeout.usec;
}

static bool is_stalled(const struct peer *peer, monotime now) {
    return peer_owes_receipts(peer) &&
           monotime_between(quiet_since(peer), now).usec >= PEER_STALLED.usec;
}

enum peer_verdict peer_judge(struct peer *peer, monotime now,
                             struct tcp_input input) {
    if (is_silent(peer, now))
        return is_in_doubt(&peer->silence, now, input) ? PEER_UNDECIDED
                                                       : PEER_SILENT;
    if (pongs_are_in_vain(peer, now)) {
        peer->receipts = PEER_RECEIPTS_BY_TCP;
        confirm(peer, peer->acknowledged, now);
    }
    if (is_stalled(peer, now))
        return is_in_doubt(&peer->stall, now, input) ? PEER_UNDECIDED
                                                     : PEER_NOT_CONFIRMING;
    peer->stall.open = false;
    return PEER_ALIVE;
}

static monotime earlier(monotime a, monotime b) {
    return a.usec < b.usec ? a : b;
}

monotime peer_next_look(const struct peer *peer, monotime now, bool hurry) {
    /* The peer is late only after its time, not at its end. */
    monotime late = monotime_add(peer->beat_received,
                                 (duration){peer->beat_timeout.usec + 1});
    monotime next = earlier(peer->next_beat, late);
    if (peer->ping_planned) {
        monotime ping = peer->next_ping;
        if (hurry && !peer->ponged)
            ping = earlier(ping, monotime_add(now, HURRIED_LOOK));
        if (monotime_reached(now, ping))
            ping = monotime_add(now, CHOKED_LOOK);
        next = earlier(next, ping);
    }
    return monotime_reached(now, next) ? monotime_add(now, UNDECIDED_LOOK)
                                       : next;
}

const char *peer_receipts_name(const struct peer *peer) {
    return peer->receipts == PEER_RECEIPTS_BY_PONG ? "pong" : "tcp";
}
