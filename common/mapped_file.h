/*
 * A file that is mapped, so that what is stored in it outlives the kill of all
 * processes and costs no system call. It is this user's own, locked against a
 * second process, and allocated before it is used: a store into a hole that the
 * disk has no block for would be a SIGBUS. Memory can take its place.
 */
#ifndef FXWIRE_COMMON_MAPPED_FILE_H
#define FXWIRE_COMMON_MAPPED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/files.h"

struct mapped_file {
    char *path;       /* NULL: memory */
    int fd;           /* holds the lock; -1: memory */
    void *start;      /* of the mapping; NULL: there is none yet */
    size_t bytes;     /* of the mapping */
    size_t allocated; /* of these the first: no more may be touched */
};

/* At the front of each such file. */
struct mapped_header {
    char magic[8]; /* what kind of file it is; zeros: it was not begun */
    uint32_t version;
    char boot_id[BOOT_ID_SIZE]; /* of the boot in which it was begun */
};

/*
 * Opens the file, or makes an empty one, and locks it. -1 and errno: it can not
 * be had; EWOULDBLOCK: another process has had it for the last second and a
 * half (one that was killed may need a while to let go of it).
 */
MUST_CHECK int mapped_file_open(struct mapped_file *file,
                                const char *path) NONNULL_ALL;

/*
 * Maps so much before it is allocated, so that the mapping does not move when
 * it is. -1 and errno: there is no such stretch of addresses.
 */
MUST_CHECK int mapped_file_reserve(struct mapped_file *file,
                                   size_t bytes) NONNULL_ALL;

/*
 * Allocates and maps the first `bytes`. An earlier mapping that is shorter is
 * replaced, and may move. -1 and errno: that much can not be had, and the file
 * is as long as it was.
 */
MUST_CHECK int mapped_file_map(struct mapped_file *file,
                               size_t bytes) NONNULL_ALL;

/* Gives back all behind the first `bytes`; the mapping stays. */
void mapped_file_shorten(struct mapped_file *file, size_t bytes) NONNULL_ALL;

/* Zeros in memory in the place of a file; -1 and errno, as above. */
MUST_CHECK int mapped_file_use_memory(struct mapped_file *file,
                                      size_t bytes) NONNULL_ALL;

/* How long the file is, in bytes. */
size_t mapped_file_length(const struct mapped_file *file) NONNULL_ALL;

/* Whether its path still leads to the file that was opened. */
bool mapped_file_is_in_place(const struct mapped_file *file) NONNULL_ALL;

/*
 * Whether the file still has its name: cleaners and people remove it, or put
 * another in its place. Then a new one gets all that is in this one, and takes
 * its place, at the same address. 1: that was done; 0: it was not necessary;
 * -1 and errno: it can not be done, and the nameless one is used on.
 */
MUST_CHECK int mapped_file_restore(struct mapped_file *file) NONNULL_ALL;

enum mapped_form {
    MAPPED_FORM_NONE,    /* it is empty, or was not begun */
    MAPPED_FORM_FOREIGN, /* another magic */
    MAPPED_FORM_VERSION, /* another version */
    MAPPED_FORM_BOOT,    /* as asked for, but surely begun in another boot */
    MAPPED_FORM_SAME     /* as asked for, begun in this boot */
};

/* Reads the file's header; it need not be mapped yet. */
MUST_CHECK enum mapped_form mapped_file_form(const struct mapped_file *file,
                                             const char magic[static 8],
                                             uint32_t version) NONNULL_ALL;

/*
 * Writes the header, the magic last: what was stored before is then good for
 * whoever opens the file next.
 */
void mapped_file_begin(struct mapped_file *file, const char magic[static 8],
                       uint32_t version) NONNULL_ALL;

/* Lets go of it; with `remove`, also of its name. */
void mapped_file_close(struct mapped_file *file, bool remove) NONNULL_ALL;

#endif
