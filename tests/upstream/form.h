/* The ways to write one message: order of fields, white space, extra fields. */
#ifndef UPSTREAM_FORM_H
#define UPSTREAM_FORM_H

#include <stddef.h>

enum {
    FORM_PLAIN = 0,     /* as the protocol shows it */
    FORM_DRESSED = 1,   /* first of the others ... */
    FORM_DRESSES = 8,   /* ... and how many there are */
    FORM_NO_STAKE = 9,  /* a message that lacks its stake */
    FORM_TEXT_MAX = 512 /* bytes of the longest message, id not counted */
};

/* What goes in; the texts go in as they are. */
struct form_fill {
    const char *stake;
    const char *currency;
    const char *date;
    const char *odds;
    unsigned market;
};

/* A message without its id, whose digits belong before text[id_at]. The text
 * is freed by form_free(). */
struct form_text {
    char *text;
    size_t len;
    size_t id_at;
};

/* Writes a message in one of the forms above. *date_at becomes the place of
 * the date in the text (id not counted); date_at may be NULL. */
void form_write(struct form_text *t, int form, const struct form_fill *fill,
                size_t *date_at);

/* Writes the start of an error answer, up to where the reason begins. */
void form_error(struct form_text *t);

void form_free(struct form_text *t);

/* Joins text and id. `out` has room for len + digits_len bytes. */
void form_spell(const struct form_text *t, const char *digits,
                size_t digits_len, char *out);

#endif
