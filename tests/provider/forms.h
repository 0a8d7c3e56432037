/* One table of rates in the form of each provider. */
#ifndef PROVIDER_FORMS_H
#define PROVIDER_FORMS_H

#include "tests/upstream/ecb.h"

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <stdbool.h>

enum { FORMS = 7 };

/* What was asked; `path` is what stands behind the provider's name. */
struct form_call {
    const struct ecb *ecb;
    const char *path;
    const struct evkeyvalq *query;
    const struct evkeyvalq *headers;
    const char *key;  /* the one that is right; NULL: any */
    const char *base; /* "EUR", or a lie */
    double factor;    /* for the rates; 1: their own digits */
};

/* The word of RATE_PROVIDERS, and the setting of its address. */
const char *form_name(int form);
const char *form_setting(int form);
const char *form_content_type(int form);

/* Writes the answer, and gives its HTTP status. */
int form_answer(int form, const struct form_call *call, struct evbuffer *out);

#endif
