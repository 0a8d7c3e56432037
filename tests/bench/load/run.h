/* A run: waits for its clients, warms up, measures, waits for what is open. */
#ifndef LOAD_RUN_H
#define LOAD_RUN_H

#include "tests/bench/load/player.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

enum { RUN_LINKS = 16 };

enum run_stage {
    RUN_WAITING,
    RUN_READY,
    RUN_WARMING,
    RUN_MEASURING,
    RUN_DRAINING,
    RUN_STAYING,
    RUN_OVER
};

/* Set all down to `tally` and leave the rest zero. */
struct run {
    int listener;
    SSL_CTX *tls;    /* NULL: ws:// */
    uint64_t links;  /* clients to wait for */
    uint64_t window; /* questions open on a link */
    double rate;     /* a second on all links; 0: as the window allows */
    uint64_t count;  /* ends after so many questions; 0: by the clock alone */
    uint64_t warmup_ns;
    uint64_t measure_ns;
    uint64_t patience_ns; /* for clients, and for the last answers */
    bool await;           /* ask nothing until a word comes on standard input */
    bool stay;            /* keep the links until standard input ends */
    struct ring *ring;
    struct tally *tally;
    enum run_stage stage;
    int epoll;
    unsigned accepted;
    unsigned started;
    struct player player[RUN_LINKS];
    uint64_t stage_ns; /* when the stage began */
    uint64_t from_ns;  /* when measuring began and ended */
    uint64_t to_ns;
    bool told;   /* the word came */
    bool broken; /* a client left before its time */
};

/* Prints "ready" once all clients are there, "measuring" and "measured" as that
 * begins and ends, and the JSON once all is answered; then it may stay, which
 * changes no figure any more. Returns the exit code. */
int run_all(struct run *r);

#endif
