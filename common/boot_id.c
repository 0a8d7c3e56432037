#include "common/boot_id.h"

#include <stdlib.h>
#include <string.h>

#include "common/small_file.h"

void boot_id_read(char out[static BOOT_ID_SIZE]) {
    size_t len;
    char *id = small_file_read("/proc/sys/kernel/random/boot_id", &len);
    strncpy(out, id != NULL ? id : "unknown", BOOT_ID_SIZE - 1);
    out[BOOT_ID_SIZE - 1] = '\0';
    free(id);
}
