/*
 * The file of calls in STATE_DIR. Lines, by their first character:
 *
 *   c PROVIDER   a call is made, and one of two is taken back
 *   x            the file and its folder lose their names, and get them back
 *   o, s         the file is opened again; where the disk has no room
 *   b            the same, and a folder has the file's place; then it has not
 *   d PLACE NUMBER, or d PLACE   ... with damage, see files_damage()
 */
#include "ratefetcher/call_counts.h"
#include "tests/fuzz/files.h"

/* 2025-06-13 */
#define TODAY ((day){20252})

static struct call_counts *book;
static bool blocked; /* the file can not be had */

static void call(struct span name) {
    char *provider = fuzz_string(name);
    monotime now = {(int64_t)name.len * USEC_PER_SEC * 7};
    provider[name.len < 31 ? name.len : 31] = '\0';
    struct call_counts_record *record = call_counts_record(book, provider);
    HOLDS(strcmp(record->provider, provider) == 0, "%s, not %s",
          record->provider, provider);
    HOLDS(call_counts_record(book, provider) == record, "%s", provider);
    uint64_t before = call_counts_of_month(record, TODAY);
    uint32_t lately = quota_calls(&record->quota, now);
    call_counts_add(record, TODAY, now);
    HOLDS(call_counts_of_month(record, TODAY) == before + 1, "%s", provider);
    HOLDS(quota_wait(&record->quota, 1, now).usec >= 0, "%s", provider);
    if (lately % 2 == 1)
        call_counts_take_back(record, TODAY, now);
    HOLDS(call_counts_of_month(record, day_add(TODAY, 31)) == 0, "%s",
          provider);
    free(provider);
}

static void open_again(void) {
    char before[CALL_COUNTS_TOKEN_SIZE];
    book = call_counts_open(files_folder);
    HOLDS(strlen(call_counts_token(book)) == CALL_COUNTS_TOKEN_SIZE - 1, "%s",
          call_counts_token(book));
    strcpy(before, call_counts_token(book));
    call_counts_close(&book);
    book = call_counts_open(files_folder);
    HOLDS(blocked || strcmp(before, call_counts_token(book)) == 0, "%s",
          before);
}

static void without_room(void) {
    unlink(files_path);
    files_limit(100);
    book = call_counts_open(files_folder);
    files_limit(0);
    call(span_of("ecb"));
    call_counts_restore(book);
    call_counts_close(&book);
}

static void take_line(struct span line) {
    char what = line.len > 0 ? line.data[0] : ' ';
    struct span text = span_from(line, line.len < 2 ? line.len : 2);
    if (what == 'c')
        call(text);
    if (what == 'x') {
        unlink(files_path);
        rmdir(files_folder);
        call_counts_restore(book);
        HOLDS(blocked || access(files_path, F_OK) == 0, "%s", files_path);
    }
    if (line.len > 0 && strchr("dosb", what) != NULL) {
        call_counts_close(&book);
        if (what == 'b')
            files_block(blocked = !blocked);
        if (what == 'd' && !blocked)
            files_damage(text);
        if (what == 's')
            without_room();
        open_again();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    files_begin("calls");
    unlink(files_path);
    open_again();
    while (text.len > 0)
        take_line(fuzz_take(&text, '\n'));
    if (blocked)
        take_line(span_of("b"));
    call_counts_restore(book);
    call_counts_close(&book);
    return 0;
}
