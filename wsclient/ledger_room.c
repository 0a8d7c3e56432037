#include "wsclient/ledger_room.h"

/* So much of the room is gone through in any case. */
enum { WARM_BYTES = 65536 };

/* Everything written before is there when the word is. */
static void set(struct extent *extent, size_t size, unsigned mark) {
    atomic_store_explicit(&extent->word, size | mark, memory_order_release);
}

static struct extent *at(const struct ledger_room *room, size_t offset) {
    return (struct extent *)(void *)(room->base + offset);
}

static size_t offset_of(const struct ledger_room *room,
                        const struct extent *extent) {
    return (size_t)((const char *)extent - room->base);
}

static struct ledger_room unused(char *base, size_t bytes, size_t limit) {
    return (struct ledger_room){
        .base = base, .bytes = bytes, .limit = limit, .too_large = SIZE_MAX};
}

void ledger_room_format(struct ledger_room *room, char *base, size_t bytes,
                        size_t limit) {
    *room = unused(base, bytes, limit);
    set(at(room, 0), bytes, EXTENT_FREE);
}

bool ledger_room_open(struct ledger_room *room, char *base, size_t bytes,
                      size_t limit) {
    *room = unused(base, bytes, limit);
    size_t offset = 0;
    while (offset < bytes) {
        size_t size = ledger_room_size_of(at(room, offset));
        if (size == 0 || size > bytes - offset)
            return false;
        if (ledger_room_mark_of(at(room, offset)) != EXTENT_FREE)
            room->used += size;
        offset += size;
    }
    return true;
}

void ledger_room_grow(struct ledger_room *room, size_t more_bytes) {
    set(at(room, room->bytes), more_bytes, EXTENT_FREE);
    room->rover = room->bytes;
    room->bytes += more_bytes;
    room->too_large = SIZE_MAX;
}

/* What is cut off is an extent before the first one says that it ends. */
void ledger_room_shrink(struct ledger_room *room, size_t bytes) {
    set(at(room, bytes), room->bytes - bytes, EXTENT_FREE);
    set(at(room, 0), bytes, EXTENT_FREE);
    room->bytes = bytes;
    room->rover = 0;
}

/* Joins free extents that follow, until it has `size` bytes. */
static size_t join(const struct ledger_room *room, struct extent *extent,
                   size_t size) {
    size_t joined = ledger_room_size_of(extent);
    const struct extent *next = ledger_room_next(room, extent);
    while (joined < size && next != NULL &&
           ledger_room_mark_of(next) == EXTENT_FREE) {
        joined += ledger_room_size_of(next);
        next = ledger_room_next(room, next);
    }
    if (joined != ledger_room_size_of(extent))
        set(extent, joined, EXTENT_FREE);
    return joined;
}

/* Goes round once from where the last search ended. */
static struct extent *search(struct ledger_room *room, size_t size) {
    size_t seen = 0;
    while (seen < room->bytes) {
        struct extent *extent = at(room, room->rover);
        size_t own_size = ledger_room_size_of(extent);
        if (ledger_room_mark_of(extent) == EXTENT_FREE) {
            if (own_size < size)
                own_size = join(room, extent, size);
            if (own_size >= size)
                return extent;
        }
        seen += own_size;
        room->rover += own_size;
        if (room->rover == room->bytes)
            room->rover = 0;
    }
    return NULL;
}

static size_t round_up(size_t size) {
    return (size + EXTENT_UNIT - 1) / EXTENT_UNIT * EXTENT_UNIT;
}

bool ledger_room_may_give(const struct ledger_room *room, size_t size) {
    return room->used <= room->limit &&
           round_up(size) <= room->limit - room->used;
}

bool ledger_room_could_hold(const struct ledger_room *room, size_t size) {
    return round_up(size) <= room->limit;
}

struct extent *ledger_room_find(struct ledger_room *room, size_t *size) {
    size_t wanted = round_up(*size);
    if (wanted >= room->too_large || wanted > room->limit ||
        room->used > room->limit - wanted)
        return NULL;
    struct extent *extent = search(room, wanted);
    if (extent == NULL) {
        room->too_large = wanted;
        return NULL;
    }
    /* What is left over is an extent before this one says that it ends. */
    size_t rest = ledger_room_size_of(extent) - wanted;
    if (rest > 0)
        set(at(room, offset_of(room, extent) + wanted), rest, EXTENT_FREE);
    *size = wanted;
    return extent;
}

/*
 * What is taken is mostly released in the same order, so that the front is free
 * again by now. There memory is warm: to go on through all of the room costs
 * more than all else that the ledger does.
 */
static bool is_far_enough(const struct ledger_room *room) {
    return room->rover == room->bytes ||
           room->rover > 2 * room->used + WARM_BYTES;
}

void ledger_room_take(struct ledger_room *room, struct extent *extent,
                      size_t size, unsigned mark) {
    set(extent, size, mark);
    room->used += size;
    room->rover = offset_of(room, extent) + size;
    if (is_far_enough(room))
        room->rover = 0;
}

void ledger_room_set_mark(struct extent *extent, unsigned mark) {
    set(extent, ledger_room_size_of(extent), mark);
}

void ledger_room_release(struct ledger_room *room, struct extent *extent) {
    room->used -= ledger_room_size_of(extent);
    room->too_large = SIZE_MAX;
    set(extent, ledger_room_size_of(extent), EXTENT_FREE);
    if (room->used == 0) { /* from the front again, where it is warm */
        set(at(room, 0), room->bytes, EXTENT_FREE);
        room->rover = 0;
    }
}

struct extent *ledger_room_first(const struct ledger_room *room) {
    return at(room, 0);
}

struct extent *ledger_room_next(const struct ledger_room *room,
                                const struct extent *extent) {
    size_t next = offset_of(room, extent) + ledger_room_size_of(extent);
    return next < room->bytes ? at(room, next) : NULL;
}
