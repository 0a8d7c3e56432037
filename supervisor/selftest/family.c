#include "supervisor/selftest/family.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 512, GENERATIONS = 4 };

/* The first bytes of a file of a process in /proc; empty if it is gone. */
static void read_proc(pid_t pid, const char *name, char out[LINE]) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "r");
    size_t len = file != NULL ? fread(out, 1, LINE - 1, file) : 0;
    out[len] = '\0';
    if (file != NULL)
        fclose(file);
}

static pid_t parent_of(pid_t pid) {
    char line[LINE];
    read_proc(pid, "stat", line);
    const char *end = strrchr(line, ')'); /* names may have brackets */
    int parent = 0;
    char state;
    if (end == NULL || sscanf(end + 1, " %c %d", &state, &parent) != 2 ||
        state == 'Z')
        return 0;
    return parent;
}

static bool descends(pid_t pid, pid_t ancestor) {
    for (int i = 0; i < GENERATIONS && pid > 1; i++) {
        pid = parent_of(pid);
        if (pid == ancestor)
            return true;
    }
    return false;
}

static bool is_called(pid_t pid, const char *name) {
    char title[LINE];
    read_proc(pid, "cmdline", title);
    static const char start[] = "fxwire: ";
    return strncmp(title, start, sizeof start - 1) == 0 &&
           strncmp(title + sizeof start - 1, name, strlen(name)) == 0;
}

pid_t family_find(pid_t ancestor, const char *name) {
    DIR *proc = opendir("/proc");
    pid_t found = 0;
    for (struct dirent *entry;
         ancestor > 0 && proc != NULL && (entry = readdir(proc)) != NULL;) {
        pid_t pid =
            isdigit((unsigned char)*entry->d_name) ? atoi(entry->d_name) : 0;
        if (pid > 0 && is_called(pid, name) && descends(pid, ancestor)) {
            found = pid;
            break;
        }
    }
    if (proc != NULL)
        closedir(proc);
    return found;
}
