#include "ratefetcher/redis/redis_trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"
#include "ratefetcher/redis/redis_connection.h"
#include "ratefetcher/redis/redis_sentinels.h"

/* Enough for one address of its name that does not answer, and another. */
#define LIMIT MILLISECONDS(2500)

struct redis_trial {
    struct redis_address address;
    struct redis_streams *streams;
    struct redis_connection *connection;
    struct redis_sentinels *sentinels;
    struct event *limit;
    void (*done)(void *arg); /* NULL: it was called */
    void *arg;
    const char *result;
    char detail[128];
};

static void finish(struct redis_trial *t, const char *result,
                   const char *detail) {
    void (*done)(void *arg) = t->done;
    if (done == NULL)
        return; /* what comes of the end does not count */
    t->done = NULL;
    t->result = result;
    snprintf(t->detail, sizeof t->detail, "%s", detail);
    done(t->arg);
}

static void on_written(void *arg, const redisReply *reply) {
    struct redis_trial *t = arg;
    if (reply == NULL)
        finish(t, "down", "no answer in time");
    else if (reply->type == REDIS_REPLY_ERROR)
        finish(t, "read only", reply->str);
    else
        finish(t, "up", "");
}

/*
 * Read first, then a key of ours that is gone after a second shows whether we
 * may write. Other attempts may follow one that failed: a name has several
 * addresses.
 */
static const struct span probe[] = {{"GET", 3}, {"fxwire:check", 12}};

static void on_probed(void *arg, const redisReply *reply) {
    struct redis_trial *t = arg;
    if (reply->type == REDIS_REPLY_ERROR)
        finish(t, "refused", reply->str);
    else if (t->done != NULL)
        redis_connection_send(
            t->connection, REDIS_WORK, on_written, t, 5,
            (struct span[]){span_of("SET"), span_of("fxwire:check"),
                            span_of("1"), span_of("EX"), span_of("1")});
}

static void on_changed(void *arg, bool up) {
    (void)arg, (void)up;
}

static void finish_down(struct redis_trial *t) {
    const char *why = redis_connection_why(t->connection);
    finish(t, "down", *why != '\0' ? why : "no answer in time");
}

static void on_refused(void *arg, const char *why) {
    finish(arg, "refused", why);
}

static void on_limit(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    finish_down(arg);
}

struct redis_trial *redis_trial_new(struct event_base *base, const char *url,
                                    const char *ca_file,
                                    void (*done)(void *arg), void *arg) {
    struct redis_trial *t = memory_new(sizeof *t);
    t->done = done;
    t->arg = arg;
    redis_address_read(url, &t->address);
    if (t->address.password != NULL)
        log_mask(t->address.password);
    t->streams = redis_streams_new(base, t->address.tls, ca_file);
    t->connection = redis_connection_new(
        t->streams, &t->address,
        &(struct redis_connection_owner){on_changed, on_refused, on_probed, t,
                                         probe, sizeof probe / sizeof *probe});
    t->sentinels = redis_sentinels_new(t->streams, &t->address, t->connection);
    t->limit = evtimer_new(base, on_limit, t);
    loop_set_timer(t->limit, LIMIT);
    return t;
}

bool redis_trial_end(struct redis_trial **trial) {
    struct redis_trial *t = *trial;
    *trial = NULL;
    bool good = strcmp(t->result, "up") == 0;
    log_print_row(STDOUT_FILENO, "redis",
                  LOG_FIELDS(log_text("redis", t->address.label),
                             log_text("result", t->result),
                             log_text("detail", t->detail[0] != '\0' ? t->detail
                                                                     : NULL)));
    event_free(t->limit);
    redis_sentinels_free(&t->sentinels);
    redis_connection_free(&t->connection);
    redis_streams_free(&t->streams);
    redis_address_clear(&t->address);
    free(t);
    return good;
}
