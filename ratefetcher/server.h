/*
 * rates.sock: whoever may connect asks for a day's table and gets it as one
 * JSON line. A bad line closes its connection and nothing else.
 */
#ifndef FXWIRE_RATEFETCHER_SERVER_H
#define FXWIRE_RATEFETCHER_SERVER_H

#include <event2/event.h>

#include "ratefetcher/lookup.h"

struct server;

/* Serves on the listening socket `fd`, which stays the caller's. */
struct server *server_new(struct event_base *base, int fd,
                          struct lookup *lookup);
void server_free(struct server **server);

#endif
