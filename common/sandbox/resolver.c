#include "common/sandbox/resolver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* For good. One that is not installed is none that the resolver could use. */
static void load(const char *name) {
    char file[64];
    int len = snprintf(file, sizeof file, "libnss_%s.so.2", name);
    if (len < (int)sizeof file)
        (void)dlopen(file, RTLD_NOW | RTLD_NODELETE);
}

/* `[NOTFOUND=return]` and the like are no modules. */
static void load_all(char *line) {
    char *rest, *word = strtok_r(line, " \t\n", &rest);
    while (word != NULL && *word != '#') {
        if (*word != '[' && strchr(word, ']') == NULL)
            load(word);
        word = strtok_r(NULL, " \t\n", &rest);
    }
}

void resolver_load_modules(void) {
    static const char beginning[] = "hosts:";
    char line[1024];
    FILE *file = fopen("/etc/nsswitch.conf", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, beginning, sizeof beginning - 1) == 0)
            load_all(line + sizeof beginning - 1);
    if (file != NULL)
        fclose(file);
}
