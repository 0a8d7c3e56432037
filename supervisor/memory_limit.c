#include "supervisor/memory_limit.h"

#include <libgen.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "common/clock.h"
#include "common/files.h"
#include "common/memory.h"
#include "supervisor/memory_group.h"

/* Several that were killed at once are waited for one after the other. */
#define TOGETHER SECONDS(1)

/* Of each upstream, with AUDIT_DIR; and what all processes hold besides. */
enum { AUDIT_RING_BYTES = 16 << 20, PROCESSES_BYTES = 16 << 20 };

static struct {
    bool looked;
    uint64_t kills; /* that the kernel had counted at the last look */
    bool rose;      /* it had ever counted one more then, */
    monotime at;    /* and at this moment the last time */
} seen;

static bool find_group(struct memory_group *group) {
    size_t len;
    char *mounts = files_read("/proc/self/mountinfo", &len);
    char *groups = files_read("/proc/self/cgroup", &len);
    bool found = mounts != NULL && groups != NULL &&
                 memory_group_find(mounts, groups, group);
    free(mounts);
    free(groups);
    return found;
}

static bool read_number(const struct memory_group *group, const char *file,
                        const char *name, uint64_t *number) {
    size_t len;
    char *path = memory_print("%s/%s", group->folder, file);
    char *text = files_read(path, &len);
    bool found = text != NULL && memory_group_number(text, name, number);
    free(text);
    free(path);
    return found;
}

void memory_limit_look(void) {
    struct memory_group group;
    uint64_t kills;
    if (!find_group(&group) ||
        !read_number(&group,
                     group.second ? "memory.events" : "memory.oom_control",
                     "oom_kill", &kills))
        return;
    if (seen.looked && kills > seen.kills) {
        seen.rose = true;
        seen.at = clock_monotonic();
    }
    seen.looked = true;
    seen.kills = kills;
}

bool memory_limit_has_killed(const siginfo_t *death) {
    if (death->si_code != CLD_KILLED || death->si_status != SIGKILL)
        return false;
    memory_limit_look();
    return seen.rose && !monotime_reached(clock_monotonic(),
                                          monotime_add(seen.at, TOGETHER));
}

/* The lowest of the limits of the group and those around it. */
static uint64_t lowest_limit(void) {
    struct memory_group group;
    uint64_t limit, lowest = UINT64_MAX;
    if (!find_group(&group))
        return lowest;
    do {
        if (read_number(&group,
                        group.second ? "memory.max" : "memory.limit_in_bytes",
                        "", &limit) &&
            limit < lowest)
            lowest = limit;
    } while (memory_group_go_up(&group));
    return lowest;
}

/* Where it is not there yet: what it will be made in. */
static bool is_in_memory(const char *folder) {
    char *path = memory_copy(folder, strlen(folder));
    struct statfs status;
    int failed;
    while ((failed = statfs(path, &status)) < 0 && strcmp(path, "/") != 0 &&
           strcmp(path, ".") != 0) {
        char *above = dirname(path);
        if (above != path) /* "." or "/", of its own */
            memcpy(path, above, strlen(above) + 1);
    }
    free(path);
    return failed == 0 &&
           (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

char *memory_limit_warning(const struct settings *settings) {
    const char *folder = settings_text(settings, SETTING_RUNTIME_DIR);
    const char *urls = settings_text(settings, SETTING_REQUESTS_WS_URL);
    if (folder == NULL || urls == NULL || !is_in_memory(folder))
        return NULL;
    struct span list = span_of(urls), word;
    uint64_t upstreams = 0, limit = lowest_limit();
    while (settings_next_word(&list, &word))
        upstreams++;
    uint64_t each =
        (uint64_t)settings_count(settings, SETTING_PENDING_MAX_BYTES, 0) +
        (settings_text(settings, SETTING_AUDIT_DIR) != NULL ? AUDIT_RING_BYTES
                                                            : 0);
    if (upstreams * each + PROCESSES_BYTES <= limit)
        return NULL;
    return memory_print("RUNTIME_DIR=%s is in memory, where messages in hand "
                        "need up to %.1f MiB (%.1f for each upstream), and "
                        "the processes %d more; the memory limit is %.1f MiB: "
                        "raise it, or lower PENDING_MAX_BYTES",
                        folder, (double)(upstreams * each) / (1 << 20),
                        (double)each / (1 << 20), PROCESSES_BYTES >> 20,
                        (double)limit / (1 << 20));
}
