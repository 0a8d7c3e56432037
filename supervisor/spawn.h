/* The birth of a helper: fork and exec, fixed descriptors, own environment. */
#ifndef FXWIRE_SUPERVISOR_SPAWN_H
#define FXWIRE_SUPERVISOR_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/attributes.h"
#include "common/settings/settings.h"

enum { SPAWN_EXTRA_FDS = 2 };

struct spawn {
    const char *path;
    char *const *argv;
    char *const *environment;
    int control_fd; /* becomes CHILD_FD_CONTROL */
    int log_fd;     /* becomes CHILD_FD_LOG */
    /* Become CHILD_FD_EXTRA and CHILD_FD_SECOND; -1: none. */
    int extra_fds[SPAWN_EXTRA_FDS];
    bool keep_stderr; /* else standard error goes to the log */
};

/*
 * Starts it in a process group of its own, to be killed when this process
 * dies, with default dispositions and no signal blocked. Gives its pid; -1 and
 * errno.
 */
MUST_CHECK pid_t spawn_start(const struct spawn *spawn) NONNULL_ALL;

/*
 * Starts a user's command: the words of `command`, found in PATH, and behind
 * them `arguments` (NULL-terminated), with `input` as standard input and
 * `output` as standard output and error. No shell. As spawn_start() else.
 */
MUST_CHECK pid_t spawn_command(const char *command,
                               const char *const arguments[],
                               char *const environment[], int input,
                               int output) NONNULL_ALL;

/*
 * Starts a program of ours that prints for whoever asked: it keeps the standard
 * streams. As spawn_start() else.
 */
MUST_CHECK pid_t spawn_printing(const char *path, char *const argv[],
                                char *const environment[]) NONNULL_ALL;

/* Starts a program of ours with these as its standard streams. As spawn_start()
 * else. */
MUST_CHECK pid_t spawn_between(const char *path, char *const argv[],
                               char *const environment[], int input, int output,
                               int error) NONNULL_ALL;

/*
 * The short environment of a helper: the settings in force that `reader`
 * reads, with `upstream` in the place of REQUESTS_WS_URL if it is not NULL,
 * and of this process's own environment what the C library and its tools look
 * at. NULL-terminated; released with spawn_environment_free(). A secret.
 */
MUST_CHECK char **spawn_environment(const struct settings *settings,
                                    enum settings_reader reader,
                                    const char *upstream) NONNULL(1);
void spawn_environment_free(char ***environment) NONNULL_ALL;

/* The path of a program beside this one; the caller frees it. */
MUST_CHECK char *spawn_sibling(const char *name) NONNULL_ALL;

#endif
