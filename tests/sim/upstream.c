/*
 * The upstream: sends requests, heartbeats, Pings and Pongs, and judges all
 * that it gets by its own arithmetic. Whether an answer is the right one is
 * judged in judge.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/judge.h"
#include "tests/sim/parts.h"

enum { WIRE = 8192, READ = 8192, MOST_PIECES = 4, LONGEST_PAUSE = 20000 };
#define BEAT         USEC_PER_SEC
#define BEAT_LATE    (1100 * USEC_PER_MSEC)
#define SILENCE      (2 * USEC_PER_SEC)
#define SILENCE_LATE (2100 * USEC_PER_MSEC)
/* Ten seconds without a receipt, and what is needed to see that. */
#define STALL (13 * USEC_PER_SEC)
/* An attempt, and the longest pause behind it. */
#define RECONNECT (15200 * USEC_PER_MSEC)

/* On the way to the client. */
struct passing {
    int64_t due;
    enum { REQUEST, HEARTBEAT, PONG } kind;
    size_t number; /* of a request; of answers read so far, with a Pong */
    size_t from;   /* the piece of the request begins there */
    struct library_piece piece;
    char payload[48]; /* of the Pong */
    size_t len;
};

static struct upstream_model {
    bool open;
    unsigned connection;
    int64_t since; /* it is so */
    int64_t latency, next_beat;
    int64_t beat_sent_on; /* the last one that has reached the client */
    int64_t beat_read;    /* the last one of the client's */
    struct passing wire[WIRE];
    size_t first, last;
    size_t read[READ]; /* the answers on this connection, by request */
    size_t read_count;
} u;

void upstream_begin_world(void) {
    judge_begin_world();
    u.open = false;
    u.since = world_now();
    u.connection = 0;
    u.first = u.last = u.read_count = 0;
}

void upstream_connected(void) {
    u.open = true;
    u.connection++;
    u.since = u.beat_sent_on = u.beat_read = u.next_beat = world_now();
    u.latency = world_chance(50000);
    u.first = u.last = u.read_count = 0;
    world_tell("connection %u", u.connection);
}

/* Whether the client had a reason to leave. */
static bool may_leave(void) {
    int64_t now = world_now();
    return now - u.beat_sent_on > SILENCE || !life_is_up() ||
           world_fault_end(FAULT_CHOKED) > now - STALL ||
           world_fault_end(FAULT_MUTE) > now - STALL || life_is_stopping();
}

void upstream_disconnected(bool by_client) {
    if (by_client && !may_leave())
        world_wrong("the client leaves a good connection");
    world_tell("connection %u is over", u.connection);
    u.open = false;
    u.since = world_now();
    u.first = u.last = 0;
    judge_break();
}

static struct passing *pass(int kind) {
    struct passing *p = &u.wire[u.last % WIRE];
    if (u.last - u.first == WIRE) {
        world_wrong("more than %d messages are on the way", WIRE);
        return p;
    }
    *p = (struct passing){.due = world_now() + u.latency, .kind = kind};
    u.last++;
    return p;
}

/* In up to so many pieces, at times with a pause in between. */
static void send_request(size_t number) {
    char text[JUDGE_TEXT_SIZE];
    size_t len = judge_write_request(number, text), from = 0, frame_end = 0;
    uint32_t pieces = world_chance(4) == 0 ? 1 + world_chance(MOST_PIECES) : 1;
    while (from < len) {
        size_t end = --pieces > 0
                         ? from + 1 + world_chance((uint32_t)(len - from))
                         : len;
        if (from == frame_end)
            frame_end = pieces > 0 && world_chance(2) == 0 ? end : len;
        if (end > frame_end || pieces == 0)
            end = frame_end;
        struct passing *p = pass(REQUEST);
        p->number = number;
        p->from = from;
        p->piece = (struct library_piece){.len = end - from,
                                          .left = frame_end - end,
                                          .first = from == 0,
                                          .final = frame_end == len};
        if (from > 0)
            p->due += world_chance(LONGEST_PAUSE);
        from = end;
    }
}

void upstream_sends(uint32_t requests) {
    if (!u.open)
        return;
    world_tell("the upstream sends %u requests", requests);
    for (uint32_t i = 0; i < requests; i++) {
        size_t number = judge_new_request();
        if (number != NO_REQUEST)
            send_request(number);
    }
}

static void deliver_request(const struct passing *p) {
    char text[JUDGE_TEXT_SIZE];
    judge_write_request(p->number, text);
    bool last = p->piece.final && p->piece.left == 0;
    if (last)
        judge_delivers(p->number, u.connection);
    bool returned = library_receives(text + p->from, p->piece);
    /* Its Ping follows at once. */
    if (last && returned && u.open && library_pongs())
        judge_claimed(p->number);
}

