/*
 * The file behind the ledger: set aside if it is not ours, damaged, or of an
 * earlier boot. Where there can be no file, or no lock, memory serves in its
 * place.
 */
#ifndef FXWIRE_WSCLIENT_LEDGER_FILE_H
#define FXWIRE_WSCLIENT_LEDGER_FILE_H

#include <stdatomic.h>

#include "common/mapped_file.h"

/* At the front of the file; the room for messages follows. */
struct ledger_header {
    struct mapped_header form;
    _Atomic uint64_t room_bytes;
    _Atomic uint64_t handled; /* which message is in work: ledger's own word */
};

struct ledger_file {
    struct mapped_file mapped;
    struct ledger_header *header;
    char *room;
    size_t room_bytes;
    bool is_new; /* its room has to be laid out, see ledger_file_begun() */
};

/*
 * Opens or makes the file; a new one has room for `room_bytes`, an old one has
 * what it has. `path` NULL: memory. -1 and errno: EWOULDBLOCK, if another
 * wsclient has had it for a second and a half; ENOMEM, if not even memory can
 * serve.
 */
MUST_CHECK int ledger_file_open(struct ledger_file *file, const char *path,
                                size_t room_bytes);

/*
 * The room of a new one is laid out: from now on a successor goes on with it.
 */
void ledger_file_begun(struct ledger_file *file) NONNULL_ALL;

/* Makes the room of a file larger; -1 and errno: that much can not be had. */
MUST_CHECK int ledger_file_grow(struct ledger_file *file,
                                size_t room_bytes) NONNULL_ALL;

/*
 * Renames it, for a person to look at, and makes a new one in its place. -1 and
 * errno as above.
 */
MUST_CHECK int ledger_file_set_aside(struct ledger_file *file, const char *why,
                                     size_t room_bytes) NONNULL_ALL;

/* Lets go of it; with `remove`, also of its name. */
void ledger_file_close(struct ledger_file *file, bool remove) NONNULL_ALL;

#endif
