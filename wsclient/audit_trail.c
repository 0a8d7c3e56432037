#include "wsclient/audit_trail.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "common/line_ring.h"
#include "common/log.h"
#include "common/memory.h"

/* Some tens of thousands of lines: a disk may be away for so long. */
enum { RING_BYTES = 16 * 1024 * 1024 };

/* A power of two: more than the pairs of a table and a currency in much use. */
enum { KNOWN_TABLES = 64 };

/* What audit_put_table() has given. */
struct known_table {
    struct rates *rates;            /* held; NULL: it is of the next */
    const struct euro_fixed *fixed; /* NULL, too: there is none */
    char currency[RATES_CODE_LEN];
    uint32_t len;
    char text[AUDIT_TABLE_SIZE];
};

struct audit_trail {
    struct line_ring ring; /* its header is NULL: it can not be had */
    char *path;
    char *upstream; /* a JSON string */
    size_t upstream_len;
    bool told;     /* that the ring can not be had */
    uint64_t lost; /* lines, as there was no ring */
    struct known_table known[KNOWN_TABLES];
};

static bool has_ring(const struct audit_trail *t) {
    return t->ring.header != NULL;
}

static void open_ring(struct audit_trail *t) {
    const char *aside;
    int result = line_ring_open(&t->ring, t->path, RING_BYTES, &aside);
    if (aside != NULL)
        log_warn(EVENT_AUDIT_RING_SET_ASIDE,
                 LOG_FIELDS(log_text("path", t->path), log_text("why", aside)));
    if (result == 0) {
        t->told = false;
        return;
    }
    if (!t->told)
        log_error(EVENT_AUDIT_RING_NOT_MADE,
                  LOG_FIELDS(log_text("path", t->path),
                             log_text("why", strerror(errno))));
    t->told = true;
    t->ring = (struct line_ring){.header = NULL};
}

struct audit_trail *audit_trail_new(const char *path, const char *label,
                                    struct ledger *ledger) {
    struct audit_trail *t = memory_new(sizeof *t);
    struct json_object *upstream = json_object_new_string(label);
    const char *text = json_object_to_json_string_ext(
        upstream, JSON_C_TO_STRING_NOSLASHESCAPE);
    t->path = memory_copy(path, strlen(path));
    t->upstream_len = strlen(text);
    t->upstream = memory_copy(text, t->upstream_len);
    json_object_put(upstream);
    ledger_keep_notes(ledger, sizeof(struct audit_note));
    open_ring(t);
    return t;
}

void audit_trail_free(struct audit_trail **trail) {
    struct audit_trail *t = *trail;
    *trail = NULL;
    if (has_ring(t))
        line_ring_close(&t->ring);
    for (size_t i = 0; i < KNOWN_TABLES; i++)
        rates_release(&t->known[i].rates);
    free(t->upstream);
    free(t->path);
    free(t);
}

bool audit_trail_look(struct audit_trail *trail) {
    if (!has_ring(trail)) {
        open_ring(trail);
        return false;
    }
    int result = mapped_file_restore(&trail->ring.file);
    if (result < 0 && !trail->told)
        log_error(EVENT_AUDIT_RING_NOT_MADE,
                  LOG_FIELDS(log_text("path", trail->path),
                             log_text("why", strerror(errno))));
    trail->told = result < 0;
    if (result == 0)
        files_freshen(trail->path);
    return result > 0;
}

uint64_t audit_trail_take_lost(struct audit_trail *trail) {
    uint64_t lost = trail->lost;
    trail->lost = 0;
    return has_ring(trail) ? lost + line_ring_take_lost(&trail->ring) : lost;
}

static struct audit_note *note_of(const struct message *message) {
    return ledger_note(message, sizeof(struct audit_note));
}

void audit_trail_request(struct audit_trail *trail,
                         const struct message *message,
                         const struct request *request, struct span text) {
    struct audit_note *note = trail != NULL ? note_of(message) : NULL;
    if (note != NULL)
        audit_note_request(note, request, text);
}

static void print_table(struct known_table *known) {
    struct span currency = {known->currency, RATES_CODE_LEN};
    if (known->rates != NULL) {
        known->len =
            (uint32_t)audit_put_table(known->rates, currency, known->text);
        return;
    }
    struct rates *table = euro_fixed_table(known->fixed);
    known->len = (uint32_t)audit_put_table(table, currency, known->text);
    rates_release(&table);
}

