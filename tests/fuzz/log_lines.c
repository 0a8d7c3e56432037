/*
 * What the monitor makes of lines of the log, by whomever they were written:
 * `logs --json` has one JSON object for each, the last warnings are rows of
 * texts, the journal gets each line with its priority.
 */
#include <unistd.h>

#include "common/lines/message.h"
#include "supervisor/log_json.h"
#include "supervisor/monitor/journal.h"
#include "supervisor/monitor/warnings.h"
#include "tests/fuzz/fuzz.h"

/* As what is UTF-8 is read: the feed makes it so. */
static void check_json(struct span line) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    log_json_put(out, line);
    fclose(out);
    struct json_object *object = message_parse((struct span){text, len});
    HOLDS(object != NULL, "%s", text);
    struct json_object *whole = object;
    if (json_object_object_length(object) == 1 &&
        json_object_object_get_ex(object, "text", &object))
        HOLDS(fuzz_same(line, (struct span){json_object_get_string(object),
                                            (size_t)json_object_get_string_len(
                                                object)}),
              "%s", text);
    json_object_put(whole);
    free(text);
}

static void check_warnings(struct span lines) {
    static const char *const names[] = {"time", "level", "process", "event",
                                        "detail"};
    struct warnings warnings = {.count = 0};
    warnings_look(&warnings, lines);
    struct json_object *rows = warnings_rows(&warnings);
    HOLDS(json_object_array_length(rows) <= WARNINGS_KEPT, "%zu",
          json_object_array_length(rows));
    for (size_t i = 0; i < json_object_array_length(rows); i++)
        for (size_t name = 0; name < 5; name++) {
            const char *text =
                message_text(json_object_array_get_idx(rows, i), names[name]);
            HOLDS(text == NULL || fuzz_is_utf8(span_of(text)), "%s", text);
        }
    json_object_put(rows);
    warnings_clear(&warnings);
}

static void check_journal(struct span line) {
    char *out = malloc(line.len + JOURNAL_PREFIX_BYTES);
    size_t len = journal_put(line, out);
    char *stream = fuzz_string(line); /* what JOURNAL_STREAM may say */
    HOLDS(!journal_reads(-1, stream), "%s", stream);
    HOLDS(!journal_reads(STDIN_FILENO, stream) || strchr(stream, ':') != NULL,
          "%s", stream);
    free(stream);
    HOLDS(len == line.len + JOURNAL_PREFIX_BYTES && out[0] == '<' &&
              out[1] >= '3' && out[1] <= '7' && out[2] == '>' &&
              memcmp(out + 3, line.data, line.len) == 0,
          "%.*s", (int)len, out);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    check_warnings(text);
    while (text.len > 0) {
        struct span line = fuzz_take(&text, '\n');
        struct span copy = fuzz_copy(line);
        check_journal(copy);
        if (fuzz_is_utf8(copy))
            check_json(copy);
        free((char *)copy.data);
    }
    return 0;
}
