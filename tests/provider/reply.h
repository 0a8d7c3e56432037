/* Sends an answer, whole, slowly, by half or not at all. */
#ifndef PROVIDER_REPLY_H
#define PROVIDER_REPLY_H

#include <event2/http.h>

enum reply_way {
    REPLY_WHOLE,
    REPLY_SLOW,   /* `speed` bytes a second */
    REPLY_HALF,   /* then the connection ends */
    REPLY_NOTHING /* the connection stays, for a minute at most */
};

/* Takes the body out of `body`. Headers are the caller's to set before, but for
 * the length. */
void reply_send(struct evhttp_request *request, int status,
                struct evbuffer *body, enum reply_way way, double speed);

#endif
