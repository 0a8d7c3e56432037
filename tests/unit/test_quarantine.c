/* The quarantine: a file for each message, and not too many of them. */
#include <stdio.h>

#include "common/day.h"
#include "tests/unit/ledger_folder.h"
#include "wsclient/quarantine.h"

/* 2026-11-21T12:00:00.000Z */
#define NOON_MS INT64_C(1795262400000)

static void path_of(const struct room *room, const char *name, char path[128]) {
    snprintf(path, 128, "%s/quarantine/%s.message", room->folder, name);
}

static void save(const struct room *room, const char *text, int64_t ms,
                 uint64_t sequence) {
    quarantine_save(room->folder, exact_copy(text, strlen(text)), NOON_MS + ms,
                    sequence);
}

/* There is a file of that name with that text; it is removed. */
static void expect_file(const struct room *room, const char *name,
                        const char *text) {
    char path[128], bytes[256];
    struct stat status;
    path_of(room, name, path);
    size_t len = room_read(path, bytes, sizeof bytes);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(bytes, text, len);
    assert_int_equal(lstat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    unlink(path);
}

static void remove_folder(const struct room *room) {
    char path[64];
    snprintf(path, sizeof path, "%s/quarantine", room->folder);
    assert_int_equal(rmdir(path), 0); /* nothing else is in it */
}

static void a_message_is_kept_as_it_came(void **state) {
    struct room *room = *state;
    struct stat status;
    char path[64];
    save(room, "{\"id\":1}", 7, 42);
    room_expect_told(room, "message_quarantined path=");
    save(room, "", 7, 43);
    room_expect_told(room, "2026-11-21T12:00:00.007Z-43");
    snprintf(path, sizeof path, "%s/quarantine", room->folder);
    assert_int_equal(lstat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    expect_file(room, "2026-11-21T12:00:00.007Z-42", "{\"id\":1}");
    expect_file(room, "2026-11-21T12:00:00.007Z-43", "");
    remove_folder(room);
}

static void missing_folders_are_made(void **state) {
    struct room *room = *state;
    char state_dir[64], path[96];
    snprintf(state_dir, sizeof state_dir, "%s/a/b", room->folder);
    quarantine_save(state_dir, span_of("x"), NOON_MS, 1);
    room_expect_told(room, "message_quarantined path=");
    static const char *const left[] = {
        "a/b/quarantine/2026-11-21T12:00:00.000Z-1.message", "a/b/quarantine",
        "a/b", "a"};
    for (size_t i = 0; i < COUNT_OF(left); i++) {
        snprintf(path, sizeof path, "%s/%s", room->folder, left[i]);
        assert_int_equal(remove(path), 0);
    }
}

/* Files of other names are not ours, and are neither counted nor removed. */
static void the_newest_hundred_are_kept(void **state) {
    struct room *room = *state;
    char path[128], name[128], moment[MOMENT_TEXT_SIZE], text[16];
    save(room, "first", -1, 1);
    room_expect_told(room, "message_quarantined");
    snprintf(path, sizeof path, "%s/quarantine/0-somebody's", room->folder);
    room_write(path, "", 0);
    for (int i = 0; i < 150; i++) {
        snprintf(text, sizeof text, "text %d", i);
        save(room, text, i * 1000, (uint64_t)(1000 - i));
        room_expect_told(room, "message_quarantined");
        path_of(room, "2026-11-21T11:59:59.999Z-1", name);
        assert_int_equal(room_has(name), i < 99);
    }
    for (int i = 50; i < 150; i++) {
        moment_print_ms(NOON_MS + i * 1000, moment);
        snprintf(name, sizeof name, "%s-%d", moment, 1000 - i);
        snprintf(text, sizeof text, "text %d", i);
        expect_file(room, name, text);
    }
    assert_int_equal(unlink(path), 0);
    remove_folder(room);
}

/* Nothing is written over, nor behind a link. */
static void what_is_there_is_not_touched(void **state) {
    struct room *room = *state;
    char path[128], target[128];
    save(room, "first", 0, 1);
    room_expect_told(room, "message_quarantined path=");
    save(room, "second", 0, 1);
    room_expect_told(room, "not_saved");
    expect_file(room, "2026-11-21T12:00:00.000Z-1", "first");
    snprintf(target, sizeof target, "%s/target", room->folder);
    path_of(room, "2026-11-21T12:00:00.000Z-2", path);
    assert_int_equal(symlink(target, path), 0);
    save(room, "third", 0, 2);
    room_expect_told(room, "not_saved");
    assert_false(room_has(target));
    unlink(path);
    remove_folder(room);
}

/* It is logged why; who calls goes on. */
static void what_can_not_be_saved_is_logged(void **state) {
    struct room *room = *state;
    char path[64], log[LOG_LINE_BYTES] = "";
    snprintf(path, sizeof path, "%s/quarantine", room->folder);
    room_write(path, "a file", 6);
    save(room, "x", 0, 1);
    assert_true(read(room->told[0], log, sizeof log - 1) > 0);
    assert_non_null(strstr(log, "ERROR"));
    assert_non_null(strstr(log, "message_quarantined not_saved=\"Not a direc"));
    unlink(path);
    quarantine_save("/proc/nowhere", span_of("x"), NOON_MS, 1);
    room_expect_told(room, "not_saved");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_is_kept_as_it_came, room_open,
                                        room_close),
        cmocka_unit_test_setup_teardown(missing_folders_are_made, room_open,
                                        room_close),
        cmocka_unit_test_setup_teardown(the_newest_hundred_are_kept, room_open,
                                        room_close),
        cmocka_unit_test_setup_teardown(what_is_there_is_not_touched, room_open,
                                        room_close),
        cmocka_unit_test_setup_teardown(what_can_not_be_saved_is_logged,
                                        room_open, room_close),
    };
    return cmocka_run_group_tests_name("quarantine", tests, NULL, NULL);
}
