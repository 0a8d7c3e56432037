/* The one file in a ZIP archive in memory, unpacked piece by piece. Pure. */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_ZIPPED_H
#define FXWIRE_RATEFETCHER_PROVIDERS_ZIPPED_H

#include "common/attributes.h"
#include "common/span.h"

struct zipped;

/*
 * Opens an archive, which is lent. NULL: it is none, or has not exactly one
 * file, or one that is encrypted, of an uncommon method or too large.
 */
MUST_CHECK struct zipped *zipped_open(struct span archive);
void zipped_close(struct zipped **zipped) NONNULL_ALL;

enum { ZIPPED_PIECE_BYTES = 64 * 1024 };

/*
 * The next piece of the file: its length; 0 at its end, when all of it is as it
 * was packed; negative: it is damaged, or larger than it says.
 */
MUST_CHECK long zipped_read(struct zipped *zipped,
                            char piece[static ZIPPED_PIECE_BYTES]) NONNULL_ALL;

#endif
