/*
 * The file that the ledger lives in, or memory in its place. It grows by steps:
 * each is allocated before anything is stored there, as a store into a hole
 * that the disk has no block for would be a SIGBUS; and so an upstream takes no
 * more of a RUNTIME_DIR in memory than it needs.
 */
#ifndef FXWIRE_WSCLIENT_LEDGER_FILE_H
#define FXWIRE_WSCLIENT_LEDGER_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/mapped_file.h"
#include "wsclient/ledger_room.h"

/* The file has so many bytes of room at first, and grows by no less. The
 * simulation, which has few messages, is built with another one. */
#ifndef LEDGER_FILE_STEP
#define LEDGER_FILE_STEP 262144
#endif

/* At the front of the file; the room for messages follows a page later. */
struct ledger_header {
    struct mapped_header form;
    _Atomic uint64_t room_bytes;
    _Atomic uint64_t in_work; /* the ledger's; 0 in a new file */
};

struct ledger_file {
    struct mapped_file mapped;
    struct ledger_header *header;
    struct ledger_room room; /* as much as is allocated */
    size_t grow_at; /* with more than this in use it is made longer; SIZE_MAX:
                       it can not be, until the next look at least */
    bool stuck;     /* the last growing failed */
    unsigned empty_looks; /* so many in a row found nothing in it */
};

/* Whether an extent that is taken can be what a ledger left there. */
typedef bool ledger_extent_check(const struct extent *extent, monotime now);

/*
 * Opens the file at `path` (NULL: memory), with room for `max_bytes` in the
 * end. One that can not be used is set aside; where there can be none, memory
 * serves. Both are logged. -1 and errno: EWOULDBLOCK, another wsclient holds
 * the file; ENOMEM, there is no memory either.
 */
MUST_CHECK int ledger_file_open(struct ledger_file *file, const char *path,
                                size_t max_bytes, ledger_extent_check *is_sound)
    NONNULL(1, 4);

/*
 * To be called where more than `grow_at` is in use, or where `size` bytes were
 * not to be found in one piece: makes the room longer by as much at least.
 * False: it has its full length, or the disk has no more; that is logged, and
 * tried again at each look.
 */
MUST_CHECK bool ledger_file_grow(struct ledger_file *file,
                                 size_t size) NONNULL_ALL;

/*
 * To be called each second: growing that failed is tried again, and what a
 * burst needed is given back when nothing was in hand for ten looks.
 */
void ledger_file_look(struct ledger_file *file) NONNULL_ALL;

/* How many bytes can be given out in all, as far as is known now. */
size_t ledger_file_max_bytes(const struct ledger_file *file) NONNULL_ALL;

#endif
