#include "common/claim.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/memory.h"

enum { BACKLOG = 128, RETRY_NSEC = 50 * 1000 * 1000 };

struct address {
    struct sockaddr_un name;
    socklen_t len;
};

/* FNV-1a, for names that may be longer than an address. */
static uint64_t hash_of(const char *text) {
    uint64_t hash = 0xcbf29ce484222325;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    return hash;
}

/* False and errno: the folder above can not be seen. */
static bool make_address(const char *dir, const char *name,
                         struct address *out) {
    struct stat above;
    char *parent = memory_copy(dir, strlen(dir));
    char *last = memory_copy(dir, strlen(dir));
    bool known = stat(dirname(parent), &above) == 0;
    uint64_t hash = hash_of(basename(last));
    free(parent);
    free(last);
    if (!known)
        return false;
    *out = (struct address){.name = {.sun_family = AF_UNIX}};
    char *text = out->name.sun_path + 1; /* behind the NUL: it is abstract */
    int len = snprintf(text, sizeof out->name.sun_path - 1,
                       "fxwire-%u-%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%s",
                       (unsigned)geteuid(), (uint64_t)above.st_dev,
                       (uint64_t)above.st_ino, hash, name);
    out->len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    if (out->len <= sizeof out->name)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

static int new_socket(void) {
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int close_and_fail(int fd, int error) {
    close(fd);
    errno = error;
    return -1;
}

static int bind_to(const struct address *address) {
    int fd = new_socket();
    if (fd < 0)
        return -1;
    if (bind(fd, (const struct sockaddr *)&address->name, address->len) < 0 ||
        listen(fd, BACKLOG) < 0)
        return close_and_fail(fd, errno);
    return fd;
}

/*
 * EADDRINUSE: the holder is of this user, or root's. Anybody can take such a
 * name, but nobody can be kept from starting by that: else it is EPERM.
 */
static int fault_of_holder(const struct address *address) {
    struct ucred holder;
    socklen_t len = sizeof holder;
    int fd = new_socket();
    if (fd < 0)
        return errno;
    bool reached =
        connect(fd, (const struct sockaddr *)&address->name, address->len) == 0;
    bool busy = !reached && errno == EAGAIN; /* asked often just now */
    bool ours = reached &&
                getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &holder, &len) == 0 &&
                (holder.uid == geteuid() || holder.uid == 0);
    close(fd);
    return ours || busy ? EADDRINUSE : EPERM;
}

int claim_take(const char *dir, const char *name, duration patience) {
    static const struct timespec pause = {.tv_nsec = RETRY_NSEC};
    monotime end = monotime_add(clock_monotonic(), patience);
    struct address address;
    if (!make_address(dir, name, &address))
        return -1;
    for (;;) {
        int fd = bind_to(&address);
        if (fd >= 0 || errno != EADDRINUSE)
            return fd;
        errno = fault_of_holder(&address);
        if (monotime_reached(clock_monotonic(), end))
            return -1;
        nanosleep(&pause, NULL);
    }
}

/* Those who asked for it, see fault_of_holder(). */
static void dismiss_callers(int fd) {
    int caller;
    while ((caller = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        close(caller);
}

void claim_renew(int *fd, const char *dir, const char *name) {
    struct address wanted, held = {.len = sizeof held.name};
    if (*fd >= 0)
        dismiss_callers(*fd);
    if (!make_address(dir, name, &wanted))
        return;
    if (*fd >= 0 &&
        getsockname(*fd, (struct sockaddr *)&held.name, &held.len) == 0 &&
        held.len == wanted.len &&
        memcmp(&held.name, &wanted.name, held.len) == 0)
        return;
    int other = bind_to(&wanted);
    if (other < 0)
        return;
    if (*fd >= 0)
        close(*fd);
    *fd = other;
}
