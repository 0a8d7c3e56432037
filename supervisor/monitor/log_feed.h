/*
 * logs.sock: whoever asks there is told the last lines of the log and each one
 * from then on, until he goes. Who does not read loses lines, of which he is
 * told, and keeps nobody waiting.
 */
#ifndef FXWIRE_SUPERVISOR_MONITOR_LOG_FEED_H
#define FXWIRE_SUPERVISOR_MONITOR_LOG_FEED_H

#include <event2/event.h>

#include "common/attributes.h"
#include "common/span.h"

/* So many lines of before are told first. */
enum { LOG_FEED_LAST = 10 };

struct log_feed;

/* Serves on the listening socket `fd`, which stays the caller's. */
MUST_CHECK struct log_feed *log_feed_new(struct event_base *base,
                                         int fd) NONNULL_ALL;

/* Sends what the sockets take at once, and lets go of all who follow. */
void log_feed_free(struct log_feed **feed) NONNULL_ALL;

/* Tells whole lines. */
void log_feed_add(struct log_feed *feed, struct span lines) NONNULL_ALL;

#endif
