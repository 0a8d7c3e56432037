#include "common/folders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/memory.h"

int folders_make(const char *path) {
    char *part = memory_copy(path, strlen(path));
    for (char *end = part + 1; (end = strchr(end, '/')) != NULL; end++) {
        *end = '\0';
        (void)mkdir(part, 0700); /* the last one tells whether it worked */
        *end = '/';
    }
    int made = mkdir(part, 0700);
    free(part);
    return made < 0 && errno != EEXIST ? -1 : 0;
}
