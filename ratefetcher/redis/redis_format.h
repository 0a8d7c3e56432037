/* What fxwire keeps in Redis: keys, values, locks. Pure. */
#ifndef FXWIRE_RATEFETCHER_REDIS_REDIS_FORMAT_H
#define FXWIRE_RATEFETCHER_REDIS_REDIS_FORMAT_H

#include "common/attributes.h"
#include "common/rates/rates.h"

enum {
    REDIS_KEY_SIZE = 96,
    /* A longer value is none of ours: see CHANNEL_MAX_LINE_BYTES. */
    REDIS_MAX_VALUE_BYTES = 256 * 1024,
    /* The clock of who wrote it may be so much ahead of ours. */
    REDIS_CLOCK_SKEW_MS = 5000,
};

/* `fxwire:rates:PROVIDER:YYYY-MM-DD`, or `latest` for the day. */
void redis_rates_key(const char *provider, day when,
                     char out[static REDIS_KEY_SIZE]);

/* `fxwire:lock:YYYY-MM-DD`: held by the machine that fetches that day. */
void redis_lock_key(day when, char out[static REDIS_KEY_SIZE]);

/* What a value must say to be used. */
struct redis_value_bounds {
    const char *provider, *base;
    day when;                /* or RATES_LATEST */
    int64_t latest_max_days; /* so old may a latest table be */
    int64_t now_ms;
    int64_t ttl_ms;
};

struct redis_value {
    struct rates *rates; /* the caller holds a reference */
    int64_t age_ms;      /* since it was fetched */
    size_t left_out;     /* rates that are none */
    bool expired;        /* that, and nothing else, is wrong with it */
};

/*
 * Reads and checks a value that somebody may have changed. Gives what is wrong
 * with it, as a constant, or NULL if all is well.
 */
const char *redis_value_read(struct span text,
                             const struct redis_value_bounds *bounds,
                             struct redis_value *out);

/* How long a table then stays fresh, in milliseconds, at least a second. */
int64_t redis_left_ms(const struct rates *rates, int64_t ttl_ms,
                      int64_t now_ms);

/* What is known of a lock after an attempt to take it. */
enum redis_lock {
    REDIS_LOCK_OURS,   /* taken, or left by a predecessor that has died */
    REDIS_LOCK_OTHERS, /* another machine has it */
    REDIS_LOCK_UNKNOWN /* Redis did not tell: go on without it */
};

/*
 * Out of what came of SET NX (told: an answer and no error, taken: it was set)
 * and whether the holder that was then read is ourselves.
 */
enum redis_lock redis_lock_decide(bool told, bool taken, bool is_ours);

#endif
