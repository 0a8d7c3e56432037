#include "ecb.h"

#include "day.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ECB_LOOK_BACK = 7, ECB_RATE_MAX = 32 };

static void *ecb_alloc(size_t count, size_t size) {
    void *p = calloc(count ? count : 1, size);
    if (!p) {
        perror(program_invocation_short_name);
        exit(2);
    }
    return p;
}

static char *ecb_slurp(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    size_t cap = 1 << 16;
    size_t len = 0;
    char *text = ecb_alloc(cap, 1);
    size_t got;
    while ((got = fread(text + len, 1, cap - len - 1, f)) > 0) {
        len += got;
        if (cap - len - 1 == 0) {
            char *more = ecb_alloc(cap * 2, 1);
            memcpy(more, text, len);
            free(text);
            text = more;
            cap *= 2;
        }
    }
    text[len] = '\0';
    fclose(f);
    return text;
}

static size_t ecb_count(const char *text, char what) {
    size_t n = 0;
    for (; *text; text++)
        n += *text == what;
    return n;
}

/* Cuts the next cell off a line; an empty one after the last comma is not a
 * cell, so the trailing comma of the file does no harm. */
static char *ecb_cell(char **line) {
    if (!*line || **line == '\0')
        return NULL;
    char *cell = strsep(line, ",");
    cell += strspn(cell, " ");
    cell[strcspn(cell, " \r")] = '\0';
    return cell;
}

static bool ecb_header(struct ecb *e, char *line) {
    e->code = ecb_alloc(ecb_count(line, ',') + 1, sizeof *e->code);
    const char *first = ecb_cell(&line);
    if (!first || strcmp(first, "Date") != 0)
        return false;
    const char *cell;
    while ((cell = ecb_cell(&line)) && *cell)
        e->code[e->columns++] = cell;
    return e->columns > 0;
}

/* Plain digits with at most one point, and more than zero; not so many that an
 * amount would have more than there is room for. */
static bool ecb_is_rate(const char *cell) {
    size_t digits = strspn(cell, "0123456789");
    size_t more = 0;
    if (cell[digits] == '.')
        more = 1 + strspn(cell + digits + 1, "0123456789");
    return digits > 0 && digits + more <= ECB_RATE_MAX && more != 1 &&
           cell[digits + more] == '\0' && strpbrk(cell, "123456789");
}

static bool ecb_line(struct ecb *e, char *line) {
    struct ecb_row *row = &e->row[e->rows];
    row->rate = ecb_alloc(e->columns, sizeof *row->rate);
    e->rows++;
    const char *cell = ecb_cell(&line);
    if (!cell || strlen(cell) != DAY_TEXT - 1)
        return false;
    row->day = day_read(cell);
    if (row->day == DAY_NONE || (e->rows > 1 && row->day >= row[-1].day))
        return false;
    for (size_t i = 0; i < e->columns && (cell = ecb_cell(&line)); i++) {
        if (*cell == '\0' || strcmp(cell, "N/A") == 0)
            continue;
        if (!ecb_is_rate(cell))
            return false;
        row->rate[i] = cell;
    }
    return true;
}

static bool ecb_parse(struct ecb *e, const char *path) {
    char *rest = e->text;
    e->row = ecb_alloc(ecb_count(rest, '\n') + 1, sizeof *e->row);
    char *line = strsep(&rest, "\n");
    if (!ecb_header(e, line)) {
        fprintf(stderr, "%s: %s: first line is not Date,...\n",
                program_invocation_short_name, path);
        return false;
    }
    for (unsigned n = 2; (line = strsep(&rest, "\n")); n++) {
        if (line[strspn(line, " \r")] == '\0')
            continue;
        if (!ecb_line(e, line)) {
            fprintf(stderr, "%s: %s:%u: bad line\n",
                    program_invocation_short_name, path, n);
            return false;
        }
    }
    if (e->rows == 0)
        fprintf(stderr, "%s: %s: no rates\n", program_invocation_short_name,
                path);
    return e->rows > 0;
}

int ecb_load(struct ecb *e, const char *path) {
    *e = (struct ecb){0};
    e->text = ecb_slurp(path);
    if (!e->text) {
        perror(path);
        return -1;
    }
    return ecb_parse(e, path) ? 0 : -1;
}

void ecb_free(struct ecb *e) {
    for (size_t i = 0; i < e->rows; i++)
        free(e->row[i].rate);
    free(e->row);
    free(e->code);
    free(e->text);
    *e = (struct ecb){0};
}

const char *ecb_rate(const struct ecb *e, size_t column, long day) {
    for (size_t i = 0; i < e->rows; i++) {
        const struct ecb_row *row = &e->row[i];
        if (row->day < day - ECB_LOOK_BACK)
            break;
        if (row->day <= day && row->rate[column])
            return row->rate[column];
    }
    return NULL;
}

long ecb_column(const struct ecb *e, const char *code) {
    for (size_t i = 0; i < e->columns; i++)
        if (strcmp(e->code[i], code) == 0)
            return (long)i;
    return -1;
}
