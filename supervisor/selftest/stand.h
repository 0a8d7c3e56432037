/* What a self-test needs around it: a folder, rates, and the stand-ins. */
#ifndef FXWIRE_SUPERVISOR_SELFTEST_STAND_H
#define FXWIRE_SUPERVISOR_SELFTEST_STAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/attributes.h"
#include "common/settings/settings.h"

enum stand_program {
    STAND_PROVIDER,
    STAND_UPSTREAM,
    STAND_REDIS,
    STAND_SERVICE
};
enum { STAND_PROGRAMS = STAND_SERVICE + 1 };

struct stand {
    char *folder;
    struct settings *settings;  /* the service's */
    char **environment;         /* likewise */
    pid_t pid[STAND_PROGRAMS];  /* 0: does not run */
    int orders[STAND_PROGRAMS]; /* where a stand-in takes its faults from */
    int upstream_out;           /* what the upstream prints */
    bool has_redis;
    int service_code; /* with which it ended, or 128 and the signal's number */
};

/*
 * Makes a folder of its own and starts all in it, the upstream to ask for
 * `seconds` and with `with_redis` a Redis if there is one in PATH. False after
 * saying on standard error why not; stand_end() is to be called in either case.
 */
MUST_CHECK bool stand_begin(struct stand *s, double seconds,
                            bool with_redis) NONNULL_ALL;

/* Starts one that does not run. */
void stand_start(struct stand *s, enum stand_program program) NONNULL_ALL;

/* Brings Redis back where it was stopped or killed. */
void stand_revive_redis(struct stand *s) NONNULL_ALL;

/* Gives a line to a stand-in. */
void stand_order(struct stand *s, enum stand_program program,
                 const char *line) NONNULL_ALL;

/* Whether the service has ended by itself; it then counts as not running. */
bool stand_service_ended(struct stand *s) NONNULL_ALL;

/* Asks the service to stop, and waits; its exit code, -1 if it had to be
 * killed. */
int stand_stop_service(struct stand *s) NONNULL_ALL;

/* Ends all that runs, and removes the folder unless it is to be looked at. */
void stand_end(struct stand *s, bool keep) NONNULL_ALL;

#endif
