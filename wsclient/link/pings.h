/*
 * One Ping at a time. libwebsockets keeps a Ping until its Pong is written and
 * drops those that come meanwhile; so while one is kept, nothing more is read.
 */
#ifndef FXWIRE_WSCLIENT_LINK_PINGS_H
#define FXWIRE_WSCLIENT_LINK_PINGS_H

#include <libwebsockets.h>
#include <stdbool.h>

struct pings {
    struct lws *wsi; /* NULL: no connection stands */
    bool held;       /* nothing is read: the library may have input for later */
    lws_sorted_usec_list_t limit; /* of holding */
};

/* The connection `wsi` stands: its Pings are heard of until the end. */
void pings_begin(struct pings *pings, struct lws *wsi);
void pings_end(struct pings *pings);

/* The writeable callback came, so the Pong is out: reading goes on. */
void pings_ponged(struct pings *pings);

/*
 * For lws_set_log_level(): the library tells of a Ping in its log alone, in a
 * line of level LLL_INFO, which is let through while a connection stands and
 * nothing is sent (each frame sent makes a line, too).
 */
void pings_hear_library(const char *line);
void pings_begin_sending(void);
void pings_end_sending(void);

#endif
