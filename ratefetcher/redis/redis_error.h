/* What an error reply of Redis means. Pure. */
#ifndef FXWIRE_RATEFETCHER_REDIS_REDIS_ERROR_H
#define FXWIRE_RATEFETCHER_REDIS_REDIS_ERROR_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "common/attributes.h"

enum { REDIS_CODE_SIZE = 32 };

/* The first word of an error reply (`OOM`), "" of another; written to `out`. */
void redis_error_code(const redisReply *reply,
                      char out[static REDIS_CODE_SIZE]) NONNULL_ALL;

/*
 * Whether an error is of a server whose role is not that of a master which is
 * ready: it may pass by itself.
 */
bool redis_error_is_of_role(const char *code) NONNULL_ALL;

#endif
