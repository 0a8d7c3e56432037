#include "wsclient/extents.h"

/* Everything written before is there when the word is. */
static void set(struct extent *extent, size_t size, unsigned mark) {
    atomic_store_explicit(&extent->word, size | mark, memory_order_release);
}

static struct extent *at(const struct extents *extents, size_t offset) {
    return (struct extent *)(void *)(extents->base + offset);
}

static size_t offset_of(const struct extents *extents,
                        const struct extent *extent) {
    return (size_t)((const char *)extent - extents->base);
}

void extents_format(char *base, size_t bytes) {
    set((struct extent *)(void *)base, bytes, EXTENT_FREE);
}

bool extents_open(struct extents *extents, char *base, size_t bytes,
                  size_t limit) {
    *extents = (struct extents){
        .base = base, .bytes = bytes, .limit = limit, .too_large = SIZE_MAX};
    size_t offset = 0;
    while (offset < bytes) {
        size_t size = extent_size(at(extents, offset));
        if (size == 0 || size > bytes - offset)
            return false;
        if (extent_mark(at(extents, offset)) != EXTENT_FREE)
            extents->used += size;
        offset += size;
    }
    return true;
}

void extents_grow(struct extents *extents, size_t more_bytes) {
    set(at(extents, extents->bytes), more_bytes, EXTENT_FREE);
    extents->bytes += more_bytes;
    extents->too_large = SIZE_MAX;
}

/* Joins free extents that follow, until it has `size` bytes. */
static size_t join(const struct extents *extents, struct extent *extent,
                   size_t size) {
    size_t joined = extent_size(extent);
    const struct extent *next = extents_next(extents, extent);
    while (joined < size && next != NULL && extent_mark(next) == EXTENT_FREE) {
        joined += extent_size(next);
        next = extents_next(extents, next);
    }
    if (joined != extent_size(extent))
        set(extent, joined, EXTENT_FREE);
    return joined;
}

/* Goes round once from where the last search ended. */
static struct extent *search(struct extents *extents, size_t size) {
    size_t seen = 0;
    while (seen < extents->bytes) {
        struct extent *extent = at(extents, extents->rover);
        if (extent_mark(extent) == EXTENT_FREE &&
            join(extents, extent, size) >= size)
            return extent;
        seen += extent_size(extent);
        extents->rover += extent_size(extent);
        if (extents->rover == extents->bytes)
            extents->rover = 0;
    }
    return NULL;
}

static size_t round_up(size_t size) {
    return (size + EXTENT_UNIT - 1) / EXTENT_UNIT * EXTENT_UNIT;
}

bool extents_could_hold(const struct extents *extents, size_t size) {
    return round_up(size) <= extents->limit && round_up(size) <= extents->bytes;
}

struct extent *extents_find(struct extents *extents, size_t *size) {
    size_t wanted = round_up(*size);
    if (wanted >= extents->too_large || wanted > extents->limit ||
        extents->used > extents->limit - wanted)
        return NULL;
    struct extent *extent = search(extents, wanted);
    if (extent == NULL) {
        extents->too_large = wanted;
        return NULL;
    }
    /* What is left over is an extent before this one says that it ends. */
    size_t rest = extent_size(extent) - wanted;
    if (rest > 0)
        set(at(extents, offset_of(extents, extent) + wanted), rest,
            EXTENT_FREE);
    *size = wanted;
    return extent;
}

void extents_take(struct extents *extents, struct extent *extent, size_t size,
                  unsigned mark) {
    set(extent, size, mark);
    extents->used += size;
    extents->rover = offset_of(extents, extent) + size;
    if (extents->rover == extents->bytes)
        extents->rover = 0;
}

void extents_mark(struct extent *extent, unsigned mark) {
    set(extent, extent_size(extent), mark);
}

void extents_release(struct extents *extents, struct extent *extent) {
    extents->used -= extent_size(extent);
    extents->too_large = SIZE_MAX;
    set(extent, extent_size(extent), EXTENT_FREE);
    if (extents->used == 0) { /* from the front again, where it is warm */
        extents_format(extents->base, extents->bytes);
        extents->rover = 0;
    }
}

struct extent *extents_first(const struct extents *extents) {
    return at(extents, 0);
}

struct extent *extents_next(const struct extents *extents,
                            const struct extent *extent) {
    size_t next = offset_of(extents, extent) + extent_size(extent);
    return next < extents->bytes ? at(extents, next) : NULL;
}
