/* The script as whole frames, made before the run. */
#ifndef LOAD_RING_H
#define LOAD_RING_H

#include "tests/upstream/match.h"
#include "tests/upstream/script.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All ids have so many digits, so that they are written over in place. */
enum { RING_DIGITS = 10, RING_PIECES = 3 };

/* What stands between the id and the date, to be compared byte by byte. */
struct ring_piece {
    size_t at;
    size_t len;
};

/* One question as the bytes to send, and its answer as the bytes to come. */
struct ring_item {
    char *ask;
    size_t ask_len;
    size_t ask_id_at;
    char *answer;
    size_t answer_len;
    size_t answer_id_at;
    size_t date_at; /* 0: it has no date */
    bool error;     /* `answer` is the start of an error */
    struct ring_piece piece[RING_PIECES];
};

struct ring {
    struct ring_item item[SCRIPT_ITEMS];
    size_t count;
    struct match_span span;
    char date[MATCH_DATE]; /* the last that was found good */
};

/* How the frames are made of the script. */
struct ring_how {
    bool echo;          /* the right answer is the question itself */
    uint64_t size;      /* pad messages to that many bytes; 0: as they are */
    uint64_t fragments; /* frames of one message, at least 1 */
};

void ring_make(struct ring *r, const struct script *s,
               const struct ring_how *how);
void ring_free(struct ring *r);

/* Whether the text is the right answer to the item with these digits. */
bool ring_fits(struct ring *r, const struct ring_item *item, const char *digits,
               const char *text, size_t len);

/* Whether it is an error with this id where an answer was due. */
bool ring_refused(const char *digits, const char *text, size_t len);

#endif
