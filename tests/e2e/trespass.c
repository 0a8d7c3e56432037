/*
 * Linked into programs of the tests alone (see tests.mk): once such a process
 * has confined itself it tries what RUNTIME_DIR/try-NAME says, a line each:
 * ATTEMPT [ARGUMENT]. What came of it goes to RUNTIME_DIR/tried-NAME, a line
 * each: ATTEMPT [ARGUMENT] RESULT, which is "done" or the name of an error.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox/sandbox.h"

const char *__real_sandbox_enter(enum settings_reader who,
                                 const struct settings *settings,
                                 bool debugged);
const char *__wrap_sandbox_enter(enum settings_reader who,
                                 const struct settings *settings,
                                 bool debugged);

/* Each gives 0, or -1 and errno. */

static int try_read(const char *path) {
    return open(path, O_RDONLY | O_CLOEXEC) < 0 ? -1 : 0;
}

static int try_write(const char *path) {
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 ? -1 : 0;
}

static int try_list(const char *path) {
    return opendir(path) == NULL ? -1 : 0;
}

static int try_unlink(const char *path) {
    return unlink(path);
}

static struct sockaddr_in loopback(const char *port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(port)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static int try_connect(const char *port) {
    struct sockaddr_in to = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&to, sizeof to);
    int error = errno;
    if (fd >= 0)
        close(fd); /* else its peer would wait for more */
    errno = error;
    return result;
}

static int try_bind(const char *port) {
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, sizeof at);
}

static int try_packets(const char *argument) {
    (void)argument;
    return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) < 0 ? -1 : 0;
}

static int try_code(const char *argument) {
    (void)argument;
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1
               : 0;
}

static int try_make_code(const char *argument) {
    (void)argument;
    void *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(data, 4096, PROT_READ | PROT_EXEC);
}

static int try_signal_parent(const char *argument) {
    (void)argument;
    return kill(getppid(), 0);
}

static int try_dumpable(const char *argument) {
    (void)argument;
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* The child does nothing that could be taken for its parent's work. */
static int try_process(const char *argument) {
    (void)argument;
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        syscall(SYS_exit_group, 0);
    if (pid > 0)
        waitpid((pid_t)pid, NULL, 0);
    return pid < 0 ? -1 : 0;
}

static int try_execve(const char *path) {
    char *const argv[] = {(char *)(uintptr_t)path, NULL};
    return execve(path, argv, argv + 1);
}

static int try_ptrace(const char *argument) {
    (void)argument;
    return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int try_memory(const char *argument) {
    (void)argument;
    return (int)process_vm_readv(getppid(), NULL, 0, NULL, 0, 0);
}

static int try_bpf(const char *argument) {
    (void)argument;
    union bpf_attr none;
    memset(&none, 0, sizeof none);
    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &none, sizeof none);
}

static int try_mount(const char *path) {
    return mount("none", path, "tmpfs", 0, NULL);
}

static int try_memfd(const char *argument) {
    (void)argument;
    return memfd_create("x", MFD_CLOEXEC) < 0 ? -1 : 0;
}

static const struct {
    const char *name;
    int (*try)(const char *argument);
} attempts[] = {
    {"read", try_read},           {"write", try_write},
    {"list", try_list},           {"unlink", try_unlink},
    {"connect", try_connect},     {"bind", try_bind},
    {"packets", try_packets},     {"code", try_code},
    {"make_code", try_make_code}, {"signal_parent", try_signal_parent},
    {"dumpable", try_dumpable},   {"process", try_process},
    {"execve", try_execve},       {"ptrace", try_ptrace},
    {"memory", try_memory},       {"bpf", try_bpf},
    {"mount", try_mount},         {"memfd", try_memfd},
};

static void try_line(char *line, int results) {
    char *argument = strchr(line, ' ');
    size_t len = strcspn(line, " ");
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        if (strlen(attempts[i].name) != len ||
            strncmp(attempts[i].name, line, len) != 0)
            continue;
        int result = attempts[i].try(argument != NULL ? argument + 1 : "");
        dprintf(results, "%s %s\n", line,
                result < 0 ? strerrorname_np(errno) : "done");
    }
}

static const char *name_of(enum settings_reader who) {
    return who == SETTINGS_WSCLIENT      ? "wsclient"
           : who == SETTINGS_RATEFETCHER ? "ratefetcher"
                                         : "monitor";
}

const char *__wrap_sandbox_enter(enum settings_reader who,
                                 const struct settings *settings,
                                 bool debugged) {
    const char *dir = settings_text(settings, SETTING_RUNTIME_DIR);
    char path[4096], text[4096] = "", *rest;
    snprintf(path, sizeof path, "%s/try-%s", dir, name_of(who));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (n > 0)
        unlink(path); /* its successor is to live */
    snprintf(path, sizeof path, "%s/tried-%s", dir, name_of(who));
    const char *state = __real_sandbox_enter(who, settings, debugged);
    int results = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        try_line(line, results);
    if (n > 0)
        dprintf(results, "end\n");
    close(results);
    return state;
}
