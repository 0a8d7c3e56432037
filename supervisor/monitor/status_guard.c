#include "supervisor/monitor/status_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* Of a host without its port; longer names are none of ours. */
enum { HOST_SIZE = 256 };

/* The part before the port, without brackets; false: it is none. */
static bool read_name(const char *host, char out[static HOST_SIZE]) {
    size_t len;
    if (*host == '[') {
        host++;
        len = strcspn(host, "]");
        if (host[len] != ']')
            return false;
    } else {
        len = strcspn(host, ":");
    }
    if (len == 0 || len >= HOST_SIZE)
        return false;
    memcpy(out, host, len);
    out[len] = '\0';
    return true;
}

static bool is_literal(const char *name) {
    struct in6_addr address;
    return inet_pton(AF_INET, name, &address) == 1 ||
           inet_pton(AF_INET6, name, &address) == 1;
}

bool status_guard_knows(const char *host, const char *own) {
    char name[HOST_SIZE];
    if (host == NULL)
        return true;
    return read_name(host, name) &&
           (is_literal(name) || strcasecmp(name, "localhost") == 0 ||
            strcasecmp(name, own) == 0);
}

static uint16_t local_port(int fd) {
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &len) < 0)
        return 0;
    if (name.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&name)->sin_port);
    if (name.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&name)->sin6_port);
    return 0;
}

static bool is_connected(int fd) {
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    return getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

/* Their owner is told by the loop, and closes them. */
void status_guard_make_room(int listener, int descriptors) {
    uint16_t port = local_port(listener);
    for (int fd = 0; fd < descriptors; fd++)
        if (local_port(fd) == port && is_connected(fd))
            (void)shutdown(fd, SHUT_RDWR);
}
