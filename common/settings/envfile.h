/* Reads the text of a .env file. Pure: the bytes come as an argument. */
#ifndef FXWIRE_COMMON_SETTINGS_ENVFILE_H
#define FXWIRE_COMMON_SETTINGS_ENVFILE_H

#include "common/attributes.h"
#include "common/span.h"

/*
 * What the reader calls: for each assignment, in order, `name` and its value
 * without quotes, lent; and for each line that is none, `fault`.
 */
struct envfile_events {
    void (*assigned)(void *arg, const char *name, const char *value, int line);
    void (*fault)(void *arg, const char *why, int line);
    void *arg;
};

/*
 * Reads lines `[export] NAME = value`. Blanks around the `=` and the value do
 * not count; a value may stand in single quotes (taken as it is) or double
 * ones (\n \t \" \\ \$ are escapes) and span lines in them; a # at the start of
 * a line or after a blank begins a comment.
 */
void envfile_read(struct span text,
                  const struct envfile_events *events) NONNULL_ALL;

#endif
