#include "supervisor/memory_group.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE_SIZE = 2048 };

/* The text's next line, cut if it is too long; false: there is none. */
static bool next_line(const char **text, char line[static LINE_SIZE]) {
    size_t len = strcspn(*text, "\n");
    if (**text == '\0')
        return false;
    snprintf(line, LINE_SIZE, "%.*s",
             (int)(len < LINE_SIZE ? len : LINE_SIZE - 1), *text);
    *text += len + ((*text)[len] == '\n');
    return true;
}

static bool list_has(const char *list, const char *word) {
    size_t len = strlen(word);
    for (; *list != '\0'; list += strcspn(list, ",")) {
        list += *list == ',';
        if (strncmp(list, word, len) == 0 &&
            (list[len] == ',' || list[len] == '\0'))
            return true;
    }
    return false;
}

/* The group's path in its hierarchy, with its version. */
static bool find_path(const char *groups, bool second,
                      char path[static LINE_SIZE]) {
    char line[LINE_SIZE];
    while (next_line(&groups, line)) {
        char *list = strchr(line, ':');
        char *name = list != NULL ? strchr(list + 1, ':') : NULL;
        if (name == NULL)
            continue;
        *name = '\0';
        if (second ? strcmp(line, "0:") == 0 : list_has(list + 1, "memory")) {
            snprintf(path, LINE_SIZE, "%s", name + 1);
            return true;
        }
    }
    return false;
}

/* Where that hierarchy is mounted, and which of its groups is on top there. */
static bool find_mount(const char *mounts, bool second,
                       char root[static LINE_SIZE],
                       char point[static LINE_SIZE]) {
    char line[LINE_SIZE], type[LINE_SIZE], options[LINE_SIZE];
    while (next_line(&mounts, line)) {
        const char *rest = strstr(line, " - ");
        if (rest == NULL ||
            sscanf(line, "%*s %*s %*s %2047s %2047s", root, point) != 2 ||
            sscanf(rest, " - %2047s %*s %2047s", type, options) != 2)
            continue;
        if (second ? strcmp(type, "cgroup2") == 0
                   : strcmp(type, "cgroup") == 0 && list_has(options, "memory"))
            return true;
    }
    return false;
}

/*
 * In a container the mount may show a part of the hierarchy: then its top is
 * what there is to see.
 */
static const char *below(const char *path, const char *root) {
    size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);
    bool inside = strncmp(path, root, len) == 0 &&
                  (path[len] == '/' || path[len] == '\0');
    return inside && strncmp(path, "/..", 3) != 0 && strcmp(path, "/") != 0
               ? path + len
               : "";
}

static bool find(const char *mounts, const char *groups, bool second,
                 struct memory_group *group) {
    char path[LINE_SIZE], root[LINE_SIZE], point[LINE_SIZE];
    if (!find_path(groups, second, path) ||
        !find_mount(mounts, second, root, point))
        return false;
    group->second = second;
    group->top_len = strlen(point);
    return snprintf(group->folder, sizeof group->folder, "%s%s", point,
                    below(path, root)) < (int)sizeof group->folder;
}

/* Where both are there, memory is with the first, or that has no such list. */
bool memory_group_find(const char *mounts, const char *groups,
                       struct memory_group *group) {
    return find(mounts, groups, false, group) ||
           find(mounts, groups, true, group);
}

bool memory_group_go_up(struct memory_group *group) {
    char *end = strrchr(group->folder, '/');
    if (end == NULL || (size_t)(end - group->folder) < group->top_len)
        return false;
    *end = '\0';
    return true;
}

bool memory_group_number(const char *text, const char *name, uint64_t *number) {
    char line[LINE_SIZE];
    size_t len = strlen(name);
    while (next_line(&text, line)) {
        const char *digits = len > 0 ? line + len + 1 : line;
        if ((len == 0 || (strncmp(line, name, len) == 0 && line[len] == ' ')) &&
            isdigit((unsigned char)*digits))
            return sscanf(digits, "%" SCNu64, number) == 1;
    }
    return false;
}
