#include "common/rates/daytables.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

/* Room for a year more, so that days in a row seldom make it grow. */
enum { ROOM_AHEAD = 366 };

static void grow(struct daytables *tables, size_t count) {
    size_t size = tables->entry_size;
    tables->entries = memory_resize(tables->entries, count * size);
    memset(tables->entries + tables->count * size, 0,
           (count - tables->count) * size);
    tables->count = count;
}

void *daytables_make(struct daytables *tables, day when) {
    size_t place = daytables_place(when);
    if (place >= tables->count)
        grow(tables, place + ROOM_AHEAD);
    return tables->entries + place * tables->entry_size;
}

void daytables_each(struct daytables *tables, void (*visit)(void *entry)) {
    for (size_t i = 0; i < tables->count; i++)
        visit(tables->entries + i * tables->entry_size);
}

void daytables_clear(struct daytables *tables, void (*clear)(void *entry)) {
    daytables_each(tables, clear);
    free(tables->entries);
    tables->entries = NULL;
    tables->count = 0;
}
