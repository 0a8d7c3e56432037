#include "supervisor/selftest/stand.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/files.h"
#include "common/loop.h"
#include "common/memory.h"
#include "supervisor/spawn.h"

enum {
    PORT_SIZE = 16,
    PORT_TRIES = 500,
    PAUSE_MS = 20,
    STOP_TRIES = 1000,
    ARGUMENTS = 24,
    RECENT_DAYS = 20,
    PAST_DAYS = 40,
    SECONDS_A_DAY = 86400,
    WALK_FDS = 8
};

static const char *const names[STAND_PROGRAMS] = {
    "mock-provider", "mock-upstream", "redis", "supervisor"};

static void pause_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static bool complain(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    return false;
}

/* A row of rates that differ from day to day, made up. */
static void write_row(FILE *file, time_t day, unsigned n) {
    static const double rates[] = {1.1, 160.5, 0.85, 0.94, 11.4, 25.1};
    char text[16];
    struct tm tm;
    strftime(text, sizeof text, "%Y-%m-%d", gmtime_r(&day, &tm));
    fputs(text, file);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        fprintf(file, ",%.4f", rates[i] * (1 + (n * 37 + i * 11) % 97 / 1e3));
    putc('\n', file);
}

/* Today's, those of the last weeks, and some of years ago. */
static bool write_rates(const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return complain(path);
    time_t today = time(NULL);
    fputs("Date,USD,JPY,GBP,CHF,SEK,CZK\n", file);
    for (unsigned i = 0; i < RECENT_DAYS; i++)
        write_row(file, today - (time_t)i * SECONDS_A_DAY, i);
    for (unsigned i = 0; i < PAST_DAYS; i++)
        write_row(file, today - (time_t)(1500 + i) * SECONDS_A_DAY, 100 + i);
    return fclose(file) == 0 || complain(path);
}

static char *in_folder(const struct stand *s, const char *name) {
    return memory_print("%s/%s", s->folder, name);
}

/* With a pipe to its standard input, and one from its output or a log of it. */
static void start(struct stand *s, enum stand_program which,
                  const char *const argv[], char *const environment[],
                  bool read_output) {
    char *log = in_folder(s, names[which]), *path = spawn_sibling(names[which]);
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        loop_fail("pipe");
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t pid =
        which == STAND_REDIS
            ? spawn_command(argv[0], argv + 1, environment, in[0], fd)
            : spawn_between(path, (char *const *)(uintptr_t)argv, environment,
                            in[0], read_output ? out[1] : fd, fd);
    s->pid[which] = pid > 0 ? pid : 0;
    close(in[0]);
    close(out[1]);
    close(fd);
    s->orders[which] = in[1];
    if (read_output)
        s->upstream_out = out[0];
    else
        close(out[0]);
    free(log);
    free(path);
}

/* Waits for the file with the port of a stand-in. */
static bool wait_for_port(struct stand *s, enum stand_program which,
                          char port[PORT_SIZE]) {
    char *name = memory_print("%s.port", names[which]);
    char *path = in_folder(s, name);
    bool found = false;
    for (int i = 0; i < PORT_TRIES && !found; i++) {
        size_t len;
        char *text = files_read(path, &len);
        found = text != NULL && len < PORT_SIZE;
        if (found)
            snprintf(port, PORT_SIZE, "%.*s", (int)strcspn(text, "\n"), text);
        else
            pause_ms(PAUSE_MS);
        free(text);
    }
    if (!found)
        fprintf(stderr, "%s did not start, see %s/%s\n", names[which],
                s->folder, names[which]);
    free(name);
    free(path);
    return found;
}

/* A stand-in with the options that all have, and these. */
static bool start_mock(struct stand *s, enum stand_program which,
                       const char *const options[], char port[PORT_SIZE]) {
    char *rates = in_folder(s, "rates.csv");
    char *name = memory_print("%s.port", names[which]);
    char *port_file = in_folder(s, name);
    const char *argv[ARGUMENTS] = {names[which],  "--rates",  rates,
                                   "--port-file", port_file,  "--script",
                                   "-",           "--listen", "127.0.0.1:0"};
    int n = 9;
    while (*options != NULL)
        argv[n++] = *options++;
    start(s, which, argv, environ, which == STAND_UPSTREAM);
    free(rates);
    free(name);
    free(port_file);
    return wait_for_port(s, which, port);
}

static bool start_mocks(struct stand *s, double seconds,
                        char port[STAND_PROGRAMS][PORT_SIZE]) {
    static const char *const quiet[] = {"--quiet", NULL};
    char *time = memory_print("%.3f", seconds);
    const char *const asking[] = {
        "--random", "--rate",   "50", "--seconds",      time,     "--patience",
        "15",       "--linger", "1",  "--allow-errors", "--show", NULL};
    bool good = start_mock(s, STAND_PROVIDER, quiet, port[STAND_PROVIDER]) &&
                start_mock(s, STAND_UPSTREAM, asking, port[STAND_UPSTREAM]);
    free(time);
    return good;
}

static bool is_in_path(const char *name) {
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        char *file = memory_print("%.*s/%s", (int)len, path, name);
        bool found = access(file, X_OK) == 0;
        free(file);
        if (found)
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}

/* The service's own settings; of the caller's environment only its PATH and the
 * like come through, so a service that is running is not touched. */
