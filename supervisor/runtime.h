/*
 * What the supervisor has in the runtime folder: the lock that says that it is
 * taken, and the listening sockets. Cleaners of /tmp and people remove such
 * things, so they are looked at each second and made anew.
 */
#ifndef FXWIRE_SUPERVISOR_RUNTIME_H
#define FXWIRE_SUPERVISOR_RUNTIME_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/attributes.h"
#include "common/claim.h"

/* The lock's name in the folder. */
#define RUNTIME_LOCK "supervisor.lock"

enum runtime_socket_name {
    RUNTIME_CONTROL,
    RUNTIME_RATES,
    RUNTIME_LOGS,
    RUNTIME_SOCKETS
};

struct runtime_socket {
    int fd; /* listening; -1: none */
    dev_t device;
    ino_t inode;  /* of its name in the folder */
    bool changed; /* by the last runtime_look() */
};

struct runtime {
    char *dir;
    struct claim claim;
    int folder_fd, lock_fd; /* -1: none */
    struct runtime_socket sockets[RUNTIME_SOCKETS];
};

/*
 * Whether another supervisor has this folder, which is told on standard error.
 * The folder, and those above, may have been removed a moment ago.
 */
MUST_CHECK bool runtime_is_taken(const char *dir) NONNULL_ALL;

/*
 * Makes the folder where it is missing, claims it, and listens in it; gives
 * EX_OK, or an exit code after telling standard error why. To be closed in any
 * case. `dir` is copied.
 */
MUST_CHECK int runtime_open(struct runtime *runtime,
                            const char *dir) NONNULL_ALL;

/* Stops listening and removes the sockets; lets go of the folder at last. */
void runtime_close(struct runtime *runtime) NONNULL_ALL;

/*
 * Looks whether all is still there, and makes anew what is not. Gives the names
 * of what was missing, or NULL; the caller frees it. `*fault` is why something
 * can still not be made, or NULL; the caller frees it, too.
 */
MUST_CHECK char *runtime_look(struct runtime *runtime,
                              char **fault) NONNULL_ALL;

#endif
