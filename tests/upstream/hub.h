/* The loop: connections, heartbeats, signals, and when to stop. */
#ifndef UPSTREAM_HUB_H
#define UPSTREAM_HUB_H

#include "asker.h"
#include "peer.h"
#include "verdict.h"

#include <stdbool.h>
#include <stdint.h>

/* More connections than this at a time are turned away. */
enum { HUB_PEERS = 16 };

/* Set the first four and leave the rest zero; all belongs to the caller. */
struct hub {
    int listener;
    uint64_t linger_ns; /* how long to go on once all is answered */
    struct asker *asker;
    struct verdict *verdict;
    int epoll;
    int signals;
    struct peer peer[HUB_PEERS];
    struct peer *active; /* the newest open one; it gets the questions */
    uint64_t connections;
    uint64_t beats;  /* heartbeats received */
    uint64_t gap_ns; /* the longest wait for one */
    uint64_t done_ns;
    bool stopping;
};

/* Runs until all is answered and lingered, or SIGINT or SIGTERM comes. Returns
 * -1 after saying on stderr why it could not, else 0. */
int hub_run(struct hub *h);

#endif
