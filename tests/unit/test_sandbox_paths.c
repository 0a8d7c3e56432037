/* Which files and ports a helper is let into, by its settings. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/memory.h"
#include "common/sandbox/paths.h"
#include "tests/unit/unit.h"

/* Named such that it does not stand in /tmp, wherever this runs. */
static char folder[] = "unit-paths-XXXXXX";
static char *full; /* its whole path */

static char *in_folder(const char *name) {
    return memory_print("%s/%s", full, name);
}

static char *setting(const char *name, const char *value) {
    return memory_print("%s=%s", name, value);
}

static char *setting_in(const char *name, const char *file) {
    return memory_print("%s=%s/%s", name, folder, file);
}

/* Frees the environment. */
static struct paths paths_of(enum settings_reader who, char *environment[]) {
    struct settings *settings = settings_load(environment, NULL, false, who);
    struct paths paths;
    assert_string_equal(settings_faults(settings), "");
    paths_init(&paths, who, settings);
    settings_free(&settings);
    for (size_t i = 0; environment[i] != NULL; i++)
        free(environment[i]);
    return paths;
}

static void clear(struct paths *paths) {
    for (size_t i = 0; i < paths->count; i++) {
        free(paths->rules[i].path);
        free(paths->rules[i].plain);
    }
}

static bool connects(const struct paths *paths, uint16_t port) {
    for (size_t i = 0; i < paths->connect_count; i++)
        if (paths->connect[i] == port)
            return true;
    return false;
}

static void make_file(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void ports_of_wsclient(void **state) {
    (void)state;
    char *environment[] = {
        setting("REQUESTS_WS_URL", "wss://upstream.example/ws"),
        setting("WS_ORIGIN", "https://client.example:1234"),
        setting("RUNTIME_DIR", folder), setting("STATE_DIR", folder), NULL};
    struct paths paths = paths_of(SETTINGS_WSCLIENT, environment);
    assert_true(connects(&paths, 443));
    assert_true(connects(&paths, 53));
    assert_int_equal(paths.connect_count, 2);
    assert_int_equal(paths.listen, 0);
    clear(&paths);
}

static void ports_of_ratefetcher(void **state) {
    (void)state;
    char *environment[] = {
        setting("RATES_URL", "http://127.0.0.1:8123/rates.csv"),
        setting("REDIS_URL", "redis://cache.example/2"),
        setting("RUNTIME_DIR", folder), setting("STATE_DIR", folder), NULL};
    struct paths paths = paths_of(SETTINGS_RATEFETCHER, environment);
    assert_true(connects(&paths, 8123));
    assert_true(connects(&paths, 6379));
    assert_true(connects(&paths, 443)); /* the other providers' */
    assert_false(connects(&paths, 80));
    assert_false(paths.connect_anywhere);
    clear(&paths);
}

static void sentinels_name_any_port(void **state) {
    (void)state;
    char *environment[] = {
        setting("REDIS_URL", "redis+sentinel://one.example/master"),
        setting("RUNTIME_DIR", folder), setting("STATE_DIR", folder), NULL};
    struct paths paths = paths_of(SETTINGS_RATEFETCHER, environment);
    assert_true(paths.connect_anywhere);
    clear(&paths);
}

static void ports_of_the_monitor(void **state) {
    (void)state;
    char *environment[] = {setting("STATUS_LISTEN", "[::1]:9464"),
                           setting("RUNTIME_DIR", folder), NULL};
    struct paths paths = paths_of(SETTINGS_MONITOR, environment);
    assert_int_equal(paths.listen, 9464);
    assert_int_equal(paths.connect_count, 0);
    assert_true(paths_allow(&paths, full, true));
    assert_int_equal(paths.count, 1);
    clear(&paths);
}

static void folders_and_files(void **state) {
    (void)state;
    char *run = in_folder("run"), *rates = in_folder("in/rates.csv"),
         *beside = in_folder("in/other"), *above = in_folder("above"),
         *within = in_folder("run/x/y"), *alike = in_folder("run-not"),
         *in = in_folder("in");
    assert_int_equal(mkdir(in, 0700), 0);
    make_file(rates);
    char *environment[] = {setting_in("RATES_FILE", "in/rates.csv"),
                           setting_in("RUNTIME_DIR", "run"),
                           setting_in("STATE_DIR", "run"), NULL};
    struct paths paths = paths_of(SETTINGS_RATEFETCHER, environment);
    assert_int_equal(access(run, W_OK), 0); /* it was made */
    assert_true(paths_allow(&paths, run, true));
    assert_true(paths_allow(&paths, within, true));
    assert_false(paths_allow(&paths, alike, false));
    assert_false(paths_allow(&paths, above, false));
    assert_true(paths_allow(&paths, rates, false));
    assert_true(paths_allow(&paths, beside, false));
    assert_false(paths_allow(&paths, rates, true));
    assert_true(paths_allow(&paths, "/etc/nsswitch.conf", false));
    assert_false(paths_allow(&paths, "/etc/passwd", false));
    assert_false(paths_allow(&paths, "/etc", false));
    assert_false(paths_changed(&paths));
    assert_int_equal(unlink(rates), 0);
    make_file(rates); /* of a folder that is let in */
    assert_false(paths_changed(&paths));
    make_file(above); /* while the other's number is taken */
    assert_int_equal(rmdir(run), 0);
    assert_true(paths_changed(&paths)); /* the next process makes it again */
    assert_int_equal(rename(above, run), 0);
    assert_true(paths_changed(&paths));
    clear(&paths);
    unlink(run), unlink(rates), rmdir(in);
    free(run), free(rates), free(beside), free(above);
    free(within), free(alike), free(in);
}

static void a_folder_that_can_not_be_made(void **state) {
    (void)state;
    char *file = in_folder("file");
    make_file(file);
    char *environment[] = {setting("RUNTIME_DIR", folder),
                           setting_in("STATE_DIR", "file/state"), NULL};
    struct paths paths = paths_of(SETTINGS_RATEFETCHER, environment);
    assert_int_equal(unlink(file), 0);
    assert_false(
        paths_changed(&paths)); /* or one would start after the other */
    clear(&paths);
    free(file);
}

static void places_that_are_swept(void **state) {
    (void)state;
    char *environment[] = {setting("RUNTIME_DIR", "/tmp/not/there/run"),
                           setting("STATE_DIR", "/var/tmp/not"),
                           setting("REQUESTS_WS_URL", "ws://127.0.0.1:9/"),
                           NULL};
    struct paths paths = paths_of(SETTINGS_WSCLIENT, environment);
    assert_true(paths_allow(&paths, "/tmp/another/run", true));
    assert_true(paths_allow(&paths, "/var/tmp/another", true));
    assert_int_equal(access("/tmp/not", F_OK), -1);
    clear(&paths);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_of_wsclient),
        cmocka_unit_test(ports_of_ratefetcher),
        cmocka_unit_test(sentinels_name_any_port),
        cmocka_unit_test(ports_of_the_monitor),
        cmocka_unit_test(folders_and_files),
        cmocka_unit_test(a_folder_that_can_not_be_made),
        cmocka_unit_test(places_that_are_swept),
    };
    if (mkdtemp(folder) == NULL || (full = realpath(folder, NULL)) == NULL)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    free(full);
    return failed;
}
