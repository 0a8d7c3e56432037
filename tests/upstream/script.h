/* What to ask: a ring of messages made before the run, with their answers. */
#ifndef UPSTREAM_SCRIPT_H
#define UPSTREAM_SCRIPT_H

#include "ecb.h"
#include "form.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCRIPT_ITEMS = 4096 };

/* One message, with any id. `answer` is the whole answer except for the date
 * at date_at, or, where `error` is set, the start of the error answer. */
struct script_item {
    struct form_text ask;
    struct form_text answer;
    size_t date_at;
    bool error;
    bool today; /* the right answer holds only until midnight */
};

struct script {
    struct script_item item[SCRIPT_ITEMS];
    size_t next;
    long day; /* the day on which the script was made */
};

/* Makes a script out of the rates; the same seed, rates and day make the same
 * script. `ecb` is no longer needed afterwards. */
void script_make(struct script *s, const struct ecb *ecb, uint64_t seed);
void script_free(struct script *s);

/* Makes a script of plain good messages over so many (1 to SCRIPT_ITEMS) pairs
 * of a day and a currency; false if the file has fewer. */
bool script_make_pairs(struct script *s, const struct ecb *ecb, uint64_t seed,
                       size_t pairs);

/* The next message to ask, going round the ring; never NULL. Leaves out those
 * dated today from a minute before midnight on, for by the time they are
 * answered today may be another day. */
const struct script_item *script_next(struct script *s);

#endif
