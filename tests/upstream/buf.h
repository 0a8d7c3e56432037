/* A byte queue: bytes are added at the end and dropped from the front. */
#ifndef UPSTREAM_BUF_H
#define UPSTREAM_BUF_H

#include <stddef.h>

/* Start from all zeros. The bytes in use are data[start] to data[end - 1]. */
struct buf {
    char *data;
    size_t start;
    size_t end;
    size_t cap;
};

/* Room for `size` more bytes at the end; never NULL (out of memory ends the
 * program: a test tool has nothing better to do). Earlier pointers into the
 * buffer are void afterwards. Report what was really written by buf_grow(). */
char *buf_room(struct buf *b, size_t size);
void buf_grow(struct buf *b, size_t size);

void buf_add(struct buf *b, const void *bytes, size_t size);

/* Forgets the first `size` bytes; `size` is at most buf_len(). Pointers into
 * the rest stay good until the next buf_room() or buf_add(). */
void buf_drop(struct buf *b, size_t size);

size_t buf_len(const struct buf *b);
char *buf_head(const struct buf *b);

/* Gives the memory back and leaves an empty buffer. */
void buf_free(struct buf *b);

#endif
