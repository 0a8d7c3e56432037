/* Stakes of many shapes: every way a JSON number may be written. */
#ifndef UPSTREAM_STAKE_H
#define UPSTREAM_STAKE_H

#include "dice.h"

enum { STAKE_TEXT = 48 };

/* Writes a random stake: a JSON number, zero or more, of at most 18
 * significant digits. */
void stake_roll(struct dice *d, char out[STAKE_TEXT]);

#endif
