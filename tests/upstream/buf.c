#include "buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *buf_room(struct buf *b, size_t size) {
    if (b->cap - b->end >= size && b->data)
        return b->data + b->end;
    if (b->start > 0) {
        memmove(b->data, b->data + b->start, b->end - b->start);
        b->end -= b->start;
        b->start = 0;
    }
    if (b->cap - b->end < size || !b->data) {
        size_t cap = b->cap ? b->cap : 4096;
        while (cap - b->end < size)
            cap *= 2;
        char *data = realloc(b->data, cap);
        if (!data) {
            perror(program_invocation_short_name);
            exit(2);
        }
        b->data = data;
        b->cap = cap;
    }
    return b->data + b->end;
}

void buf_grow(struct buf *b, size_t size) {
    b->end += size;
}

void buf_add(struct buf *b, const void *bytes, size_t size) {
    memcpy(buf_room(b, size), bytes, size);
    b->end += size;
}

void buf_drop(struct buf *b, size_t size) {
    b->start += size;
    /* An empty queue starts over, so that it seldom has to move bytes. */
    if (b->start == b->end)
        b->start = b->end = 0;
}

size_t buf_len(const struct buf *b) {
    return b->end - b->start;
}

char *buf_head(const struct buf *b) {
    return b->data + b->start;
}

void buf_free(struct buf *b) {
    free(b->data);
    *b = (struct buf){0};
}
