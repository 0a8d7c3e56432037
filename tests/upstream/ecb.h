/* The rates of the European Central Bank, from their CSV form. */
#ifndef UPSTREAM_ECB_H
#define UPSTREAM_ECB_H

#include <stddef.h>

/* One line of the file. rate[i] is the text of the rate of column i in units
 * of that currency for one euro, or NULL where none was published. */
struct ecb_row {
    long day;
    const char **rate;
};

/* All texts lie in `text`, which the table owns. Rows go from the newest day
 * to the oldest. There is at least one row and one column. */
struct ecb {
    char *text;
    size_t columns;
    const char **code;
    size_t rows;
    struct ecb_row *row;
};

/* Reads a file; says on stderr what is wrong with it and returns -1 if it
 * cannot be used, else 0. The table is freed by ecb_free() in both cases. */
int ecb_load(struct ecb *e, const char *path);
void ecb_free(struct ecb *e);

/* The rate in force on a day: that day's or the last one published before it,
 * at most seven days back; NULL if there is none. */
const char *ecb_rate(const struct ecb *e, size_t column, long day);

/* The column of a currency, or -1. */
long ecb_column(const struct ecb *e, const char *code);

#endif
