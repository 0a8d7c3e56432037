#include "common/sandbox/listener.h"

#include <errno.h>
#include <pthread.h>
#include <seccomp.h>
#include <semaphore.h>
#include <signal.h>

#include "common/log.h"
#include "common/sandbox/calls.h"
#include "common/sandbox/judge.h"

static struct {
    const struct paths *paths;
    int fd;
    sem_t given;
} listener;

/*
 * The thread that made the call waits, perhaps with a lock of malloc()'s: what
 * is done here must need none.
 */
static void look_at(const struct seccomp_data *call) {
    static char detail[JUDGE_DETAIL_SIZE];
    const char *name = calls_name(call->nr);
    detail[0] = '\0';
    if (calls_is_judged(call->nr) &&
        judge_allows(listener.paths, name, call, detail))
        return;
    log_warn(EVENT_SANDBOX_WOULD_REFUSE,
             LOG_FIELDS(log_text("call", name), log_int("number", call->nr),
                        log_text("what", detail[0] != '\0' ? detail : NULL)));
}

static void let_go_on(const struct seccomp_notif *asked,
                      struct seccomp_notif_resp *answer) {
    *answer = (struct seccomp_notif_resp){
        .id = asked->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    (void)seccomp_notify_respond(listener.fd, answer);
}

static void *listen_to_kernel(void *arg) {
    (void)arg;
    struct seccomp_notif *asked;
    struct seccomp_notif_resp *answer;
    while (sem_wait(&listener.given) < 0)
        ;
    if (listener.fd < 0 || seccomp_notify_alloc(&asked, &answer) < 0)
        return NULL;
    for (;;) {
        memset(asked, 0, sizeof *asked); /* else it is refused */
        if (seccomp_notify_receive(listener.fd, asked) == 0) {
            look_at(&asked->data);
            let_go_on(asked, answer);
        } else if (errno != EINTR && errno != ENOENT) {
            break;
        }
    }
    seccomp_notify_free(asked, answer);
    return NULL;
}

/* Signals are for the others, which look for them. */
int listener_start(const struct paths *paths) {
    pthread_t thread;
    sigset_t all, before;
    listener.paths = paths;
    sem_init(&listener.given, 0, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&thread, NULL, listen_to_kernel, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return errno == 0 ? pthread_detach(thread) : -1;
}

void listener_take(int notify_fd) {
    listener.fd = notify_fd;
    sem_post(&listener.given);
}
