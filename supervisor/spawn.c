#include "supervisor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/lines/child.h"
#include "common/memory.h"
#include "common/settings/settings.h"

/* Above all that is given to a child, so that no dup2() hits another. */
enum { FIRST_FREE_FD = 16 };

/* Where close_range() is refused, and the limit would allow a billion. */
enum { MAX_CLOSED_ONE_BY_ONE = 65536 };

static void close_from(int first) {
    if (close_range((unsigned)first, UINT_MAX, 0) == 0)
        return;
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > MAX_CLOSED_ONE_BY_ONE)
        limit = MAX_CLOSED_ONE_BY_ONE;
    for (int fd = first; fd < limit; fd++)
        close(fd);
}

static int above(int fd) {
    return fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
}

/* False and errno: one of them can not be had. */
static bool copy_above(const int fds[SPAWN_EXTRA_FDS],
                       int copies[SPAWN_EXTRA_FDS]) {
    for (int i = 0; i < SPAWN_EXTRA_FDS; i++) {
        copies[i] = fds[i] >= 0 ? above(fds[i]) : -1;
        if (fds[i] >= 0 && copies[i] < 0)
            return false;
    }
    return true;
}

static void place_extra(const int copies[SPAWN_EXTRA_FDS]) {
    for (int i = 0; i < SPAWN_EXTRA_FDS; i++)
        if (copies[i] >= 0)
            dup2(copies[i], CHILD_FD_EXTRA + i);
        else
            close(CHILD_FD_EXTRA + i);
    close_from(CHILD_FD_EXTRA + SPAWN_EXTRA_FDS);
}

/* False and errno: not all are where the helper looks for them. */
static bool place_fds(const struct spawn *spawn) {
    int control = above(spawn->control_fd), log = above(spawn->log_fd);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int extra[SPAWN_EXTRA_FDS];
    if (control < 0 || log < 0 || null < 0 ||
        !copy_above(spawn->extra_fds, extra))
        return false;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (!spawn->keep_stderr)
        dup2(log, STDERR_FILENO);
    dup2(control, CHILD_FD_CONTROL);
    dup2(log, CHILD_FD_LOG);
    place_extra(extra);
    return true;
}

static void reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP)
            signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * The child comes with all signals blocked: one that it gets before it has
 * reset them is not to be taken for one of its parent's.
 */
static pid_t fork_blocked(void) {
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_t pid = fork();
    int error = errno;
    if (pid != 0)
        sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return pid;
}

/* What every child does first. */
static void detach(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EX_SOFTWARE); /* it died before the line above */
    setpgid(0, 0);
    reset_signals();
}

static _Noreturn void be_helper(const struct spawn *spawn, pid_t parent) {
    detach(parent);
    int log_fd = spawn->log_fd;
    if (place_fds(spawn)) {
        log_fd = CHILD_FD_LOG;
        execve(spawn->path, spawn->argv, spawn->environment);
    }
    dprintf(log_fd, "%s: %s\n", spawn->path, strerror(errno));
    _exit(EX_UNAVAILABLE);
}

pid_t spawn_start(const struct spawn *spawn) {
    pid_t parent = getpid();
    pid_t pid = fork_blocked();
    if (pid == 0)
        be_helper(spawn, parent);
    return pid;
}

/* The command's words and the arguments as one list, which is never freed:
 * it is made in the child. */
static char **command_argv(const char *command, const char *const arguments[]) {
    char **argv = memory_new((strlen(command) + 16) * sizeof *argv);
    size_t n = 0;
    struct span list = span_of(command), word;
    while (settings_next_word(&list, &word))
        argv[n++] = memory_copy(word.data, word.len);
    for (; *arguments != NULL; arguments++)
        argv[n++] = memory_print("%s", *arguments);
    return argv;
}

pid_t spawn_command(const char *command, const char *const arguments[],
                    char *const environment[], int input, int output) {
    pid_t parent = getpid();
    pid_t pid = fork_blocked();
    if (pid == 0) {
        detach(parent);
        char **argv = command_argv(command, arguments);
        dup2(input, STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        close_from(STDERR_FILENO + 1);
        execvpe(argv[0], argv, environment);
        dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
        _exit(EX_UNAVAILABLE);
    }
    return pid;
}

pid_t spawn_between(const char *path, char *const argv[],
                    char *const environment[], int input, int output,
                    int error) {
    pid_t parent = getpid();
    pid_t pid = fork_blocked();
    if (pid == 0) {
        detach(parent);
        dup2(input, STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
        dup2(error, STDERR_FILENO);
        close_from(STDERR_FILENO + 1);
        execve(path, argv, environment);
        dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
        _exit(EX_UNAVAILABLE);
    }
    return pid;
}

pid_t spawn_printing(const char *path, char *const argv[],
                     char *const environment[]) {
    return spawn_between(path, argv, environment, STDIN_FILENO, STDOUT_FILENO,
                         STDERR_FILENO);
}

/* The path of this program; without /proc, as it was executed. */
static bool find_self(char self[static PATH_MAX]) {
    ssize_t len = readlink("/proc/self/exe", self, PATH_MAX - 1);
    if (len > 0) {
        self[len] = '\0';
        return true;
    }
    const char *executed = (const char *)getauxval(AT_EXECFN);
    return executed != NULL && realpath(executed, self) != NULL;
}

char *spawn_sibling(const char *name) {
    char self[PATH_MAX] = "";
    int len = find_self(self) ? (int)strlen(self) : 0;
    while (len > 0 && self[len - 1] != '/')
        len--;
    return memory_print("%.*s%s", len, self, name);
}

/* Names, or with a * at their end the beginnings of names. */
static const char *const passed_on[] = {
    "PATH",
    "HOME",
    "LANG",
    "LC_*",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "FAKETIME*",
    "MALLOC_*",
    "JOURNAL_STREAM",
    "ASAN_OPTIONS",
    "UBSAN_OPTIONS",
    "LSAN_OPTIONS",
};

static bool is_passed_on(const char *variable) {
    size_t len = strcspn(variable, "=");
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++) {
        size_t name_len = strcspn(passed_on[i], "*");
        bool is_prefix = passed_on[i][name_len] == '*';
        if ((is_prefix ? len >= name_len : len == name_len) &&
            strncmp(variable, passed_on[i], name_len) == 0)
            return true;
    }
    return false;
}

static size_t count_of(char *const list[]) {
    size_t n = 0;
    while (list[n] != NULL)
        n++;
    return n;
}

char **spawn_environment(const struct settings *settings,
                         enum settings_reader reader, const char *upstream) {
    char **list = memory_new((count_of(environ) + SETTINGS + 1) * sizeof *list);
    size_t n = 0;
    for (char **variable = environ; *variable != NULL; variable++)
        if (is_passed_on(*variable))
            list[n++] = memory_print("%s", *variable);
    for (int i = 0; i < SETTINGS; i++) {
        const char *text = settings_text(settings, (enum setting)i);
        if (i == SETTING_REQUESTS_WS_URL && upstream != NULL)
            text = upstream;
        if (text != NULL && settings_is_read_by((enum setting)i, reader))
            list[n++] =
                memory_print("%s=%s", settings_name((enum setting)i), text);
    }
    return list;
}

void spawn_environment_free(char ***environment) {
    for (char **variable = *environment; *variable != NULL; variable++)
        memory_wipe(*variable);
    free(*environment);
    *environment = NULL;
}
