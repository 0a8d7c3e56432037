#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool listen_split(const char *where, char *host, size_t size,
                         const char **port) {
    const char *colon = strrchr(where, ':');
    if (!colon || colon[1] == '\0')
        return false;
    size_t len = (size_t)(colon - where);
    if (len >= 2 && where[0] == '[' && where[len - 1] == ']') {
        where++;
        len -= 2;
    }
    if (len == 0 || len >= size)
        return false;
    memcpy(host, where, len);
    host[len] = '\0';
    *port = colon + 1;
    return true;
}

static int listen_bind(const struct addrinfo *at) {
    int on = 1;
    int type = at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(at->ai_family, type, at->ai_protocol);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, 16) == 0)
        return fd;
    close(fd);
    return -1;
}

int listen_open(const char *where) {
    char host[256];
    const char *port;
    if (!listen_split(where, host, sizeof host, &port)) {
        fprintf(stderr, "%s: %s: not HOST:PORT\n",
                program_invocation_short_name, where);
        return -1;
    }
    struct addrinfo want = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found;
    int error = getaddrinfo(host, port, &want, &found);
    if (error) {
        fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, where,
                gai_strerror(error));
        return -1;
    }
    int fd = listen_bind(found);
    if (fd < 0)
        perror(where);
    freeaddrinfo(found);
    return fd;
}

void listen_name(int fd, char *host, size_t host_size, char *port,
                 size_t port_size) {
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    host[0] = port[0] = '\0';
    if (getsockname(fd, (struct sockaddr *)&at, &len) == 0)
        getnameinfo((struct sockaddr *)&at, len, host, (socklen_t)host_size,
                    port, (socklen_t)port_size,
                    NI_NUMERICHOST | NI_NUMERICSERV);
}

int listen_accept(int fd) {
    return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int listen_note(const char *path, const char *port) {
    char temp[4096];
    int n = snprintf(temp, sizeof temp, "%s.%ld.tmp", path, (long)getpid());
    FILE *f = n < (int)sizeof temp ? fopen(temp, "w") : NULL;
    bool good = f && fprintf(f, "%s\n", port) > 0;
    if (f && fclose(f) != 0)
        good = false;
    if (!good || rename(temp, path) != 0) {
        perror(path);
        return -1;
    }
    return 0;
}
