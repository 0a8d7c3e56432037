/*
 * Files and folders that are ours: small files that are read whole (settings,
 * secrets, certificates), folders for what is kept, and which boot of the
 * machine this is, for what is kept may end with it.
 */
#ifndef FXWIRE_COMMON_FILES_H
#define FXWIRE_COMMON_FILES_H

#include <stddef.h>

#include "common/attributes.h"

/*
 * The bytes of the file with a NUL behind them; the caller frees them. NULL
 * and errno: it can not be read, or is larger than 1 MiB.
 */
MUST_CHECK char *files_read(const char *path, size_t *len) NONNULL_ALL;

/*
 * Makes the folder (mode 0700) and those above it that are missing. -1 and
 * errno: it is not there then, or can not be written to.
 */
MUST_CHECK int files_make_folder(const char *path) NONNULL_ALL;

/* Whether files_make_folder() may succeed, as far as one can tell without
 * trying; 0, or -1 and errno. */
MUST_CHECK int files_check_folder(const char *path) NONNULL_ALL;

/*
 * Gives the file the present time, once an hour: what cleaners of temporary
 * folders go by.
 */
void files_freshen(const char *path) NONNULL_ALL;

enum { BOOT_ID_SIZE = 40 };

/*
 * The kernel's id of this boot as text, see random(4); the rest is NULs. All
 * of it is if it can not be read: no descriptor is left, or there is no /proc.
 */
void files_boot_id(char out[static BOOT_ID_SIZE]);

#endif
