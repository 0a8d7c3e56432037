/*
 * Claims to what is in the runtime folder, beside the locks on its files: one
 * that holds whatever is removed there. It is two abstract Unix sockets, named
 * by user and by what is claimed, so nothing of it is in a file system; it ends
 * with its holder. The folder is known by the one that it stands in (it may be
 * made anew, and be reached by several paths), and by its path, as that one may
 * be removed, too. A path says nothing in another mount namespace, such as a
 * container that shares the network.
 */
#ifndef FXWIRE_COMMON_CLAIM_H
#define FXWIRE_COMMON_CLAIM_H

#include "common/attributes.h"
#include "common/clock.h"

enum { CLAIM_SOCKETS = 2 };

struct claim {
    int fds[CLAIM_SOCKETS]; /* listening; -1: none */
};

#define CLAIM_NONE ((struct claim){{-1, -1}})

/*
 * Claims `name` in `dir`, for which it waits at most `patience`. The folder,
 * and the one above, need not be there. 0: it is held, until claim_release();
 * -1 and errno: EADDRINUSE, another process of this user or root's has it; else
 * no claim can be made here, as where another user took the names, and the lock
 * on the file has to do.
 */
MUST_CHECK int claim_take(struct claim *claim, const char *dir,
                          const char *name, duration patience) NONNULL_ALL;

/*
 * To be called each second or so by the holder (also of none): the folder above
 * may be another one now.
 */
void claim_renew(struct claim *claim, const char *dir,
                 const char *name) NONNULL_ALL;

void claim_release(struct claim *claim) NONNULL_ALL;

#endif
