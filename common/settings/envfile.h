/* Reads the text of a .env file. Pure: the bytes come as an argument. */
#ifndef FXWIRE_COMMON_SETTINGS_ENVFILE_H
#define FXWIRE_COMMON_SETTINGS_ENVFILE_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/span.h"

/* What the reader calls. */
struct envfile_events {
    /*
     * For each assignment, in order, at the end: `name` and its value without
     * quotes, lent. `referred`: a later value has it by its name.
     */
    void (*assigned)(void *arg, const char *name, const char *value, int line,
                     bool referred);
    /* For each line that is none; `why` is lent. */
    void (*fault)(void *arg, const char *why, int line);
    /* The value of a name outside of the file, lent; NULL: it has none. */
    const char *(*outside)(void *arg, const char *name);
    void *arg;
};

/*
 * Reads lines `[export] NAME = value`. Blanks around the `=` and the value do
 * not count; a value may stand in single quotes (taken as it is) or double
 * ones (\n \t \" \\ \$ are escapes) and span lines in them; a # at the start of
 * a line or after a blank begins a comment. $NAME, ${NAME} and
 * ${NAME:-otherwise} (in which they may stand, too) stand for a value from
 * outside, or else from an earlier line, but not in single quotes; \$ is a $.
 */
void envfile_read(struct span text,
                  const struct envfile_events *events) NONNULL_ALL;

#endif
