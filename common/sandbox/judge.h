/*
 * SANDBOX=log: what Landlock would say of a call. Landlock itself can only
 * refuse.
 */
#ifndef FXWIRE_COMMON_SANDBOX_JUDGE_H
#define FXWIRE_COMMON_SANDBOX_JUDGE_H

#include <limits.h>
#include <linux/seccomp.h>
#include <stdbool.h>

#include "common/attributes.h"
#include "common/sandbox/paths.h"

enum { JUDGE_DETAIL_SIZE = PATH_MAX + 32 };

/* Whether a call of this name opens or changes a file, or a port. */
bool judge_knows(const char *call) NONNULL_ALL;

/*
 * Whether this call, which another thread of this process makes, is about what
 * `paths` lets it into; else `detail` is what it is about. Allocates nothing.
 * `call` is a name that judge_knows().
 */
bool judge_allows(const struct paths *paths, const char *call,
                  const struct seccomp_data *data,
                  char detail[static JUDGE_DETAIL_SIZE]) NONNULL_ALL;

#endif
