/*
 * A .env file: what is read of it is read again from a file that has the same
 * values in quotes.
 */
#include "common/settings/envfile.h"
#include "tests/fuzz/fuzz.h"

/* The variables that were read, one behind the other, and as a file. */
struct reading {
    FILE *list, *file;
    char *list_text, *file_text;
    size_t list_len, file_len;
    int last_line;
};

/* In double quotes what has a meaning there gets a backslash. */
static void put_quoted(FILE *out, const char *value) {
    fputc('"', out);
    for (; *value != '\0'; value++) {
        if (strchr("\"\\$", *value) != NULL)
            fputc('\\', out);
        fputc(*value, out);
    }
    fputc('"', out);
}

static void on_assigned(void *arg, const char *name, const char *value,
                        int line, bool referred) {
    struct reading *reading = arg;
    (void)referred;
    HOLDS(name[0] != '\0' && line >= reading->last_line, "%s in line %d", name,
          line);
    reading->last_line = line;
    for (const char *c = name; *c != '\0'; c++)
        HOLDS(*c == '_' || (*c >= '0' && *c <= '9') ||
                  (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z'),
              "%s", name);
    fprintf(reading->list, "%s=%s%c", name, value, '\0');
    fprintf(reading->file, "export %s = ", name);
    put_quoted(reading->file, value);
    fputs(" # a comment\n", reading->file);
}

static void on_fault(void *arg, const char *why, int line) {
    (void)arg;
    HOLDS(why[0] != '\0' && line > 0, "%s in line %d", why, line);
}

static void on_no_fault(void *arg, const char *why, int line) {
    const struct reading *reading = arg;
    (void)reading;
    HOLDS(false, "%s in line %d", why, line);
}

static const char *outside(void *arg, const char *name) {
    (void)arg;
    return strcmp(name, "OUTSIDE") == 0 ? "a value from $OUTSIDE"
           : strcmp(name, "EMPTY") == 0 ? ""
                                        : NULL;
}

static struct reading read_file(struct span text,
                                void (*fault)(void *, const char *, int)) {
    struct reading reading = {.last_line = 1};
    reading.list = open_memstream(&reading.list_text, &reading.list_len);
    reading.file = open_memstream(&reading.file_text, &reading.file_len);
    const struct envfile_events events = {.assigned = on_assigned,
                                          .fault = fault,
                                          .outside = outside,
                                          .arg = &reading};
    envfile_read(text, &events);
    fclose(reading.list);
    fclose(reading.file);
    return reading;
}

static struct span list_of(const struct reading *reading) {
    return (struct span){reading->list_text, reading->list_len};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct reading first = read_file(fuzz_text(data, size), on_fault);
    struct span file = {first.file_text, first.file_len};
    struct reading second = read_file(file, on_no_fault);
    HOLDS(fuzz_same(list_of(&first), list_of(&second)), "%.*s", SPAN(file));
    free(first.list_text);
    free(first.file_text);
    free(second.list_text);
    free(second.file_text);
    return 0;
}
