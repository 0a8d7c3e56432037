/* What is to go wrong, for whom and for how long. */
#ifndef PROVIDER_TROUBLE_H
#define PROVIDER_TROUBLE_H

#include "tests/upstream/json.h"

#include <stdint.h>
#include <stdio.h>

enum trouble_type {
    TROUBLE_NONE,
    TROUBLE_STATUS,     /* another status, no table */
    TROUBLE_SILENCE,    /* no answer */
    TROUBLE_SLOW,       /* few bytes a second */
    TROUBLE_CUT,        /* half the body */
    TROUBLE_GARBAGE,    /* a page of HTML in the place of the table */
    TROUBLE_WRONG_BASE, /* says that the rates are dollars' */
    TROUBLE_WRONG_RATE, /* rates that are some percent higher */
};

struct trouble {
    enum trouble_type type;
    const char *name;
    char provider[24];  /* empty: all */
    double at;          /* seconds from the start */
    double seconds;     /* less than 0: no end */
    double calls;       /* so many are left, less than 0: no end */
    unsigned status;    /* of TROUBLE_STATUS */
    double retry_after; /* seconds, less than 0: it is not said */
    double bytes;       /* a second */
    double percent;
};

/* Reads a line {"fault":NAME,...}; NULL, or why it can not be as a text that is
 * good until the next call. Without "at" it begins at `now` seconds. */
const char *trouble_read(struct trouble *t, struct json_part line, double now);

/* Lists all faults, one to a line, with what each takes. */
void trouble_print_all(FILE *out);

#endif
