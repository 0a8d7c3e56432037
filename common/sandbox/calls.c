#include "common/sandbox/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sandbox/judge.h"
#include "common/sandbox/listener.h"

/* Numbers of system calls end well below. */
enum { MAX_CALLS = 1024 };

enum { M = SETTINGS_MONITOR, W = SETTINGS_WSCLIENT, R = SETTINGS_RATEFETCHER };

/* With a handler the process itself can say what was refused. */
#if defined __x86_64__
#define RESULT_OF(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined __aarch64__
#define RESULT_OF(context) ((context)->uc_mcontext.regs[0])
#endif

/* What no bug of ours would call: code that somebody else has brought. */
static const char *const hostile[] = {
    "execve",
    "execveat",
    "fork",
    "vfork",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "pidfd_getfd",
    "kcmp",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "mount",
    "umount2",
    "move_mount",
    "open_tree",
    "fsopen",
    "pivot_root",
    "chroot",
    "setns",
    "unshare",
    "keyctl",
    "add_key",
    "request_key",
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "capset",
    "personality",
    "memfd_create",
    "memfd_secret",
    "open_by_handle_at",
};

/* A row of calls.def. */
struct call {
    const char *name;
    int readers;
    unsigned argument;
    scmp_datum_t mask, value; /* mask 0: whatever its arguments */
};

static char *names[MAX_CALLS];
static bool judged[MAX_CALLS];

const char *calls_name(int number) {
    return number >= 0 && number < MAX_CALLS ? names[number] : NULL;
}

bool calls_is_judged(int number) {
    return number >= 0 && number < MAX_CALLS && judged[number];
}

/* For a handler of signals, which must not allocate. */
static void find_names(void) {
    for (int i = 0; i < MAX_CALLS; i++)
        names[i] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
}

#ifdef RESULT_OF
/* Unknown calls do not exist, as on an older kernel: there is another way. */
static void on_refused(int signal, siginfo_t *info, void *context) {
    (void)signal;
    int saved_errno = errno;
    const char *name = calls_name(info->si_syscall);
    RESULT_OF((ucontext_t *)context) = name != NULL ? -EPERM : -ENOSYS;
    log_error(EVENT_SANDBOX_REFUSED,
              LOG_FIELDS(log_text("call", name),
                         log_int("number", info->si_syscall)));
    errno = saved_errno;
}
#endif

/* What is done with a call that is not in the list. */
static uint32_t refusal(bool only_log) {
    if (only_log)
        return SCMP_ACT_NOTIFY;
#ifdef RESULT_OF
    struct sigaction action = {.sa_sigaction = on_refused,
                               .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (sigaction(SIGSYS, &action, NULL) == 0)
        return SCMP_ACT_TRAP;
#endif
    return SCMP_ACT_ERRNO(EPERM);
}

/* A call that this machine does not have needs no rule. */
static void add(scmp_filter_ctx filter, uint32_t action, const char *name,
                const struct scmp_arg_cmp *condition, int *error) {
    int number = seccomp_syscall_resolve_name(name);
    if (number < 0)
        return;
    int result = seccomp_rule_add_array(filter, action, number,
                                        condition != NULL, condition);
    if (result < 0 && *error == 0)
        *error = -result;
}

static bool is_of(const struct call *call, enum settings_reader who) {
    return (call->readers & (int)who) != 0;
}

static void allow(scmp_filter_ctx filter, const struct call *call, int *error) {
    const struct scmp_arg_cmp condition = {call->argument, SCMP_CMP_MASKED_EQ,
                                           call->mask, call->value};
    add(filter, SCMP_ACT_ALLOW, call->name, call->mask != 0 ? &condition : NULL,
        error);
}

/* The first are the most frequent: they are looked for first. */
static void allow_all(scmp_filter_ctx filter, enum settings_reader who,
                      bool only_log, int *error) {
#define CALL(name, readers) {#name, readers, 0, 0, 0},
#define CALL_IF(name, readers, argument, mask, value)                          \
    {#name, readers, argument, mask, (scmp_datum_t)(value)},
    const struct call calls[] = {
#include "common/sandbox/calls.def"
    };
#undef CALL
#undef CALL_IF
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int number = seccomp_syscall_resolve_name(calls[i].name);
        if (!is_of(&calls[i], who))
            continue;
        if (only_log && judge_knows(calls[i].name) && number >= 0)
            judged[number] = true;
        else
            allow(filter, &calls[i], error);
    }
}

static int fill(scmp_filter_ctx filter, enum settings_reader who,
                bool only_log) {
    int error = 0;
    allow_all(filter, who, only_log, &error);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile && !only_log; i++)
        add(filter, SCMP_ACT_KILL_PROCESS, hostile[i], NULL, &error);
    /* Its flags can not be seen; without it the C library calls clone(). */
    add(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", NULL, &error);
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    (void)seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
    return error;
}

int calls_enter(enum settings_reader who, const struct paths *only_log) {
    find_names();
    if (only_log != NULL && listener_start(only_log) < 0)
        return errno;
    scmp_filter_ctx filter = seccomp_init(refusal(only_log != NULL));
    int error = filter == NULL ? ENOSYS : fill(filter, who, only_log != NULL);
    if (error == 0)
        error = -seccomp_load(filter);
    if (error == 0 && only_log != NULL)
        listener_take(seccomp_notify_fd(filter));
    seccomp_release(filter);
    return error;
}
