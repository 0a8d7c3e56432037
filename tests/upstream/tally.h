/* The count of how questions were answered, and how that is shown. */
#ifndef UPSTREAM_TALLY_H
#define UPSTREAM_TALLY_H

#include "delay.h"
#include "match.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tally_word {
    TALLY_RIGHT,
    TALLY_ERROR,   /* right, too: the errors that were called for */
    TALLY_REFUSED, /* an error that was not, where that is allowed */
    TALLY_WRONG,
    TALLY_TWICE,
    TALLY_DOUBLED,    /* twice without a break between, or not the same */
    TALLY_UNEXPECTED, /* answers nothing asked (lately) */
    TALLY_WORDS
};

/* asked = right + error + refused + wrong + open, each question counted once.
 * Times are of one steady clock, in nanoseconds. Start from all zeros but for
 * the flags, and call tally_clock(). */
struct tally {
    bool allow_errors;
    bool show; /* print every message, not only a few that are wrong */
    uint64_t count[TALLY_WORDS];
    uint64_t asked;
    uint64_t again;
    uint64_t open;
    uint64_t taken; /* the highest number of a question known to be received */
    uint64_t first_ns;
    uint64_t last_ns; /* something was asked or answered */
    struct delay delay;
    struct match_span span; /* the days that an answer may be dated */
    long today;
};

/* Call this now and then: it keeps the span of good dates up to date. */
void tally_clock(struct tally *t);

/* Counts a question; gives its number, 1 for the first. */
uint64_t tally_ask(struct tally *t, uint64_t now_ns);

/* The client has answered a Ping whose text is `len` digits: all questions up
 * to that number are received, and need not be asked again after a break. */
void tally_take(struct tally *t, const char *digits, size_t len);

/* What it is called that an answer with this id is not the one expected. */
enum tally_word tally_wrong(const struct tally *t, const char *id,
                            size_t id_len, const char *text, size_t len);

/* Counts what came; of a question that was open since `asked_ns` its delay. */
void tally_answer(struct tally *t, enum tally_word word, uint64_t asked_ns,
                  uint64_t now_ns);

/* Prints a message that came with its word and, unless NULL, what it should
 * have been. What is right is printed with `show` alone, the rest to stderr
 * without it, and not for ever. After tally_answer(). */
void tally_show(const struct tally *t, enum tally_word word, const char *text,
                size_t len, const char *want, size_t want_len);

/* Print to stdout: the counts; and how fast the answers came, with `speed` also
 * how many a second. */
void tally_report(const struct tally *t);
void tally_report_delay(const struct tally *t, bool speed);

#endif
