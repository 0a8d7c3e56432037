/*
 * Claims to what is in the runtime folder, beside the locks on its files: one
 * that holds whatever is removed there. It is an abstract Unix socket, named by
 * user, folder and what is claimed, so nothing of it is in a file system; it
 * ends with its holder. The folder is known by the one that it stands in: it
 * may be made anew, and containers that share a network have others.
 */
#ifndef FXWIRE_COMMON_CLAIM_H
#define FXWIRE_COMMON_CLAIM_H

#include "common/attributes.h"
#include "common/clock.h"

/*
 * Claims `name` in `dir`, for which it waits at most `patience`. Gives a
 * descriptor (close-on-exec) that holds it; -1 and errno: EADDRINUSE, another
 * process of this user or root's has it; else no claim can be made here, as
 * where another user took the name, and the lock on the file has to do.
 */
MUST_CHECK int claim_take(const char *dir, const char *name,
                          duration patience) NONNULL_ALL;

/*
 * To be called each second or so by the holder of `*fd` (-1: there is none):
 * the folder above may be another one now.
 */
void claim_renew(int *fd, const char *dir, const char *name) NONNULL_ALL;

#endif
