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

/* False and errno: it is too long. */
static bool put_address(struct address *out, const uint64_t place[static 3],
                        const char *name) {
    *out = (struct address){.name = {.sun_family = AF_UNIX}};
    char *text = out->name.sun_path + 1; /* behind the NUL: it is abstract */
    int len = snprintf(text, sizeof out->name.sun_path - 1,
                       "fxwire-%u-%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%s",
                       (unsigned)geteuid(), place[0], place[1], place[2], name);
    out->len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    if (out->len <= sizeof out->name)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

/* Of the folder by the one that it stands in. False and errno: not known. */
static bool address_by_folder(const char *dir, const char *name,
                              struct address *out) {
    struct stat above;
    char *parent = memory_copy(dir, strlen(dir));
    char *last = memory_copy(dir, strlen(dir));
    bool known = stat(dirname(parent), &above) == 0;
    uint64_t place[] = {above.st_dev, above.st_ino, hash_of(basename(last))};
    free(parent);
    free(last);
    return known && put_address(out, place, name);
}

/* Those that stand before another one or at the end. */
static void drop_slashes(char *path) {
    char *to = path;
    for (const char *from = path; *from != '\0'; from++)
        if (*from != '/' || (from[1] != '/' && from[1] != '\0'))
            *to++ = *from;
    *to = '\0';
}

/* Without links, as far as the path is there now. free() it. */
static char *plain_path(const char *dir) {
    char *there = memory_copy(dir, strlen(dir)), *real;
    size_t len = strlen(there);
    while ((real = realpath(there, NULL)) == NULL && len > 0) {
        while (len > 0 && there[len - 1] == '/')
            len--;
        while (len > 0 && there[len - 1] != '/')
            len--;
        there[len] = '\0';
    }
    char *plain = memory_print("%s/%s", real != NULL ? real : "", dir + len);
    free(real);
    free(there);
    drop_slashes(plain);
    return plain;
}

/* Of the folder by its path, in this mount namespace and below this root. */
static bool address_by_path(const char *dir, const char *name,
                            struct address *out) {
    struct stat namespace, root;
    if (stat("/proc/self/ns/mnt", &namespace) < 0 || stat("/", &root) < 0)
        return false;
    char *path = plain_path(dir);
    const uint64_t place[] = {namespace.st_ino,
                              root.st_ino ^ (uint64_t)root.st_dev << 32,
                              hash_of(path)};
    free(path);
    return put_address(out, place, name);
}

static bool (*const address_of[CLAIM_SOCKETS])(const char *dir,
                                               const char *name,
                                               struct address *out) = {
    address_by_folder, address_by_path};

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

/* Claims as far as it can; EADDRINUSE of any counts before other errors. */
static int try_all(struct claim *claim, const char *dir, const char *name) {
    int error = 0;
    bool held = false;
    for (int i = 0; i < CLAIM_SOCKETS && error != EADDRINUSE; i++) {
        struct address address;
        bool known = address_of[i](dir, name, &address);
        claim->fds[i] = known ? bind_to(&address) : -1;
        held = held || claim->fds[i] >= 0;
        if (claim->fds[i] < 0)
            error = known && errno == EADDRINUSE ? fault_of_holder(&address)
                                                 : errno;
    }
    if (held && error != EADDRINUSE)
        return 0;
    claim_release(claim);
    errno = error;
    return -1;
}

int claim_take(struct claim *claim, const char *dir, const char *name,
               duration patience) {
    static const struct timespec pause = {.tv_nsec = RETRY_NSEC};
    monotime end = monotime_add(clock_monotonic(), patience);
    *claim = CLAIM_NONE;
    while (try_all(claim, dir, name) < 0) {
        if (errno != EADDRINUSE || monotime_reached(clock_monotonic(), end))
            return -1;
        nanosleep(&pause, NULL);
    }
    return 0;
}

/* Those who asked for it, see fault_of_holder(). */
static void dismiss_callers(int fd) {
    int caller;
    while ((caller = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        close(caller);
}

/* What is held is given up only for what can be had. */
static void renew_one(int *fd, const struct address *wanted) {
    struct address held = {.len = sizeof held.name};
    if (*fd >= 0 &&
        getsockname(*fd, (struct sockaddr *)&held.name, &held.len) == 0 &&
        held.len == wanted->len &&
        memcmp(&held.name, &wanted->name, held.len) == 0)
        return;
    int other = bind_to(wanted);
    if (other < 0)
        return;
    if (*fd >= 0)
        close(*fd);
    *fd = other;
}

void claim_renew(struct claim *claim, const char *dir, const char *name) {
    for (int i = 0; i < CLAIM_SOCKETS; i++) {
        struct address wanted;
        if (claim->fds[i] >= 0)
            dismiss_callers(claim->fds[i]);
        if (address_of[i](dir, name, &wanted))
            renew_one(&claim->fds[i], &wanted);
    }
}

void claim_release(struct claim *claim) {
    for (int i = 0; i < CLAIM_SOCKETS; i++)
        if (claim->fds[i] >= 0)
            close(claim->fds[i]);
    *claim = CLAIM_NONE;
}
