/*
 * The processes that this one started: who has died is told by SIGCHLD, which
 * every kernel and every container allows. All children are waited for, also
 * those that nobody here started: as process 1 one inherits orphans.
 */
#ifndef FXWIRE_SUPERVISOR_CHILDREN_H
#define FXWIRE_SUPERVISOR_CHILDREN_H

#include <event2/event.h>
#include <signal.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "common/attributes.h"

struct children;

/* Where its starter waits for the death of a child; all zeros: for none. */
struct child_watch {
    LIST_ENTRY(child_watch) entry;
    pid_t pid;
    /* Called while the dead child is not yet waited for: its pid, and its
     * process group's, are still its own. The watch is over then. */
    void (*died)(void *arg, const siginfo_t *death);
    void *arg;
};

MUST_CHECK struct children *children_new(struct event_base *base) NONNULL_ALL;
void children_free(struct children **children) NONNULL_ALL;

/* To be called with a child's pid in the turn of the loop that started it. */
void children_watch(struct children *children, struct child_watch *watch,
                    pid_t pid, void (*died)(void *arg, const siginfo_t *death),
                    void *arg) NONNULL(1, 2, 4);

/* Its death will not be told any more; nothing if there is no watch. */
void children_forget(struct child_watch *watch) NONNULL_ALL;

#endif
