/* The breaks of connections that stood: the last one's reason, and whether
 * they follow each other too fast; and why the last attempt failed. Pure. */
#ifndef FXWIRE_WSCLIENT_LINK_BREAKS_H
#define FXWIRE_WSCLIENT_LINK_BREAKS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "wsclient/link/peer_close.h"

/* So many within that time need a person. */
#define BREAKS_FLAPPING_TIME SECONDS(10)
enum { BREAKS_FLAPPING = 5 };

struct breaks {
    char last[PEER_CLOSE_DETAIL_SIZE];   /* why; "": there was none */
    char failed[PEER_CLOSE_DETAIL_SIZE]; /* of attempts since; "": none */
    monotime times[BREAKS_FLAPPING];     /* a ring */
    size_t count;
    bool told; /* since a connection stood for BREAKS_FLAPPING_TIME */
};

/*
 * Notes the end of a connection that `stood` so long. Gives whether a person is
 * to be told that the upstream flaps: once, until one has stood long.
 */
MUST_CHECK NONNULL_ALL bool breaks_note(struct breaks *breaks,
                                        const char *reason, const char *detail,
                                        duration stood, monotime now);

/* An attempt failed, which is no break. */
NONNULL_ALL void breaks_note_failure(struct breaks *breaks, const char *reason,
                                     const char *detail);

#endif
