/* What may go wrong on demand, and what of it lasts. */
#ifndef UPSTREAM_FAULT_H
#define UPSTREAM_FAULT_H

#include "json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum fault_type {
    FAULT_SILENCE,               /* neither reads nor sends */
    FAULT_UNREAD,                /* does not read */
    FAULT_NO_BEATS,              /* sends no heartbeats */
    FAULT_NO_PONGS,              /* answers no Pings */
    FAULT_SLOW,                  /* sends few bytes a second */
    FAULT_CUT,                   /* resets the connection, and new ones */
    FAULT_REFUSE,                /* answers handshakes by an HTTP status */
    FAULT_LASTING,               /* those above last `seconds` */
    FAULT_CLOSE = FAULT_LASTING, /* says goodbye by a code */
    FAULT_FRAME,                 /* sends a bad frame */
    FAULT_BYTES,                 /* sends any bytes */
};

struct fault {
    enum fault_type type;
    const char *name;
    double seconds;
    unsigned number; /* bytes a second, status or code */
    char *bytes;
    size_t len;
};

/* Reads a line {"fault":NAME,...}; NULL, or why it can not be as a text that is
 * good until the next call. */
const char *fault_read(struct fault *f, struct json_part line);
void fault_free(struct fault *f);

/* Whether it does something to the connection there is. */
bool fault_needs_link(const struct fault *f);

/* Lists all faults, one to a line, with what each takes. */
void fault_print_all(FILE *out);

/* Those that last; start from all zeros. Times are of one steady clock. */
struct fault_state {
    uint64_t until_ns[FAULT_LASTING];
    unsigned number[FAULT_LASTING];
};

void fault_begin(struct fault_state *s, const struct fault *f, uint64_t now_ns);
bool fault_is_on(const struct fault_state *s, enum fault_type type,
                 uint64_t now_ns);

/* When the next one ends; UINT64_MAX if none is on. */
uint64_t fault_wake(const struct fault_state *s, uint64_t now_ns);

#endif
