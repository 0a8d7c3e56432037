/* The command line of mock-upstream. */
#ifndef UPSTREAM_OPTIONS_H
#define UPSTREAM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *listen;
    const char *port_file;
    const char *tls_cert, *tls_key; /* NULL: no TLS */
    const char *rates;
    const char *script; /* NULL: none, "-": standard input */
    uint64_t count;
    double rate; /* questions a second, 0 = no limit, less = not said */
    uint64_t window;
    uint64_t seed;
    double seconds, wait, patience, linger;
    bool random;
    bool show, quiet;
    bool same_date;
    bool allow_errors;
    bool help;
};

/* Says on stderr what is wrong with them and returns false. */
bool options_read(struct options *o, int argc, char **argv);

void options_print_help(void);

#endif
