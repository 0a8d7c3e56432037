/* The parts of the world, each with what is due next and its turn. */
#ifndef FXWIRE_TESTS_SIM_PARTS_H
#define FXWIRE_TESTS_SIM_PARTS_H

#include "common/day.h"
#include "common/span.h"
#include "tests/sim/world.h"
#include "wsclient/link/connection.h"

/* wsclient, from its start to its end, and who starts it again (life.c). */
void life_prepare(void); /* once for all worlds */
void life_begin_world(void);
int64_t life_next(void);
void life_turn(void);
bool life_is_up(void);
bool life_is_stopping(void);
int64_t life_started(void);
/* Has it do something; false: it is dead, or was killed while it did. */
bool life_does(void (*deed)(void *arg), void *arg);
unsigned life_kills_at_stores(void);
struct connection *life_connection(void);
struct pipeline *life_pipeline(void);

/* The library below its connection (library.c). */
void library_reset(void);
int64_t library_next(void);
void library_turn(void);
bool library_is_open(void);
/* Hands something over, as the library does; false: the life ended by it. */
bool library_calls(enum lws_callback_reasons reason, const char *in,
                   size_t len);
/* A part of a message: some of a frame, one of several, or all of it. */
struct library_piece {
    size_t len, left; /* in its frame, behind it */
    bool first;       /* the message begins with it */
    bool final;       /* and ends with its frame */
};
bool library_receives(const char *bytes, struct library_piece piece);
/* The upstream ends the connection; code 0: by a reset. */
void library_broken(unsigned code);
/* Whether a Ping of the upstream is answered by now. */
bool library_pongs(void);

/* The upstream: what it sends, and how it judges what it gets (upstream.c). */
void upstream_begin_world(void);
int64_t upstream_next(void);
void upstream_turn(void);
void upstream_connected(void);
void upstream_disconnected(bool by_client);
void upstream_reads(const unsigned char *bytes, size_t len);
void upstream_sends(uint32_t requests);
void upstream_no_rates(day when);
/* What has to hold now, whatever comes next. */
void upstream_judge(void);

#endif
