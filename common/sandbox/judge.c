#include "common/sandbox/judge.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { NO_FOLDER = -1, WRITES = -1 };

/* At which places of a call its folder, its path and its flags are. */
static const struct {
    const char *call;
    int folder; /* NO_FOLDER: the working directory */
    int path;
    int flags; /* WRITES: it has none, and changes something */
} of_files[] = {
    {"open", NO_FOLDER, 0, 1},        {"openat", 0, 1, 2},
    {"mkdir", NO_FOLDER, 0, WRITES},  {"mkdirat", 0, 1, WRITES},
    {"rename", NO_FOLDER, 0, WRITES}, {"renameat", 0, 1, WRITES},
    {"renameat2", 0, 1, WRITES},      {"unlink", NO_FOLDER, 0, WRITES},
    {"unlinkat", 0, 1, WRITES},
};

static int place_of(const char *call) {
    for (size_t i = 0; i < sizeof of_files / sizeof *of_files; i++)
        if (strcmp(of_files[i].call, call) == 0)
            return (int)i;
    return -1;
}

bool judge_knows(const char *call) {
    return place_of(call) >= 0 || strcmp(call, "connect") == 0 ||
           strcmp(call, "bind") == 0;
}

/* Without links; of what is not there, its folder. */
static bool plain_path(int folder, const char *path, char out[PATH_MAX]) {
    char named[PATH_MAX + 32];
    int len = path[0] == '/' || folder == AT_FDCWD
                  ? snprintf(named, sizeof named, "%s", path)
                  : snprintf(named, sizeof named, "/proc/self/fd/%d/%s", folder,
                             path);
    if (len >= (int)sizeof named)
        return false;
    if (realpath(named, out) != NULL)
        return true;
    char *slash = strrchr(named, '/');
    if (slash == NULL)
        return realpath(".", out) != NULL;
    slash[slash == named] = '\0';
    return realpath(named, out) != NULL;
}

static bool allows_file(const struct paths *paths, int place,
                        const struct seccomp_data *data, char *detail) {
    int folder = of_files[place].folder == NO_FOLDER
                     ? AT_FDCWD
                     : (int)data->args[of_files[place].folder];
    const char *path =
        (const char *)(uintptr_t)data->args[of_files[place].path];
    bool writes = of_files[place].flags == WRITES ||
                  (data->args[of_files[place].flags] &
                   (O_ACCMODE | O_CREAT | O_TRUNC)) != O_RDONLY;
    char plain[PATH_MAX];
    if (path == NULL || !plain_path(folder, path, plain))
        return true; /* it fails in any case */
    snprintf(detail, JUDGE_DETAIL_SIZE, "%s%s", writes ? "write " : "", path);
    return paths_allow(paths, plain, writes);
}

static uint16_t port_of(const struct sockaddr *address) {
    return address->sa_family == AF_INET
               ? ntohs(((const struct sockaddr_in *)address)->sin_port)
           : address->sa_family == AF_INET6
               ? ntohs(((const struct sockaddr_in6 *)address)->sin6_port)
               : 0;
}

/* Of TCP alone: that is what Landlock knows. */
static bool allows_port(const struct paths *paths, const char *call,
                        const struct seccomp_data *data, char *detail) {
    const struct sockaddr *address =
        (const struct sockaddr *)(uintptr_t)data->args[1];
    int type = 0;
    socklen_t len = sizeof type;
    if (address == NULL ||
        getsockopt((int)data->args[0], SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
        type != SOCK_STREAM ||
        (address->sa_family != AF_INET && address->sa_family != AF_INET6))
        return true;
    uint16_t port = port_of(address);
    snprintf(detail, JUDGE_DETAIL_SIZE, "port %u", port);
    if (strcmp(call, "bind") == 0)
        return port == paths->listen && port != 0;
    if (paths->connect_anywhere)
        return true;
    for (size_t i = 0; i < paths->connect_count; i++)
        if (paths->connect[i] == port)
            return true;
    return false;
}

bool judge_allows(const struct paths *paths, const char *call,
                  const struct seccomp_data *data,
                  char detail[static JUDGE_DETAIL_SIZE]) {
    int place = place_of(call);
    return place >= 0 ? allows_file(paths, place, data, detail)
                      : allows_port(paths, call, data, detail);
}
