#include "common/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/memory.h"

/*
 * The thread and its owner hold it, and whoever lets go last frees it: a
 * look-up that is left to itself leaves nothing behind. All but `holders` is
 * the thread's until the pipe is readable.
 */
struct resolve {
    atomic_int holders;
    char *host;
    int done_fds[2]; /* a pipe: not all kernels and containers have eventfd() */
    struct addresses addresses;
    int error; /* of getaddrinfo() */
};

bool resolve_numeric(const char *host, struct addresses *out) {
    unsigned char bytes[sizeof(struct in6_addr)];
    if (strlen(host) >= INET6_ADDRSTRLEN ||
        (inet_pton(AF_INET, host, bytes) != 1 &&
         inet_pton(AF_INET6, host, bytes) != 1))
        return false;
    strcpy(out->text[0], host);
    out->count = 1;
    return true;
}

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

static void let_go(struct resolve *resolve) {
    if (atomic_fetch_sub(&resolve->holders, 1) > 1)
        return;
    if (resolve->done_fds[0] >= 0) {
        close(resolve->done_fds[0]);
        close(resolve->done_fds[1]);
    }
    free(resolve->host);
    free(resolve);
}

static void *look_up(void *arg) {
    struct resolve *resolve = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    resolve->error = getaddrinfo(resolve->host, NULL, &hints, &list);
    for (struct addrinfo *a = list;
         a != NULL && resolve->addresses.count < RESOLVE_MAX_ADDRESSES;
         a = a->ai_next)
        keep_address(&resolve->addresses, a->ai_addr);
    if (list != NULL)
        freeaddrinfo(list);
    ssize_t ignored = write(resolve->done_fds[1], "", 1);
    (void)ignored; /* there is room for it */
    let_go(resolve);
    return NULL;
}

static bool start_thread(struct resolve *resolve) {
    pthread_t thread;
    if (pipe2(resolve->done_fds, O_CLOEXEC | O_NONBLOCK) < 0) {
        resolve->done_fds[0] = -1;
        return false;
    }
    atomic_init(&resolve->holders, 2);
    int error = pthread_create(&thread, NULL, look_up, resolve);
    if (error == EPERM) { /* it always will be: better late than never */
        look_up(resolve);
        return true;
    }
    if (error != 0) {
        atomic_store(&resolve->holders, 1);
        return false;
    }
    pthread_detach(thread);
    return true;
}

struct resolve *resolve_start(const char *host) {
    struct resolve *resolve = memory_new(sizeof *resolve);
    resolve->host = memory_copy(host, strlen(host));
    atomic_init(&resolve->holders, 1);
    if (start_thread(resolve))
        return resolve;
    let_go(resolve);
    return NULL;
}

int resolve_fd(const struct resolve *resolve) {
    return resolve->done_fds[0];
}

const char *resolve_take(struct resolve **resolve, struct addresses *out) {
    struct resolve *r = *resolve;
    *resolve = NULL;
    *out = r->addresses;
    const char *why = r->error != 0     ? gai_strerror(r->error)
                      : out->count == 0 ? "no address"
                                        : NULL;
    let_go(r);
    return why;
}

void resolve_abandon(struct resolve **resolve) {
    if (*resolve != NULL)
        let_go(*resolve);
    *resolve = NULL;
}
