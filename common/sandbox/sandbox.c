#include "common/sandbox/sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/files.h"
#include "common/log.h"
#include "common/sandbox/calls.h"
#include "common/sandbox/landlock.h"
#include "common/sandbox/paths.h"
#include "common/sandbox/resolver.h"

/* Sanitizers need calls of their own. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define IS_SANITIZED true
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
    __has_feature(memory_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

static struct paths paths;
static bool is_confined; /* to those */

/* Whoever raised the limit wants to look at what the process had in memory. */
static bool wants_core(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur > 0;
}

/* False, and the log has it: the kernel does not offer this. */
static bool check(const char *what, int error) {
    if (error != 0)
        log_warn(EVENT_SANDBOX_INCOMPLETE,
                 LOG_FIELDS(log_text("without", what),
                            log_text("why", strerror(error))));
    return error == 0;
}

/* What would be read of them later. */
static void read_beforehand(void) {
    char boot[BOOT_ID_SIZE];
    files_boot_id(boot);
    resolver_load_modules();
}

const char *sandbox_enter(enum settings_reader who,
                          const struct settings *settings, bool debugged) {
    bool only_log = settings_is(settings, SETTING_SANDBOX, "log");
    if (IS_SANITIZED || settings_is(settings, SETTING_SANDBOX, "off"))
        return "off";
    read_beforehand();
    paths_init(&paths, who, settings);
    if (only_log)
        return check("seccomp", calls_enter(who, &paths)) ? "log"
                                                          : "incomplete";
    if (!debugged && !wants_core())
        (void)prctl(PR_SET_DUMPABLE, 0);
    is_confined = check("landlock", landlock_enter(&paths) < 0 ? errno : 0);
    bool whole = check("seccomp", calls_enter(who, NULL)) && is_confined;
    return whole ? "on" : "incomplete";
}

bool sandbox_is_outdated(void) {
    return is_confined && paths_changed(&paths);
}
