/*
 * A file that the command `audit` is to recompute, plain or packed by gzip:
 * each line is counted once, and told of in one line if it is not as it should
 * be.
 */
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "supervisor/command.h"
#include "tests/fuzz/fuzz.h"

struct counts {
    unsigned long lines, recomputed, errors, without_inputs, differ, twice;
};

/* What it says at its end; the lines before it are one each for what differs.
 */
static struct counts read_output(struct span output) {
    struct counts c = {0};
    unsigned long told = 0;
    char summary[256] = "";
    while (output.len > 0) {
        struct span line = fuzz_take(&output, '\n');
        bool last = output.len == 0;
        told += !last;
        if (last)
            snprintf(summary, sizeof summary, "%.*s", SPAN(line));
        for (size_t i = 0; i < line.len; i++)
            HOLDS((unsigned char)line.data[i] >= ' ', "%.*s", SPAN(line));
        HOLDS(fuzz_is_utf8(line), "%.*s", SPAN(line));
    }
    HOLDS(sscanf(summary,
                 "%lu lines: %lu recomputed, %lu errors, %lu without inputs, "
                 "%lu differ; %lu twice",
                 &c.lines, &c.recomputed, &c.errors, &c.without_inputs,
                 &c.differ, &c.twice) == 6,
          "%s", summary);
    HOLDS(told == c.differ, "%lu, not %lu", told, c.differ);
    return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64], *text = NULL;
    const char *const paths[] = {path, NULL};
    size_t len = 0;
    const struct options options = {.arguments = paths, .argument_count = 1};
    int fd = memfd_create("audit", MFD_CLOEXEC);
    HOLDS(write(fd, data, size) == (ssize_t)size, "no room");
    sprintf(path, "/proc/self/fd/%d", fd);
    FILE *out = stdout, *err = stderr, *nowhere = fopen("/dev/null", "w");
    stdout = open_memstream(&text, &len);
    stderr = nowhere;
    int code = command_audit(&options);
    fclose(stdout);
    fclose(nowhere);
    stdout = out;
    stderr = err;
    close(fd);
    struct counts c = read_output((struct span){text, len});
    HOLDS(c.lines == c.recomputed + c.errors + c.without_inputs + c.differ,
          "%s", text);
    HOLDS((code == EX_DATAERR) == (c.differ > 0), "%d: %s", code, text);
    HOLDS(c.twice <= c.lines, "%s", text);
    free(text);
    return 0;
}
