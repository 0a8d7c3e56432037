/* The bytes that go back: a request with three values replaced, or an error. */
#ifndef FXWIRE_WSCLIENT_RESPONSE_H
#define FXWIRE_WSCLIENT_RESPONSE_H

#include "wsclient/request.h"

/* An answer is at most so much longer than its request. */
enum { RESPONSE_GROWTH_BYTES = 256 };

/*
 * Writes the request's own bytes with stake, currency and date replaced;
 * `date_ms` is the moment of conversion, or negative to leave the date as it
 * is. Needs text.len + RESPONSE_GROWTH_BYTES; returns the length.
 */
size_t response_write(const struct request *request, struct span text,
                      euro amount, int64_t date_ms, char *out);

/*
 * Writes an error for `id` (empty: null). Needs id.len +
 * RESPONSE_GROWTH_BYTES; returns the length.
 */
size_t response_write_error(struct span id, enum refusal refusal, char *out);

#endif
