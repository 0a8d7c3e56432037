/*
 * What an answer was made from, as one line of JSON for the audit. Until the
 * line is written, once it is known what became of the answer, its parts are in
 * a note that the ledger keeps with the message, so that a kill does not cost
 * them. Pure.
 */
#ifndef FXWIRE_WSCLIENT_AUDIT_H
#define FXWIRE_WSCLIENT_AUDIT_H

#include "common/attributes.h"
#include "wsclient/ledger.h"
#include "wsclient/request.h"

enum {
    AUDIT_LAYER_SIZE = 16,
    AUDIT_WORD_SIZE = 24,
    AUDIT_TABLE_SIZE = 240,
    /* A line is at most so much longer than its upstream's text, the request
     * and the id. */
    AUDIT_GROWTH_BYTES = 1024
};

/* A part of the request. */
struct audit_part {
    uint32_t at, len;
};

/*
 * In the ledger's file. Where it is read, nothing is taken for granted: it may
 * have been left by whomever.
 */
struct audit_note {
    int64_t received_ms, answered_ms; /* since 1970; 0: not yet */
    int64_t fetched_ms;               /* the table; 0: there is none */
    monotime sent;                    /* at last; 0: never */
    uint64_t high, low;               /* of the result's units */
    struct audit_part stake, currency, date;
    uint32_t sends;
    uint32_t table_len;
    char layer[AUDIT_LAYER_SIZE]; /* empty: no rate was needed */
    char error[AUDIT_WORD_SIZE];  /* empty: it was converted */
    char table[AUDIT_TABLE_SIZE]; /* see audit_put_table() */
};

/* The word for an error, as the audit has it. */
const char *audit_error_word(enum refusal refusal);

/* Notes what a request asks for; `text` is what it was read from. */
void audit_note_request(struct audit_note *note, const struct request *request,
                        struct span text) NONNULL_ALL;

/*
 * Writes what of a table served for `currency`, as members of an object;
 * returns the length.
 */
size_t audit_put_table(const struct rates *rates, struct span currency,
                       char out[static AUDIT_TABLE_SIZE]) NONNULL_ALL;

/* What became of an answer. */
struct audit_end {
    const char *outcome; /* a word, such as "confirmed" */
    bool confirmed;
    struct now now;
};

/*
 * Writes the line of a message; `note` NULL: what it was answered with is not
 * known. `upstream` is a JSON string. Needs what AUDIT_GROWTH_BYTES says;
 * returns the length.
 */
size_t audit_write(struct span upstream, const struct message *message,
                   const struct audit_note *note, const struct audit_end *end,
                   char *out) NONNULL(2, 4, 5);

/*
 * The same of an error for a message that was not kept; needs room for upstream
 * and id beside AUDIT_GROWTH_BYTES.
 */
size_t audit_write_unkept(struct span upstream, struct span id,
                          enum refusal refusal, int64_t now_ms,
                          char *out) NONNULL_ALL;

#endif
