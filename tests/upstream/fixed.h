/* Currencies that became the euro, at the rates of the law. */
#ifndef UPSTREAM_FIXED_H
#define UPSTREAM_FIXED_H

/* The rate of a currency (three letters) that is euros on that day, or NULL. */
const char *fixed_rate(const char *code, long day);

#endif