static bool make_settings(struct stand *s,
                          char port[STAND_PROGRAMS][PORT_SIZE]) {
    const char *dir = s->folder;
    char *list[] = {
        memory_print("RUNTIME_DIR=%s/run", dir),
        memory_print("STATE_DIR=%s/state", dir),
        memory_print("REQUESTS_WS_URL=ws://127.0.0.1:%s/",
                     port[STAND_UPSTREAM]),
        memory_print("FRANKFURTER_URL=http://127.0.0.1:%s/frankfurter",
                     port[STAND_PROVIDER]),
        memory_print("ECB_URL=http://127.0.0.1:%s/ecb", port[STAND_PROVIDER]),
        memory_print("RATE_PROVIDERS=frankfurter ecb"),
        memory_print("CACHE_TTL_SECONDS=5"),
        memory_print("STALE_MAX_SECONDS=3600"),
        memory_print("PROVIDER_CALLS_PER_MINUTE=10000"),
        memory_print("PROVIDER_PROXY=none"),
        memory_print("WS_PROXY=none"),
        s->has_redis ? memory_print("REDIS_URL=unix://%s/redis.sock", dir)
                     : NULL,
        NULL};
    s->settings = settings_load(list, "/dev/null", true, SETTINGS_ALL);
    for (size_t i = 0; list[i] != NULL; i++)
        free(list[i]);
    if (*settings_faults(s->settings) != '\0') {
        fputs(settings_faults(s->settings), stderr);
        return false;
    }
    s->environment = spawn_environment(s->settings, SETTINGS_ALL, NULL);
    return true;
}

void stand_start(struct stand *s, enum stand_program program) {
    char *socket = in_folder(s, "redis.sock");
    const char *redis[] = {"redis-server", "--port", "0", "--unixsocket",
                           socket,         "--save", "",  NULL};
    const char *service[] = {"supervisor", "--env-file", "/dev/null", "run",
                             NULL};
    if (program == STAND_REDIS)
        start(s, program, redis, environ, false);
    else
        start(s, program, service, s->environment, false);
    free(socket);
}

static char *make_folder(void) {
    const char *base = getenv("TMPDIR");
    char *folder = memory_print("%s/fxwire-test-XXXXXX",
                                base != NULL && *base != '\0' ? base : "/tmp");
    if (mkdtemp(folder) == NULL) {
        complain(folder);
        free(folder);
        return NULL;
    }
    return folder;
}

bool stand_begin(struct stand *s, double seconds, bool with_redis) {
    char port[STAND_PROGRAMS][PORT_SIZE];
    *s = (struct stand){.folder = make_folder(), .upstream_out = -1};
    for (int i = 0; i < STAND_PROGRAMS; i++)
        s->orders[i] = -1;
    if (s->folder == NULL)
        return false;
    s->has_redis = with_redis && is_in_path("redis-server");
    char *rates = in_folder(s, "rates.csv");
    bool good = write_rates(rates) && start_mocks(s, seconds, port) &&
                make_settings(s, port);
    free(rates);
    if (!good)
        return false;
    if (s->has_redis)
        stand_start(s, STAND_REDIS);
    stand_start(s, STAND_SERVICE);
    return true;
}

void stand_order(struct stand *s, enum stand_program program,
                 const char *line) {
    dprintf(s->orders[program], "%s\n", line);
}

/* Waits until it has ended or `tries` pauses are over; -1: it has not. */
static int await(struct stand *s, enum stand_program program, int tries) {
    siginfo_t end = {.si_pid = 0};
    for (int i = 0; i < tries && end.si_pid == 0; i++) {
        if (i > 0)
            pause_ms(PAUSE_MS);
        if (waitid(P_PID, (id_t)s->pid[program], &end, WEXITED | WNOHANG) < 0)
            break;
    }
    if (end.si_pid == 0)
        return -1;
    s->pid[program] = 0;
    if (s->orders[program] >= 0)
        close(s->orders[program]);
    s->orders[program] = -1;
    return end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status;
}

void stand_revive_redis(struct stand *s) {
    if (s->pid[STAND_REDIS] > 0)
        kill(s->pid[STAND_REDIS], SIGCONT);
    if (s->has_redis &&
        (s->pid[STAND_REDIS] == 0 || await(s, STAND_REDIS, 1) >= 0))
        stand_start(s, STAND_REDIS);
}

bool stand_service_ended(struct stand *s) {
    if (s->pid[STAND_SERVICE] == 0)
        return true;
    int code = await(s, STAND_SERVICE, 1);
    if (code >= 0)
        s->service_code = code;
    return code >= 0;
}

static void kill_now(struct stand *s, enum stand_program program) {
    kill(s->pid[program], SIGCONT);
    kill(s->pid[program], SIGKILL);
    await(s, program, STOP_TRIES);
}

int stand_stop_service(struct stand *s) {
    if (stand_service_ended(s))
        return s->service_code;
    kill(s->pid[STAND_SERVICE], SIGTERM);
    int code = await(s, STAND_SERVICE, STOP_TRIES);
    if (code < 0)
        kill_now(s, STAND_SERVICE);
    return code;
}

static int remove_one(const char *path, const struct stat *at, int type,
                      struct FTW *place) {
    (void)at;
    (void)type;
    (void)place;
    return remove(path);
}

void stand_end(struct stand *s, bool keep) {
    for (int i = STAND_PROGRAMS - 1; i >= 0; i--)
        if (s->pid[i] != 0)
            kill_now(s, (enum stand_program)i);
    if (s->upstream_out >= 0)
        close(s->upstream_out);
    if (s->environment != NULL)
        spawn_environment_free(&s->environment);
    if (s->settings != NULL)
        settings_free(&s->settings);
    if (s->folder != NULL && !keep)
        nftw(s->folder, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS);
    free(s->folder);
    s->folder = NULL;
}
