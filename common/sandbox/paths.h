/* Which files and ports the settings of a helper speak of. */
#ifndef FXWIRE_COMMON_SANDBOX_PATHS_H
#define FXWIRE_COMMON_SANDBOX_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/attributes.h"
#include "common/settings/settings.h"

enum { PATHS_MAX = 48, PATHS_MAX_PORTS = 48 };

/* A file, or a folder with all that is in it. */
struct path_rule {
    char *path;
    char *plain; /* without links; NULL: nothing is there */
    bool writable;
    dev_t device; /* of what had that name at first; */
    ino_t inode;  /* 0: nothing had */
};

struct paths {
    struct path_rule rules[PATHS_MAX];
    size_t count;
    uint16_t connect[PATHS_MAX_PORTS]; /* ports of TCP */
    size_t connect_count;
    bool connect_anywhere; /* the ports do not count */
    uint16_t listen;       /* 0: at none */
};

/*
 * Enters what `who` needs. Folders that it writes to are made if they are not
 * there: the kernel lets into what is there, not into a name.
 */
void paths_init(struct paths *paths, enum settings_reader who,
                const struct settings *settings) NONNULL_ALL;

/*
 * Whether a file of this name, without links, is one of those, or in one of
 * the folders. Allocates nothing.
 */
bool paths_allow(const struct paths *paths, const char *path,
                 bool write) NONNULL_ALL;

/* Whether a name leads to another file than at first, or a folder that can be
 * written is gone. */
bool paths_changed(const struct paths *paths) NONNULL_ALL;

#endif
