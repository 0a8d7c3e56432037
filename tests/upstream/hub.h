/* The loop: connections, heartbeats, faults, signals, and when to stop. */
#ifndef UPSTREAM_HUB_H
#define UPSTREAM_HUB_H

#include "asker.h"
#include "fault.h"
#include "peer.h"
#include "play.h"
#include "tally.h"

#include <stdbool.h>
#include <stdint.h>

/* More connections than this at a time are turned away. */
enum { HUB_PEERS = 16 };

/* Set what stands before `epoll` and leave the rest zero; all that is pointed
 * to belongs to the caller. */
struct hub {
    int listener;
    SSL_CTX *tls;        /* NULL: none */
    int script;          /* where `play` goes on to be read; -1: it is read */
    uint64_t linger_ns;  /* how long to go on once all is answered */
    uint64_t seconds_ns; /* how long to ask from the first link on; 0: no end */
    uint64_t wait_ns;    /* how long to wait for the first link; 0: no end */
    uint64_t patience_ns; /* for answers once all is asked; 0: no end */
    struct tally *tally;
    struct asker *asker; /* NULL: nothing is made up */
    struct verdict *verdict;
    struct play *play; /* NULL: there is no script */
    int epoll;
    int signals;
    struct peer peer[HUB_PEERS];
    struct peer *active; /* the newest open one; it gets the questions */
    struct fault_state faults;
    uint64_t connections;
    uint64_t beats;  /* heartbeats received */
    uint64_t gap_ns; /* the longest wait for one */
    uint64_t begun_ns, first_ns, link_ns, done_ns;
    bool complete; /* all was asked and answered */
    bool stopping;
};

/* Runs until all is answered and lingered, its time is over, or SIGINT or
 * SIGTERM comes. Returns -1 after saying on stderr why it could not, else 0. */
int hub_run(struct hub *h);

#endif
