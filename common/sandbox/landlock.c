#include "common/sandbox/landlock.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As in linux/landlock.h, which is older than the kernel on many machines. */
enum {
    CREATE_RULESET_VERSION = 1,
    RULE_PATH_BENEATH = 1,
    RULE_NET_PORT = 2,
    NET_BIND_TCP = 1,
    NET_CONNECT_TCP = 2,
    SCOPE_SIGNAL = 2,
};

enum {
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_TRUNCATE = 1 << 14,
    FS_OF_FILES = FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE,
    FS_READ = FS_READ_FILE | FS_READ_DIR,
    FS_ALL_OF_OURS =
        FS_READ | FS_OF_FILES | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG,
};

struct ruleset_attr {
    uint64_t fs, net, scoped;
};

struct path_beneath_attr {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

struct net_port_attr {
    uint64_t allowed, port;
};

/* What a kernel of this version can forbid: all of that is. */
static struct ruleset_attr all_of(long version) {
    static const int rights_of_files[] = {0, 13, 14, 15, 15, 16};
    const int newest = sizeof rights_of_files / sizeof *rights_of_files - 1;
    int rights = rights_of_files[version < newest ? version : newest];
    return (struct ruleset_attr){
        .fs = (1U << rights) - 1,
        .net = version >= 4 ? NET_BIND_TCP | NET_CONNECT_TCP : 0,
        .scoped = version >= 6 ? SCOPE_SIGNAL : 0,
    };
}

static void allow_fd(int ruleset, const struct ruleset_attr *all, int fd,
                     uint64_t rights) {
    struct path_beneath_attr attr = {rights & all->fs, fd};
    if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &attr, 0) <
        0) { /* no folder: what can be allowed of one is refused */
        attr.allowed &= FS_OF_FILES;
        (void)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &attr,
                      0);
    }
}

static void allow_path(int ruleset, const struct ruleset_attr *all,
                       const struct path_rule *rule) {
    int fd = open(rule->path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return;
    allow_fd(ruleset, all, fd, rule->writable ? FS_ALL_OF_OURS : FS_READ);
    close(fd);
}

static void allow_port(int ruleset, uint64_t what, uint16_t port) {
    const struct net_port_attr attr = {what, port};
    (void)syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &attr, 0);
}

int landlock_enter(const struct paths *paths) {
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    if (version < 0)
        return -1;
    struct ruleset_attr all = all_of(version);
    if (paths->connect_anywhere)
        all.net &= ~(uint64_t)NET_CONNECT_TCP;
    int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (ruleset < 0)
        return -1;
    for (size_t i = 0; i < paths->count; i++)
        allow_path(ruleset, &all, &paths->rules[i]);
    allow_fd(ruleset, &all, STDERR_FILENO, FS_WRITE_FILE); /* a terminal */
    for (size_t i = 0;
         i < paths->connect_count && (all.net & NET_CONNECT_TCP) != 0; i++)
        allow_port(ruleset, NET_CONNECT_TCP, paths->connect[i]);
    if (paths->listen != 0 && all.net != 0)
        allow_port(ruleset, NET_BIND_TCP, paths->listen);
    long result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (result == 0)
        result = syscall(SYS_landlock_restrict_self, ruleset, 0);
    close(ruleset);
    return (int)result;
}
