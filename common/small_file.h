/* Files that are read whole: settings, secrets, certificates. */
#ifndef FXWIRE_COMMON_SMALL_FILE_H
#define FXWIRE_COMMON_SMALL_FILE_H

#include <stddef.h>

/*
 * The bytes of the file with a NUL behind them; the caller frees them. NULL
 * and errno: it can not be read, or is larger than 1 MiB.
 */
char *small_file_read(const char *path, size_t *len);

#endif
