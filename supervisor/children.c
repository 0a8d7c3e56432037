#include "supervisor/children.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "common/loop.h"
#include "common/memory.h"

struct children {
    struct event *event;
    LIST_HEAD(, child_watch) watches;
};

static struct child_watch *find(struct children *children, pid_t pid) {
    struct child_watch *watch;
    LIST_FOREACH (watch, &children->watches, entry)
        if (watch->pid == pid)
            return watch;
    return NULL;
}

/* One signal may stand for several deaths. */
static void on_signal(evutil_socket_t number, short what, void *arg) {
    (void)number, (void)what;
    struct children *children = arg;
    siginfo_t death = {.si_pid = 0};
    while (waitid(P_ALL, 0, &death, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           death.si_pid != 0) {
        pid_t pid = death.si_pid;
        struct child_watch *watch = find(children, pid);
        if (watch != NULL) {
            children_forget(watch);
            watch->died(watch->arg, &death);
        }
        (void)waitid(P_PID, (id_t)pid, &death, WEXITED | WNOHANG);
        death.si_pid = 0;
    }
}

struct children *children_new(struct event_base *base) {
    struct children *children = memory_new(sizeof *children);
    LIST_INIT(&children->watches);
    children->event =
        loop_watch(base, SIGCHLD, EV_SIGNAL | EV_PERSIST, on_signal, children);
    return children;
}

void children_free(struct children **children) {
    event_free((*children)->event);
    free(*children);
    *children = NULL;
}

void children_watch(struct children *children, struct child_watch *watch,
                    pid_t pid, void (*died)(void *arg, const siginfo_t *death),
                    void *arg) {
    *watch = (struct child_watch){.pid = pid, .died = died, .arg = arg};
    LIST_INSERT_HEAD(&children->watches, watch, entry);
}

void children_forget(struct child_watch *watch) {
    if (watch->pid == 0)
        return;
    LIST_REMOVE(watch, entry);
    watch->pid = 0;
}