/* Lent until the next call. */
static const struct known_table *know_table(struct audit_trail *t,
                                            const struct audit_source *source,
                                            const char *currency) {
    const unsigned char *c = (const unsigned char *)currency;
    size_t place =
        ((uintptr_t)source->table / 64 + c[0] * 7u + c[1] * 5u + c[2]) %
        KNOWN_TABLES;
    struct known_table *known = &t->known[place];
    if (known->rates == source->table && known->fixed == source->fixed &&
        memcmp(known->currency, currency, RATES_CODE_LEN) == 0)
        return known;
    rates_release(&known->rates);
    known->fixed = source->fixed;
    if (source->table != NULL) /* held, and never changed */
        known->rates = rates_hold((struct rates *)(uintptr_t)source->table);
    memcpy(known->currency, currency, RATES_CODE_LEN);
    print_table(known);
    return known;
}

static void note_times(struct audit_note *note, const struct message *message,
                       const struct now *now) {
    duration age = monotime_between(message->arrived, now->monotonic);
    note->answered_ms = now->wall_ms;
    note->received_ms = now->wall_ms - age.usec / USEC_PER_MSEC;
}

void audit_trail_converted(struct audit_trail *trail,
                           const struct message *message,
                           const struct request *request, euro amount,
                           const struct audit_source *source,
                           const struct now *now) {
    struct audit_note *note = trail != NULL ? note_of(message) : NULL;
    if (note == NULL)
        return;
    note_times(note, message, now);
    note->high = (uint64_t)(amount.units >> 64);
    note->low = (uint64_t)amount.units;
    note->error[0] = '\0';
    note->table_len = 0;
    note->fetched_ms = 0;
    if (source->table == NULL && source->fixed == NULL)
        return;
    const struct known_table *known = know_table(trail, source, request->code);
    memcpy(note->table, known->text, known->len);
    note->table_len = known->len;
    const char *layer = EURO_FIXED_WORD;
    if (source->fixed == NULL) {
        note->fetched_ms = rates_fetched_ms(source->table);
        layer = source->layer;
    }
    strncpy(note->layer, layer, sizeof note->layer - 1);
}

void audit_trail_error(struct audit_trail *trail, const struct message *message,
                       enum refusal refusal) {
    struct audit_note *note = trail != NULL ? note_of(message) : NULL;
    if (note == NULL)
        return;
    const struct now now = clock_now();
    note_times(note, message, &now);
    strncpy(note->error, audit_error_word(refusal), sizeof note->error - 1);
    note->sends = 0; /* of another answer */
}

void audit_trail_sent(struct audit_trail *trail, const struct message *message,
                      monotime now) {
    struct audit_note *note = trail != NULL ? note_of(message) : NULL;
    if (note == NULL)
        return;
    note->sent = now;
    note->sends++;
}

/* Room for a line with these beside what is of a known length. */
static char *room_for(struct audit_trail *t, size_t request, size_t id) {
    size_t bytes = AUDIT_GROWTH_BYTES + t->upstream_len + request + id;
    if (has_ring(t))
        return line_ring_room(&t->ring, bytes);
    t->lost++;
    return NULL;
}

static void write_line(struct audit_trail *t, const struct message *message,
                       const struct audit_end *end, uint64_t mark) {
    char *room = room_for(t, message->request.len, message->id.len);
    if (room == NULL)
        return;
    size_t len = audit_write((struct span){t->upstream, t->upstream_len},
                             message, note_of(message), end, room);
    line_ring_put(&t->ring, len, mark);
}

void audit_trail_confirmed(struct audit_trail *trail,
                           const struct message *message,
                           const struct now *now) {
    if (trail == NULL)
        return;
    const struct audit_end end = {"confirmed", true, *now};
    write_line(trail, message, &end, message->sequence);
}

void audit_trail_ended(struct audit_trail *trail, const struct message *message,
                       const char *outcome) {
    if (trail == NULL)
        return;
    const struct audit_end end = {outcome, false, clock_now()};
    write_line(trail, message, &end, message->sequence);
}

void audit_trail_replaced(struct audit_trail *trail,
                          const struct message *message) {
    if (trail == NULL)
        return;
    const struct audit_end end = {"refused", false, clock_now()};
    write_line(trail, message, &end, 0);
}

void audit_trail_unkept(struct audit_trail *trail, struct span id,
                        enum refusal refusal, int64_t now_ms) {
    char *room = trail != NULL ? room_for(trail, 0, id.len) : NULL;
    if (room == NULL)
        return;
    size_t len =
        audit_write_unkept((struct span){trail->upstream, trail->upstream_len},
                           id, refusal, now_ms, room);
    line_ring_put(&trail->ring, len, 0);
}

bool audit_trail_has(const struct audit_trail *trail,
                     const struct message *message) {
    return trail != NULL && has_ring(trail) &&
           line_ring_mark(&trail->ring) == message->sequence;
}

void audit_trail_all_seen(struct audit_trail *trail) {
    if (trail != NULL && has_ring(trail))
        line_ring_clear_mark(&trail->ring);
}
