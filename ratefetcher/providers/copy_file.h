/*
 * A provider's long body in a file, for a start without network: what came,
 * and what the provider calls that version. Another thread writes it, as a disk
 * may take its time. Whatever is wrong with the file is found when it is read.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_COPY_FILE_H
#define FXWIRE_RATEFETCHER_PROVIDERS_COPY_FILE_H

#include <stdint.h>

#include "common/attributes.h"
#include "common/span.h"

/* A longer text of a header is not kept. */
enum { COPY_TEXT_BYTES = 256, COPY_HASH_SIZE = 65 };

/* How a provider names what it sent; "": it does not. */
struct copy_version {
    char etag[COPY_TEXT_BYTES];    /* ETag */
    char changed[COPY_TEXT_BYTES]; /* Last-Modified */
};

/* In the place of an address, which may hold a secret: its SHA-256. */
void copy_hash(const char *address,
               char out[static COPY_HASH_SIZE]) NONNULL_ALL;

struct copy {
    char *text; /* of the file; the caller frees it */
    struct span body;
    struct copy_version version;
    int64_t confirmed_ms; /* Unix time: when it was had, or found to be good */
};

/*
 * Reads the file; `hash`: of the address that it is to come from. Gives what is
 * wrong with it, as a constant, or NULL if all is well; "" if there is none.
 */
MUST_CHECK const char *copy_read(const char *path, const char *hash,
                                 struct copy *out) NONNULL_ALL;

/* Its content was found to be good once more, now. */
void copy_confirm(const char *path) NONNULL_ALL;

struct copy_writer;

/*
 * Begins to write the file, in the place of the one that is there once it is
 * whole. All is copied. NULL and errno: it can not be begun.
 */
MUST_CHECK struct copy_writer *copy_write(const char *path, const char *hash,
                                          const struct copy_version *version,
                                          struct span body) NONNULL_ALL;

/* Readable when it is written, or can not be. */
int copy_writer_fd(const struct copy_writer *writer) NONNULL_ALL;

/* Lets go of it, at any time; 0, or the number of the error that it met. */
int copy_writer_end(struct copy_writer **writer) NONNULL_ALL;

#endif
