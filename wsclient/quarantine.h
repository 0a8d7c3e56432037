/* Messages that killed who handled them, kept for a person to look at. */
#ifndef FXWIRE_WSCLIENT_QUARANTINE_H
#define FXWIRE_WSCLIENT_QUARANTINE_H

#include <stdint.h>

#include "common/span.h"

/* The newest so many are kept. */
enum { QUARANTINE_MAX_FILES = 100 };

/*
 * Writes the message's bytes to a file of its own in STATE_DIR/quarantine,
 * named after the wall time `now_ms` and `sequence`; makes the folders where
 * they are missing. Logs the path, or why it could not be done.
 */
void quarantine_save(const char *state_dir, struct span message, int64_t now_ms,
                     uint64_t sequence);

#endif
