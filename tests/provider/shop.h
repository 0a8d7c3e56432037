/* The rates, over HTTP, and what goes wrong with them. */
#ifndef PROVIDER_SHOP_H
#define PROVIDER_SHOP_H

#include "forms.h"
#include "trouble.h"

#include "tests/upstream/tls.h"

#include <event2/event.h>
#include <event2/http.h>
#include <stdbool.h>

enum { SHOP_TROUBLES = 4096 };

/* Set the first six and leave the rest zero. */
struct shop {
    const struct ecb *ecb;
    const char *key;    /* the one that is right; NULL: any */
    const char *script; /* its name; NULL: none */
    bool quiet;
    SSL_CTX *tls; /* NULL: none */
    struct event_base *base;
    double start;
    struct trouble trouble[SHOP_TROUBLES];
    size_t troubles;
    struct evbuffer *unread;
    struct event *reading;
    unsigned line_number;
    unsigned bad; /* lines that are no use, told on stderr */
    unsigned calls[FORMS], faults[FORMS];
    unsigned strays; /* calls of what is not there */
};

/* Begins to serve on a listening socket; the result is freed by evhttp_free().
 */
struct evhttp *shop_open(struct shop *s, int listener);

/* Takes a line of the script, one of --fault if `number` is 0. */
void shop_take(struct shop *s, const char *line, size_t len, unsigned number);

/* Reads the script: a file to its end, else in the loop, which ends at a line
 * that is no use. */
void shop_read(struct shop *s, int fd, bool is_file);

void shop_report(const struct shop *s);
void shop_close(struct shop *s);

#endif
