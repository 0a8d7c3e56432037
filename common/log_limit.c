#include "common/log_limit.h"

bool log_limit_take(struct log_limit *limit, monotime now) {
    const int64_t most = LOG_LIMIT_LINES * LOG_LIMIT_EACH.usec;
    monotime paid = limit->paid_until;
    paid = monotime_reached(now, paid) ? now : paid;
    paid = monotime_add(paid, LOG_LIMIT_EACH);
    if (monotime_between(now, paid).usec <= most) {
        limit->paid_until = paid;
        return true;
    }
    if (limit->more++ == 0)
        limit->since = now;
    return false;
}

uint64_t log_limit_due(struct log_limit *limit, monotime now) {
    if (!monotime_reached(now, monotime_add(limit->since, LOG_LIMIT_PERIOD)))
        return 0;
    uint64_t more = limit->more;
    limit->more = 0;
    return more;
}
