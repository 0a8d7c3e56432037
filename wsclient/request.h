/*
 * What a text message from the upstream asks for: one strict pass over its
 * bytes gives the places of the values, or a named refusal. Pure.
 */
#ifndef FXWIRE_WSCLIENT_REQUEST_H
#define FXWIRE_WSCLIENT_REQUEST_H

#include "common/day.h"
#include "common/rates/decimal.h"
#include "common/rates/rates.h"
#include "common/span.h"

enum request_kind {
    REQUEST_CONVERT,
    REQUEST_HEARTBEAT,
    REQUEST_ERROR,   /* the upstream tells of an error: not answered */
    REQUEST_UNKNOWN, /* missing or unknown type: not answered */
    REQUEST_REFUSED  /* answered by an error */
};

enum refusal {
    REFUSAL_NONE,
#define REFUSAL(id, word, text) REFUSAL_##id,
#include "common/refusals.def"
#undef REFUSAL
    REFUSALS
};

/* What people are told, in plain ASCII without quotes. */
const char *refusal_text(enum refusal refusal);

/* Slices of the message's text; strings with their quotes. */
struct request {
    enum request_kind kind;
    enum refusal refusal;
    struct span id; /* empty: it has none */
    struct span stake, currency, date;
    struct decimal amount;     /* what the stake says */
    char code[RATES_CODE_LEN]; /* what the currency says */
    day day;                   /* UTC day of the date; RATES_LATEST for today */
};

/*
 * Reads `text` (valid UTF-8, padded, see JSON_PADDING) at the wall time
 * `now_ms` (milliseconds since 1970). All members after `refusal` but `id` are
 * set for REQUEST_CONVERT only.
 */
void request_read(struct span text, int64_t now_ms, struct request *out);

#endif
