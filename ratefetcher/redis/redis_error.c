#include "ratefetcher/redis/redis_error.h"

#include <string.h>

void redis_error_code(const redisReply *reply,
                      char out[static REDIS_CODE_SIZE]) {
    size_t len = 0;
    if (reply->type == REDIS_REPLY_ERROR)
        while (len < REDIS_CODE_SIZE - 1 && reply->str[len] >= 'A' &&
               reply->str[len] <= 'Z')
            len++;
    if (len > 0)
        memcpy(out, reply->str, len);
    out[len] = '\0';
}

bool redis_error_is_of_role(const char *code) {
    return strcmp(code, "READONLY") == 0 || strcmp(code, "MASTERDOWN") == 0 ||
           strcmp(code, "LOADING") == 0;
}
