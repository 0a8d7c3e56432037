/*
 * Where the kernel tells how much memory the control group of this process may
 * use, see cgroups(7), and what is written there; both versions. Pure.
 */
#ifndef FXWIRE_SUPERVISOR_MEMORY_GROUP_H
#define FXWIRE_SUPERVISOR_MEMORY_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"

enum { MEMORY_GROUP_PATH_SIZE = 1024 };

struct memory_group {
    bool second;                         /* it is of version 2 */
    char folder[MEMORY_GROUP_PATH_SIZE]; /* of the group's files */
    size_t top_len; /* of that, where the outermost group's folder ends */
};

/*
 * Finds it in the texts of /proc/self/mountinfo and /proc/self/cgroup. False:
 * there is none.
 */
MUST_CHECK bool memory_group_find(const char *mounts, const char *groups,
                                  struct memory_group *group) NONNULL_ALL;

/* Goes to the group around it; false: that was the outermost. */
MUST_CHECK bool memory_group_go_up(struct memory_group *group) NONNULL_ALL;

/*
 * The number behind the name at the begin of a line; `name` "": all of the text
 * is the number. False: there is none.
 */
MUST_CHECK bool memory_group_number(const char *text, const char *name,
                                    uint64_t *number) NONNULL_ALL;

#endif
