#include "supervisor/monitor/day_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/files.h"
#include "common/memory.h"

void day_file_init(struct day_file *file, const struct daily_file_form *form) {
    *file = (struct day_file){.form = *form, .fd = -1};
}

/* The day in the name of a file of this form. */
static bool read_name(const struct daily_file_form *form, const char *name,
                      day *out) {
    size_t prefix = strlen(form->prefix), date = DAY_TEXT_SIZE - 1;
    return strlen(name) == prefix + date + strlen(form->suffix) &&
           strncmp(name, form->prefix, prefix) == 0 &&
           strcmp(name + prefix + date, form->suffix) == 0 &&
           day_parse((struct span){name + prefix, date}, out) == DAY_OK;
}

static void remove_old(const struct daily_file_form *form, day today) {
    DIR *dir = form->keep_days > 0 ? opendir(form->dir) : NULL;
    struct dirent *entry;
    day when;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (read_name(form, entry->d_name, &when) &&
            when.number < today.number - form->keep_days)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        closedir(dir);
}

void day_file_let_go(struct day_file *file) {
    struct day_file *f = file;
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    free(f->path);
    f->path = NULL;
}

/* Whether what is open is still the file of that name. */
static bool is_in_place(const struct day_file *f) {
    struct stat open_one, named;
    return fstat(f->fd, &open_one) == 0 && stat(f->path, &named) == 0 &&
           open_one.st_ino == named.st_ino && open_one.st_dev == named.st_dev;
}

int day_file_open_today(struct day_file *file) {
    struct day_file *f = file;
    enum { FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW };
    day today = day_of_ms(clock_wall_ms());
    if (f->fd >= 0 && today.number == f->day.number && is_in_place(f))
        return 0;
    day_file_let_go(f);
    char date[DAY_TEXT_SIZE];
    day_print(today, date);
    f->path = memory_print("%s/%s%s%s", f->form.dir, f->form.prefix, date,
                           f->form.suffix);
    f->day = today;
    f->fd = open(f->path, FLAGS, 0640);
    if (f->fd < 0 && errno == ENOENT && files_make_folder(f->form.dir) == 0)
        f->fd = open(f->path, FLAGS, 0640);
    if (f->fd < 0)
        return -1;
    remove_old(&f->form, today);
    return 0;
}

/* Takes back the part of a line that a full disk has still taken. */
static size_t end_with_a_line(const struct day_file *f, struct span written) {
    const char *end = memrchr(written.data, '\n', written.len);
    size_t whole = end != NULL ? (size_t)(end + 1 - written.data) : 0;
    struct stat status;
    if (fstat(f->fd, &status) == 0 &&
        ftruncate(f->fd, status.st_size - (off_t)(written.len - whole)) < 0)
        return written.len;
    return whole;
}

size_t day_file_write(struct day_file *file, struct span lines) {
    struct day_file *f = file;
    size_t at = 0;
    while (at < lines.len) {
        ssize_t n = write(f->fd, lines.data + at, lines.len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int error = errno;
            at = end_with_a_line(f, (struct span){lines.data, at});
            errno = error;
            return at;
        }
        at += (size_t)n;
    }
    return at;
}
