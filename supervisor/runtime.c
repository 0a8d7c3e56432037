#include "supervisor/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/files.h"
#include "common/lines/unix_socket.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/runtime_dir.h"

/* Longer than any process outlives its parent. */
#define LEFTOVER_TIME MILLISECONDS(1500)

static const char *const socket_names[RUNTIME_SOCKETS] = {
    [RUNTIME_CONTROL] = "control.sock",
    [RUNTIME_RATES] = "rates.sock",
    [RUNTIME_LOGS] = "logs.sock"};

static const char claim_name[] = "supervisor";

/* systemd-tmpfiles leaves a folder alone on which there is such a lock. */
static void hold_folder(struct runtime *r) {
    if (r->folder_fd >= 0)
        close(r->folder_fd);
    r->folder_fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->folder_fd >= 0)
        (void)flock(r->folder_fd, LOCK_SH | LOCK_NB);
}

static int refuse_taken(const char *dir) {
    fprintf(stderr, "RUNTIME_DIR=%s: a supervisor is running there already\n",
            dir);
    return EX_TEMPFAIL;
}

bool runtime_is_taken(const char *dir) {
    struct claim claim;
    bool taken = claim_take(&claim, dir, claim_name, SECONDS(0)) < 0 &&
                 errno == EADDRINUSE;
    claim_release(&claim);
    if (taken)
        (void)refuse_taken(dir);
    return taken;
}

/* Makes the folder this service's own; EX_OK or an exit code. */
static int take_folder(struct runtime *r) {
    char *fault = runtime_dir_prepare(r->dir);
    if (fault != NULL) {
        fprintf(stderr, "%s\n", fault);
        free(fault);
        return EX_CONFIG;
    }
    int claimed = claim_take(&r->claim, r->dir, claim_name, SECONDS(0));
    if (claimed < 0 && errno == EADDRINUSE)
        return refuse_taken(r->dir);
    if (claimed < 0)
        log_warn(EVENT_RUNTIME_DIR_NOT_CLAIMED,
                 LOG_FIELDS(log_text("why", strerror(errno))));
    r->lock_fd = runtime_dir_lock(r->dir, RUNTIME_LOCK);
    if (r->lock_fd >= 0)
        return EX_OK;
    if (errno == EWOULDBLOCK)
        return refuse_taken(r->dir);
    fprintf(stderr, "RUNTIME_DIR=%s: cannot be locked: %s\n", r->dir,
            strerror(errno));
    return EX_CONFIG;
}

static int listen_at(struct runtime_socket *s, const char *path) {
    struct stat status;
    int fd = unix_socket_listen(path);
    if (fd < 0)
        return -1;
    if (lstat(path, &status) < 0)
        status = (struct stat){.st_ino = 0}; /* the next look will see it */
    if (s->fd >= 0)
        close(s->fd);
    *s = (struct runtime_socket){fd, status.st_dev, status.st_ino, true};
    return 0;
}

/*
 * The socket may be held by a helper of a service that was killed just now,
 * which is on its way out. EX_OK, or an exit code: it was told why.
 */
static int listen_first(struct runtime_socket *s, const char *path) {
    if (listen_at(s, path) == 0)
        return EX_OK;
    if (errno == EADDRINUSE) {
        unix_socket_wait_unused(path, LEFTOVER_TIME);
        if (listen_at(s, path) == 0)
            return EX_OK;
    }
    bool taken = errno == EADDRINUSE;
    fprintf(stderr, "%s: %s\n", path,
            taken ? "another process listens there; end it first"
                  : strerror(errno));
    return taken ? EX_TEMPFAIL : EX_CONFIG;
}

int runtime_open(struct runtime *runtime, const char *dir) {
    *runtime = (struct runtime){.dir = memory_copy(dir, strlen(dir)),
                                .claim = CLAIM_NONE,
                                .folder_fd = -1,
                                .lock_fd = -1};
    for (size_t i = 0; i < RUNTIME_SOCKETS; i++)
        runtime->sockets[i].fd = -1;
    int code = take_folder(runtime);
    if (code == EX_OK)
        hold_folder(runtime);
    for (size_t i = 0; i < RUNTIME_SOCKETS && code == EX_OK; i++) {
        char *path = runtime_dir_path(dir, socket_names[i]);
        code = listen_first(&runtime->sockets[i], path);
        free(path);
    }
    return code;
}

static void close_one(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void runtime_close(struct runtime *runtime) {
    for (size_t i = 0; i < RUNTIME_SOCKETS; i++) {
        char *path = runtime_dir_path(runtime->dir, socket_names[i]);
        if (runtime->sockets[i].fd >= 0)
            unlink(path);
        close_one(&runtime->sockets[i].fd);
        free(path);
    }
    close_one(&runtime->folder_fd);
    claim_release(&runtime->claim);
    close_one(&runtime->lock_fd); /* last: who waits for the end waits for it */
    free(runtime->dir);
}

/* Adds a name to the list of what was missing. */
static void add(char **missing, const char *name) {
    char *before = *missing;
    *missing = memory_print("%s%s%s", before != NULL ? before : "",
                            before != NULL ? " " : "", name);
    free(before);
}

static void look_at_folder(struct runtime *r, char **missing, char **fault) {
    struct stat opened, named;
    if (r->folder_fd >= 0 && fstat(r->folder_fd, &opened) == 0 &&
        lstat(r->dir, &named) == 0 && opened.st_ino == named.st_ino &&
        opened.st_dev == named.st_dev)
        return;
    add(missing, "the folder");
    *fault = files_make_folder(r->dir) < 0
                 ? memory_print("RUNTIME_DIR=%s: %s", r->dir, strerror(errno))
                 : runtime_dir_prepare(r->dir);
    if (*fault == NULL)
        hold_folder(r);
}

static void look_at_lock(struct runtime *r, char **missing, char **fault) {
    char *path = runtime_dir_path(r->dir, RUNTIME_LOCK);
    struct stat locked, named;
    if (fstat(r->lock_fd, &locked) < 0 || lstat(path, &named) < 0 ||
        locked.st_ino != named.st_ino || locked.st_dev != named.st_dev) {
        add(missing, RUNTIME_LOCK);
        int fd = runtime_dir_lock(r->dir, RUNTIME_LOCK);
        if (fd < 0)
            *fault = memory_print("%s: %s", path, strerror(errno));
        else
            close(r->lock_fd);
        r->lock_fd = fd < 0 ? r->lock_fd : fd;
    }
    files_freshen(path);
    free(path);
}

static void look_at_socket(struct runtime *r, enum runtime_socket_name which,
                           char **missing, char **fault) {
    struct runtime_socket *s = &r->sockets[which];
    char *path = runtime_dir_path(r->dir, socket_names[which]);
    struct stat named;
    s->changed = false;
    if (lstat(path, &named) < 0 || named.st_ino != s->inode ||
        named.st_dev != s->device) {
        add(missing, socket_names[which]);
        if (listen_at(s, path) < 0)
            *fault = memory_print("%s: %s", path, strerror(errno));
    }
    files_freshen(path);
    free(path);
}

char *runtime_look(struct runtime *runtime, char **fault) {
    char *missing = NULL;
    *fault = NULL;
    claim_renew(&runtime->claim, runtime->dir, claim_name);
    look_at_folder(runtime, &missing, fault);
    if (*fault == NULL)
        look_at_lock(runtime, &missing, fault);
    for (int i = 0; i < RUNTIME_SOCKETS; i++)
        if (*fault == NULL)
            look_at_socket(runtime, (enum runtime_socket_name)i, &missing,
                           fault);
    files_freshen(runtime->dir);
    return missing;
}
