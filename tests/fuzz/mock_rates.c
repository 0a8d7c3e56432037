/*
 * The rates that the stand-ins are given, as CSV in the ECB's form. What they
 * take is what fxwire takes: each of their rates is one of its table, or none
 * for it, too. Amounts at any of them are plain decimals.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "ratefetcher/providers/texts.h"
#include "tests/fuzz/quiet.h"
#include "tests/fuzz/tables.h"
#include "tests/upstream/ecb.h"
#include "tests/upstream/euro.h"

enum { MOST_ROWS = 64 };

static void check_amounts(const char *rate) {
    static const char *const stakes[] = {"0", "253.67", "999999999999999",
                                         "0.000000000000000001", "1e14"};
    char amount[EURO_TEXT];
    euro_tie(rate, 99999, amount);
    HOLDS(strspn(amount, "0123456789.") == strlen(amount), "%s", amount);
    for (size_t i = 0; i < sizeof stakes / sizeof *stakes; i++) {
        euro_from(stakes[i], rate, amount);
        size_t whole = strspn(amount, "0123456789");
        size_t more = amount[whole] == '.'
                          ? 1 + strspn(amount + whole + 1, "0123456789")
                          : 0;
        HOLDS(whole > 0 && more <= 6 && amount[whole + more] == '\0', "%s / %s",
              stakes[i], rate);
    }
}

/* Of its day, the same; or fxwire has no such rate, or tells of a row
 * that it leaves out. */
static void check_rate(const struct tables_reading *ours, long number,
                       const char *code, const char *rate) {
    struct rate read;
    day when = {(int32_t)number};
    const struct rates *rates = history_find(ours->history, when, when);
    if (!rates_is_code(span_of(code)) || strcmp(code, "EUR") == 0 ||
        rates_read("EUR", code, span_of(rate), &read) != RATES_ADDED)
        return;
    bool is_there = rates != NULL && rates_as_of(rates).number == number;
    HOLDS(is_there || ours->faults.count > 0, "%s %s", code, rate);
    const struct decimal *found =
        is_there ? rates_find(rates, span_of(code)) : NULL;
    HOLDS(!is_there ||
              (found != NULL && decimal_compare(*found, read.value) == 0),
          "%s %s", code, rate);
}

static void check_row(const struct ecb *ecb, const struct ecb_row *row,
                      const struct tables_reading *ours) {
    for (size_t i = 0; i < ecb->columns; i++) {
        const char *rate = row->rate[i], *code = ecb->code[i];
        if (rate == NULL)
            continue;
        check_amounts(rate);
        HOLDS(ecb_rate(ecb, i, row->day) == rate, "%s", rate);
        HOLDS(row > ecb->row || (ecb_rate(ecb, i, row->day + 7) == rate &&
                                 ecb_rate(ecb, i, row->day + 8) == NULL),
              "%s", rate);
        if (ours->why == NULL && ecb_column(ecb, code) == (long)i)
            check_rate(ours, row->day, code, rate);
    }
}

static bool load(struct ecb *ecb, const char *path) {
    quiet(true);
    bool loaded = ecb_load(ecb, path) == 0;
    quiet(false);
    return loaded;
}

static bool load_text(struct ecb *ecb, struct span text) {
    char path[64];
    int fd = memfd_create("rates", 0);
    HOLDS(write(fd, text.data, text.len) == (ssize_t)text.len, "no room");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool loaded = load(ecb, path);
    close(fd);
    return loaded;
}

/* None, and one of many empty lines. */
static void check_files(void) {
    static char lines[1 << 17];
    struct ecb ecb;
    HOLDS(!load(&ecb, "/no/such/file"), "it is there");
    ecb_free(&ecb);
    memset(lines, '\n', sizeof lines);
    HOLDS(!load_text(&ecb, (struct span){lines, sizeof lines}), "no rates");
    ecb_free(&ecb);
}

/* What the two read in other ways: quotes, blanks within a cell, other ends of
 * lines, and of the text. */
static bool is_plain(struct span text) {
    for (size_t i = 0; i < text.len; i++)
        if (strchr("\" \t\r", text.data[i]) != NULL) /* or NUL */
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    struct ecb ecb;
    if (size == 0)
        check_files();
    if (load_text(&ecb, text) && is_plain(text)) {
        struct tables_reading ours = tables_read(&csv_text, text, 0);
        for (size_t i = 0; i < ecb.rows && i < MOST_ROWS; i++)
            check_row(&ecb, &ecb.row[i], &ours);
        history_free(&ours.history);
    }
    ecb_free(&ecb);
    return 0;
}
