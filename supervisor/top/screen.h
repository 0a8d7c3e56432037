/* The terminal that `top` draws on, by ncurses. */
#ifndef FXWIRE_SUPERVISOR_TOP_SCREEN_H
#define FXWIRE_SUPERVISOR_TOP_SCREEN_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "supervisor/top/layout.h"

enum screen_key { SCREEN_NO_KEY, SCREEN_QUIT, SCREEN_PAUSE, SCREEN_RESIZED };

/*
 * Takes the terminal of standard input and output; false: it is none, or TERM
 * names none that is known. NO_COLOR in the environment is heeded.
 */
MUST_CHECK bool screen_open(void);
void screen_close(void);

int screen_width(void);

/* Of what is drawn above the last line. */
int screen_height(void);

/* Draws the rows, and a line that says which keys there are at the bottom. */
void screen_draw(const struct top_rows *rows, const char *keys) NONNULL_ALL;

/* Waits for a key, for so long at most. SIGINT and SIGTERM count as
 * SCREEN_QUIT. */
MUST_CHECK enum screen_key screen_wait(duration patience);

#endif
