/* Where the files of a memory control group are, and what is read there. */
#include "supervisor/memory_group.h"
#include "tests/unit/unit.h"

#define FIRST                                                                  \
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"     \
    "35 31 0:32 / /sys/fs/cgroup/memory rw,nosuid shared:17 - cgroup cgroup "  \
    "rw,memory\n"
#define SECOND                                                                 \
    "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"                                    \
    "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 master:2 - cgroup2 "       \
    "cgroup2 rw,nsdelegate,memory_recursiveprot\n"
#define UNIFIED                                                                \
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
#define PART(root)                                                             \
    "90 80 0:32 " root " /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"

static const struct {
    const char *mounts, *groups;
    const char *folder; /* NULL: none */
    bool second;
    int above; /* so many groups are around it */
} places[] = {
    {SECOND, "0::/system.slice/fxwire.service\n",
     "/sys/fs/cgroup/system.slice/fxwire.service", true, 2},
    {SECOND, "0::/\n", "/sys/fs/cgroup", true, 0},
    {SECOND, "0::/a:b\n", "/sys/fs/cgroup/a:b", true, 1},
    {SECOND, "0::/../outside\n", "/sys/fs/cgroup", true, 0},
    {FIRST, "5:cpu,cpuacct:/other\n4:memory:/docker/1a\n0::/x\n",
     "/sys/fs/cgroup/memory/docker/1a", false, 2},
    {FIRST, "4:hugetlb,memory:/", "/sys/fs/cgroup/memory", false, 0},
    {UNIFIED FIRST, "4:memory:/box\n0::/elsewhere\n",
     "/sys/fs/cgroup/memory/box", false, 1},
    /* A hierarchy of version 1 that has other things alone. */
    {"33 31 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
     "34 31 0:31 / /sys/fs/cgroup/m rw - cgroup cgroup rw,memory_x\n" UNIFIED,
     "1:name=systemd:/box\n0::/box\n", "/sys/fs/cgroup/unified/box", true, 1},
    /* What a container sees of it. */
    {PART("/docker/1a"), "4:memory:/docker/1a\n", "/sys/fs/cgroup/memory",
     false, 0},
    {PART("/docker/1a"), "4:memory:/docker/1a/b\n", "/sys/fs/cgroup/memory/b",
     false, 1},
    {PART("/docker/1a"), "4:memory:/docker/1ab\n", "/sys/fs/cgroup/memory",
     false, 0},
    {PART("/docker/1a"), "4:memory:/\n", "/sys/fs/cgroup/memory", false, 0},
    {SECOND, "4:memory:/box\n", NULL, false, 0},
    {FIRST, "0::/box\n", NULL, false, 0},
    {"", "0::/box\n", NULL, false, 0},
    {SECOND, "", NULL, false, 0},
    {"29 23\n - cgroup2\n29 23 0:26 /\n", "0\n:\n0:\n0::/\n", NULL, false, 0},
};

static void it_is_found(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct memory_group group;
        bool found =
            memory_group_find(places[i].mounts, places[i].groups, &group);
        assert_int_equal(found, places[i].folder != NULL);
        if (!found)
            continue;
        assert_string_equal(group.folder, places[i].folder);
        assert_int_equal(group.second, places[i].second);
        int above = 0;
        for (; above < 10 && memory_group_go_up(&group); above++)
            ;
        assert_int_equal(above, places[i].above);
    }
}

static const struct {
    const char *text, *name;
    long long number; /* -1: none */
} numbers[] = {
    {"low 0\nhigh 0\nmax 14\noom 2\noom_kill 3\noom_group_kill 1\n", "oom_kill",
     3},
    {"oom_kill_disable 1\nunder_oom 0\noom_kill 4\n", "oom_kill", 4},
    {"oom_kill_disable 1\nunder_oom 0\n", "oom_kill", -1},
    {"oom_kill", "oom_kill", -1},
    {"oom_kill x\n", "oom_kill", -1},
    {"33554432\n", "", 33554432},
    {"9223372036854771712\n", "", 9223372036854771712},
    {"max\n", "", -1},
    {"", "", -1},
};

static void numbers_are_read(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        uint64_t number = 0;
        bool found =
            memory_group_number(numbers[i].text, numbers[i].name, &number);
        assert_int_equal(found, numbers[i].number >= 0);
        if (found)
            assert_int_equal(number, numbers[i].number);
    }
}

/* Longer than anything that the kernel allows. */
static void long_lines_do_no_harm(void **state) {
    (void)state;
    static char path[8192] = "0::/";
    struct memory_group group;
    memset(path + 4, 'a', sizeof path - 5);
    assert_false(memory_group_find(SECOND, path, &group));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_found),
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(long_lines_do_no_harm),
    };
    return cmocka_run_group_tests_name("memory_group", tests, NULL, NULL);
}
