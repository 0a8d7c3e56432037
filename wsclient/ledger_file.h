/*
 * The file behind the ledger, mapped: locked against a second wsclient,
 * allocated in full, and set aside if it is not ours, damaged, or of an
 * earlier boot. Where there can be no file, or no lock, memory serves in its
 * place.
 */
#ifndef FXWIRE_WSCLIENT_LEDGER_FILE_H
#define FXWIRE_WSCLIENT_LEDGER_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/files.h"

/* At the front of the file; the room for messages follows. */
struct ledger_header {
    char magic[8];
    uint32_t version;
    char boot_id[BOOT_ID_SIZE]; /* of the boot in which it was written */
    _Atomic uint64_t room_bytes;
    _Atomic uint64_t handled; /* sequence of the message in work; 0: none */
};

struct ledger_file {
    struct ledger_header *header;
    char *room;
    size_t room_bytes;
    size_t mapped_bytes;
    char *path;  /* NULL: memory */
    int fd;      /* holds the lock; -1: memory */
    bool is_new; /* its room has to be laid out, see ledger_file_begun() */
};

/*
 * Opens or makes the file; a new one has room for `room_bytes`, an old one has
 * what it has. `path` NULL: memory. False: another wsclient holds it, for a
 * second and a half now.
 */
bool ledger_file_open(struct ledger_file *file, const char *path,
                      size_t room_bytes);

/* The room of a new one is laid out: from now on a successor goes on with it.
 */
void ledger_file_begun(struct ledger_file *file);

/* Makes the room of a file larger; false: that much can not be had. */
bool ledger_file_grow(struct ledger_file *file, size_t room_bytes);

/*
 * Renames it, for a person to look at, and makes a new one in its place. False:
 * as above.
 */
bool ledger_file_set_aside(struct ledger_file *file, const char *why,
                           size_t room_bytes);

/* Lets go of it; with `remove`, also of its name. */
void ledger_file_close(struct ledger_file *file, bool remove);

#endif
