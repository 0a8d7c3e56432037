/* Messages as a person reads them. */
#ifndef UPSTREAM_SHOW_H
#define UPSTREAM_SHOW_H

#include <stddef.h>
#include <stdio.h>

/* Prints the prefix and the text on the current line: control characters come
 * out as \n, \t and the like, so that one message stays one line. */
void show_text(FILE *out, const char *prefix, const char *text, size_t len);

#endif
