#include "wsclient/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/memory.h"
#include "wsclient/watch.h"

/* What the thread works on. It is the thread's until `done_fd` is readable. */
struct job {
    char *host;
    int done_fd;
    struct addresses addresses;
    int error; /* of getaddrinfo() */
};

struct resolver {
    struct lws_context *context;
    char *host;
    struct job *job; /* NULL: none runs */
    pthread_t thread;
    struct watch watch;
    struct addresses known; /* of the last good look-up */
    bool unused;            /* nobody was told of these yet */
    void (*done)(void *arg, const struct addresses *addresses,
                 const char *why); /* NULL: nobody asks */
    void *arg;
    lws_sorted_usec_list_t answer_later;
};

static void keep_address(struct addresses *addresses,
                         const struct sockaddr *address) {
    char *text = addresses->text[addresses->count];
    const void *bytes =
        address->sa_family == AF_INET6
            ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
            : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
    if (inet_ntop(address->sa_family, bytes, text, INET6_ADDRSTRLEN) != NULL)
        addresses->count++;
}

static void *look_up(void *arg) {
    struct job *job = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    job->error = getaddrinfo(job->host, NULL, &hints, &list);
    for (struct addrinfo *a = list;
         a != NULL && job->addresses.count < RESOLVER_MAX_ADDRESSES;
         a = a->ai_next)
        keep_address(&job->addresses, a->ai_addr);
    if (list != NULL)
        freeaddrinfo(list);
    eventfd_write(job->done_fd, 1);
    return NULL;
}

static void free_job(struct job *job) {
    close(job->done_fd);
    free(job->host);
    free(job);
}

static void answer(struct resolver *r, const char *why) {
    void (*done)(void *, const struct addresses *, const char *) = r->done;
    if (done == NULL)
        return;
    r->done = NULL;
    r->unused = false;
    done(r->arg, &r->known, why);
}

static void on_looked_up(void *arg) {
    struct resolver *r = arg;
    struct job *job = r->job;
    eventfd_t ignored;
    if (eventfd_read(job->done_fd, &ignored) < 0)
        return;
    pthread_join(r->thread, NULL);
    watch_stop(&r->watch);
    r->job = NULL;
    if (job->error == 0 && job->addresses.count > 0) {
        r->known = job->addresses;
        r->unused = true;
    }
    int error = job->error;
    free_job(job);
    answer(r, error != 0 ? gai_strerror(error) : "no address");
}

static bool start_job(struct resolver *r) {
    struct job *job = memory_new(sizeof *job);
    job->host = memory_copy(r->host, strlen(r->host));
    job->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (job->done_fd >= 0 && watch_start(&r->watch, r->context, job->done_fd,
                                         on_looked_up, r) == 0) {
        if (pthread_create(&r->thread, NULL, look_up, job) == 0) {
            r->job = job;
            return true;
        }
        watch_stop(&r->watch);
    }
    free_job(job);
    return false;
}

static void on_answer_later(lws_sorted_usec_list_t *later) {
    struct resolver *r = lws_container_of(later, struct resolver, answer_later);
    answer(r, "no thread can be started");
}

/* A numeric address needs no look-up. */
static void take_numeric(struct resolver *r) {
    unsigned char bytes[sizeof(struct in6_addr)];
    if (strlen(r->host) >= INET6_ADDRSTRLEN ||
        (inet_pton(AF_INET, r->host, bytes) != 1 &&
         inet_pton(AF_INET6, r->host, bytes) != 1))
        return;
    strcpy(r->known.text[0], r->host);
    r->known.count = 1;
}

struct resolver *resolver_new(struct lws_context *context, const char *host) {
    struct resolver *r = memory_new(sizeof *r);
    r->context = context;
    r->host = memory_copy(host, strlen(host));
    take_numeric(r);
    return r;
}

void resolver_free(struct resolver **resolver) {
    struct resolver *r = *resolver;
    *resolver = NULL;
    lws_sul_cancel(&r->answer_later);
    watch_stop(&r->watch);
    if (r->job != NULL)
        pthread_detach(r->thread); /* its job is the price of not waiting */
    free(r->host);
    free(r);
}

void resolver_ask(struct resolver *resolver,
                  void (*done)(void *arg, const struct addresses *addresses,
                               const char *why),
                  void *arg) {
    struct resolver *r = resolver;
    bool numeric =
        r->known.count == 1 && strcmp(r->known.text[0], r->host) == 0;
    r->done = done;
    r->arg = arg;
    if (numeric || r->unused || (r->job == NULL && !start_job(r)))
        lws_sul_schedule(r->context, 0, &r->answer_later, on_answer_later, 1);
}

void resolver_cancel(struct resolver *resolver) {
    resolver->done = NULL;
    lws_sul_cancel(&resolver->answer_later);
}
