/* What stands in a cell of a table of `top`: a member of a row, for people.
 * Pure. */
#ifndef FXWIRE_SUPERVISOR_TOP_CELLS_H
#define FXWIRE_SUPERVISOR_TOP_CELLS_H

#include <json-c/json.h>

#include "common/attributes.h"

enum { CELL_SIZE = 512 };

/* Prints what `row` says; `-` where it says nothing. `member` names where. */
typedef void cell_printer(struct json_object *row, const char *member,
                          char out[static CELL_SIZE]);

cell_printer cell_text;
cell_printer cell_count;
cell_printer cell_rate;     /* a number with one decimal */
cell_printer cell_age;      /* of seconds: 0.16 s */
cell_printer cell_duration; /* of seconds: 12 s, 5.0 min, 3.2 h, 4.1 d */
cell_printer cell_latency;  /* of seconds: 0.012 ms */
cell_printer cell_moment;   /* of RFC 3339: 11-28 16:32:38 */
cell_printer cell_clock;    /* of RFC 3339: 16:32:38 */
cell_printer cell_link;     /* of an upstream: up 12 s, DOWN 3 s */
cell_printer cell_provider; /* of a provider: its state, and for how long */
cell_printer cell_calls;    /* of a provider, in this minute: 2/60 */
cell_printer cell_process;  /* its name, and its upstream */

#endif
