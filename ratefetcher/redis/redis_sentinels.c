#include "ratefetcher/redis/redis_sentinels.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/memory.h"

/* One Sentinel, and what it said last. */
struct redis_sentinel {
    struct redis_sentinels *all;
    struct redis_address address;
    struct redis_connection *connection;
    char *word; /* NULL: nothing */
    bool asked;
};

struct redis_sentinels {
    struct redis_address *address;
    struct redis_connection *connection;
    struct span probe[3];
    size_t count;
    struct redis_sentinel list[];
};

static bool is_host(const struct redis_address *address, const char *name,
                    uint16_t port) {
    return address->host.name != NULL && address->host.port == port &&
           strcmp(address->host.name, name) == 0;
}

static void go_to(struct redis_sentinel *sentinel, const char *name,
                  uint16_t port) {
    struct redis_sentinels *all = sentinel->all;
    if (is_host(all->address, name, port))
        return;
    log_info(EVENT_REDIS_MASTER,
             LOG_FIELDS(log_text("master", sentinel->word),
                        log_text("sentinel", sentinel->address.label)));
    redis_address_set_host(all->address, name, port);
    redis_connection_renew(all->connection, "its Sentinels name another one");
}

/* A pair of host and port; else it knows no such master, or says nonsense. */
static bool names_master(const redisReply *reply, uint16_t *port) {
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_STRING)
        return false;
    long number = strtol(reply->element[1]->str, NULL, 10);
    *port = (uint16_t)number;
    return number > 0 && number <= UINT16_MAX &&
           reply->element[0]->str[0] != '\0';
}

static void on_probed(void *arg, const redisReply *reply) {
    struct redis_sentinel *s = arg;
    uint16_t port;
    char *word = NULL;
    bool known = names_master(reply, &port);
    if (known)
        word = memory_print("%s:%u", reply->element[0]->str, port);
    bool changed = (word != NULL) != (s->word != NULL) ||
                   (word != NULL && strcmp(word, s->word) != 0);
    bool lost = !known && (changed || !s->asked);
    s->asked = true;
    free(s->word);
    s->word = word;
    if (lost)
        log_warn(EVENT_REDIS_MASTER_UNKNOWN,
                 LOG_FIELDS(log_text("sentinel", s->address.label),
                            log_text("master", s->all->address->master)));
    if (known && (changed || !redis_connection_is_up(s->all->connection)))
        go_to(s, reply->element[0]->str, port);
}

/* What is told of a Sentinel stands in its log lines. */
static void on_changed(void *arg, bool up) {
    (void)arg, (void)up;
}

static void on_refused(void *arg, const char *why) {
    (void)arg, (void)why;
}

static void start(struct redis_sentinels *all, struct redis_streams *streams,
                  size_t at) {
    const struct redis_host *host = &all->address->sentinels[at];
    struct redis_sentinel *s = &all->list[at];
    s->all = all;
    redis_address_set_host(&s->address, host->name, host->port);
    s->address.label = memory_print("sentinel %s:%u", host->name, host->port);
    s->connection = redis_connection_new(
        streams, &s->address,
        &(struct redis_connection_owner){
            on_changed, on_refused, on_probed, s, all->probe,
            sizeof all->probe / sizeof *all->probe});
}

struct redis_sentinels *
redis_sentinels_new(struct redis_streams *streams,
                    struct redis_address *address,
                    struct redis_connection *connection) {
    if (address->sentinel_count == 0)
        return NULL;
    struct redis_sentinels *all =
        memory_new(sizeof *all + address->sentinel_count * sizeof *all->list);
    *all = (struct redis_sentinels){
        .address = address,
        .connection = connection,
        .probe = {span_of("SENTINEL"), span_of("get-master-addr-by-name"),
                  span_of(address->master)},
        .count = address->sentinel_count,
    };
    for (size_t i = 0; i < all->count; i++)
        start(all, streams, i);
    return all;
}

void redis_sentinels_free(struct redis_sentinels **sentinels) {
    struct redis_sentinels *all = *sentinels;
    *sentinels = NULL;
    for (size_t i = 0; all != NULL && i < all->count; i++) {
        redis_connection_free(&all->list[i].connection);
        redis_address_clear(&all->list[i].address);
        free(all->list[i].word);
    }
    free(all);
}