static void deliver_pong(const struct passing *pong) {
    bool counts = connection_is_open(life_connection()) && library_pongs();
    if (library_calls(LWS_CALLBACK_CLIENT_RECEIVE_PONG, pong->payload,
                      pong->len) &&
        counts)
        for (size_t i = 0; i < pong->number; i++)
            judge_confirmed(u.read[i]);
}

static void deliver(const struct passing *passing) {
    static const char beat[] = "{\"type\":\"heartbeat\"}";
    switch (passing->kind) {
    case REQUEST:
        deliver_request(passing);
        break;
    case HEARTBEAT:
        u.beat_sent_on = world_now();
        library_receives(beat, (struct library_piece){.len = sizeof beat - 1,
                                                      .first = true,
                                                      .final = true});
        break;
    case PONG:
        deliver_pong(passing);
        break;
    }
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* From when on the client is too late with its own beat. */
static int64_t beat_limit(void) {
    int64_t choked = world_fault_end(FAULT_CHOKED);
    return (u.beat_read > choked ? u.beat_read : choked) + BEAT_LATE + 1;
}

/* Or with a new connection. */
static int64_t connect_limit(void) {
    int64_t refused = world_fault_end(FAULT_REFUSED), since = u.since;
    if (refused > since)
        since = refused;
    return (life_started() > since ? life_started() : since) + RECONNECT;
}

int64_t upstream_next(void) {
    if (!u.open)
        return life_is_up() ? connect_limit() : NEVER;
    int64_t silent =
        life_is_stopping() ? NEVER : u.beat_sent_on + SILENCE_LATE + 1;
    int64_t next = least(least(beat_limit(), silent), u.next_beat);
    return u.first < u.last ? least(next, u.wire[u.first % WIRE].due) : next;
}

static void judge_times(void) {
    int64_t now = world_now();
    if (!u.open && life_is_up() && now >= connect_limit())
        world_wrong("there is no new connection");
    if (u.open && now >= beat_limit())
        world_wrong("the client's heartbeat is late");
    /* One that is closed already has half a second for that. */
    if (u.open && !life_is_stopping() && now > u.beat_sent_on + SILENCE_LATE)
        world_wrong("the client stays with a silent peer");
}

void upstream_turn(void) {
    judge_times();
    if (u.open && u.next_beat <= world_now()) {
        u.next_beat += BEAT;
        if (!world_has(FAULT_BEATLESS))
            pass(HEARTBEAT);
    }
    if (u.open && u.first < u.last &&
        u.wire[u.first % WIRE].due <= world_now()) {
        struct passing passing = u.wire[u.first++ % WIRE];
        deliver(&passing);
    }
}

static void read_text(const char *text, size_t len) {
    static const char beat[] = "{\"type\":\"heartbeat\"}";
    if (len == sizeof beat - 1 && memcmp(text, beat, len) == 0) {
        u.beat_read = world_now();
        return;
    }
    size_t number = judge_answer((struct span){text, len}, u.connection);
    if (number == NO_REQUEST)
        return;
    if (u.read_count == READ)
        world_wrong("more than %d answers on a connection", READ);
    else
        u.read[u.read_count++] = number;
}

static void read_ping(const char *payload, size_t len) {
    if (world_has(FAULT_MUTE))
        return;
    struct passing *pong = pass(PONG);
    pong->number = u.read_count;
    pong->len = len < sizeof pong->payload ? len : 0;
    memcpy(pong->payload, payload, pong->len);
}

/* RFC 6455, 5.2: a whole frame; gives where the next one begins. */
static size_t read_frame(const unsigned char *bytes, size_t len) {
    static char payload[4 * JUDGE_TEXT_SIZE];
    size_t at = 2, size = bytes[1] & 0x7F;
    if (size == 126) {
        size = (size_t)bytes[2] << 8 | bytes[3];
        at = 4;
    }
    if (len < at + 4 || (bytes[1] & 0x80) == 0 || size > sizeof payload ||
        len - at - 4 < size) {
        world_wrong("a frame is broken");
        return len;
    }
    for (size_t i = 0; i < size; i++)
        payload[i] = (char)(bytes[at + 4 + i] ^ bytes[at + i % 4]);
    if (bytes[0] == 0x81)
        read_text(payload, size);
    else if (bytes[0] == 0x89)
        read_ping(payload, size);
    else
        world_wrong("a frame of an unknown kind");
    return at + 4 + size;
}

void upstream_reads(const unsigned char *bytes, size_t len) {
    for (size_t at = 0; at < len && u.open && !world_is_wrong();)
        at += read_frame(bytes + at, len - at);
}

void upstream_no_rates(day when) {
    judge_no_rates(when);
}

void upstream_judge(void) {
    int64_t good = world_good_since();
    if (!u.open || good > world_now())
        return;
    if (u.since > good)
        good = u.since;
    judge_all(good, u.connection);
}
