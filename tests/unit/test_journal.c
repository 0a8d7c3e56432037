/* Prefixes for systemd's journal. */
#include <stdio.h>
#include <sys/stat.h>

#include "supervisor/monitor/journal.h"
#include "tests/unit/unit.h"

static void levels(void **state) {
    (void)state;
    static const struct {
        const char *line;
        char priority;
    } cases[] = {
        {"2026-11-21T18:00:00.123Z ERROR wsclient[1] x\n", '3'},
        {"2026-11-21T18:00:00.123Z WARN wsclient[1] x\n", '4'},
        {"2026-11-21T18:00:00.123Z INFO wsclient[1] x why=\" ERROR \"\n", '6'},
        {"2026-11-21T18:00:00.123Z DEBUG wsclient[1] x\n", '7'},
        {"{\"time\":\"2026-11-21T18:00:00.123Z\",\"level\":\"error\"}\n", '3'},
        {"{\"time\":\"2026-11-21T18:00:00.123Z\",\"level\":\"warn\"}\n", '4'},
        {"not of ours\n", '6'},
        {"\n", '6'},
        {"", '6'},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct span line = exact_copy(cases[i].line, strlen(cases[i].line));
        char out[128];
        assert_int_equal(journal_put(line, out),
                         JOURNAL_PREFIX_BYTES + line.len);
        assert_int_equal(out[0], '<');
        if (out[1] != cases[i].priority)
            fail_msg("row %zu: %c", i, out[1]);
        assert_int_equal(out[2], '>');
        assert_memory_equal(out + 3, cases[i].line, line.len);
    }
}

static void which_descriptor_it_reads(void **state) {
    (void)state;
    struct stat status;
    char stream[64];
    assert_int_equal(fstat(STDOUT_FILENO, &status), 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)status.st_dev,
             (uintmax_t)status.st_ino);
    assert_true(journal_reads(STDOUT_FILENO, stream));
    strcat(stream, "1");
    assert_false(journal_reads(STDOUT_FILENO, stream));
    assert_false(journal_reads(STDOUT_FILENO, NULL));
    assert_false(journal_reads(STDOUT_FILENO, ""));
    assert_false(journal_reads(STDOUT_FILENO, "8:x"));
    assert_false(journal_reads(-1, "8:1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test(which_descriptor_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
